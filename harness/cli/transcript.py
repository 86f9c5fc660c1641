"""A transcript for reading: who spoke, when, what was called and what came back."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from harness.cli.console import clean
from harness.domain.record import RunRecord
from harness.domain.session import Entry, Role
from harness.report.telemetry import tool_calls
from harness.report.words import plural

MARGIN = 10
"""Columns that the time stands in."""
KEYS = 14
"""Columns for the names of arguments; a longer one moves its own value only."""
SLOW_S = 0.1
"""A call that took less is not worth its duration."""
LEAST_WIDTH = 24
TAB = 4

WORDS, ARGUMENT, RESULT = 60, 12, 14
"""Lines that are shown of what was said, of an argument and of a result."""
LINE = 600
"""Characters that are shown of one line."""
ONE_LINE = 160
"""Characters that are shown of an argument that is one line."""

STYLES: Mapping[Role, str] = {
    Role.SYSTEM: "bold magenta",
    Role.USER: "bold green",
    Role.ASSISTANT: "bold blue",
    Role.NOTE: "bright_black",
}


@dataclass(slots=True)
class Item:
    """Something said, or a call with what came back."""

    entry: Entry
    result: Entry | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Where it is shown, and whether everything is wanted."""

    console: Console
    full: bool

    def room(self, taken: int) -> int | None:
        """Columns that are left; None where lines stay as long as they are."""
        if not self.console.is_terminal:
            return None
        return max(self.console.width - taken, LEAST_WIDTH)


def print_transcript(
    console: Console, run: RunRecord, entries: Sequence[Entry], *, full: bool
) -> None:
    """All of a transcript; where nobody looks on, lines stay as long as they are."""
    page = Page(console, full)
    cell = run.cell
    lines = [Text(f"{run.id}  {cell.suite}/{cell.scenario} {cell.tier}", "bold")]
    lines += [Text(part) for part in _wrapped(clean(cell.who), page, 0)]
    for item in paired(entries):
        lines += [Text(), *_item(item, page)]
    lines += [Text(), *_ending(run, page)]
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True)


def paired(entries: Iterable[Entry]) -> Sequence[Item]:
    """Calls beside what came back, also where several tools were called before any answered."""
    items: list[Item] = []
    waiting: dict[str | None, deque[Item]] = {}
    for entry in entries:
        open_calls = waiting.setdefault(entry.tool, deque())
        if entry.role is Role.TOOL_RESULT and open_calls:
            open_calls.popleft().result = entry
            continue
        items.append(Item(entry))
        if entry.role is Role.TOOL_CALL:
            open_calls.append(items[-1])
    return items


def _item(item: Item, page: Page) -> Iterator[Text]:
    entry = item.entry
    if entry.role is Role.TOOL_CALL:
        yield from _call(item, page)
    elif entry.role is Role.TOOL_RESULT:
        yield _head(entry, f"answer of {_name(entry.tool)}", "bold cyan")
        yield from _result(entry, page)
    else:
        style = STYLES[entry.role]
        yield _head(entry, entry.role.value, style)
        body = "bright_black" if entry.role is Role.NOTE else ""
        body = "red" if entry.is_error else body
        yield from _block(entry.text, page, limit=WORDS, style=body)


def _call(item: Item, page: Page) -> Iterator[Text]:
    entry, result = item.entry, item.result
    head = _head(entry, f"→ {_name(entry.tool)}", "bold cyan")
    if result and result.at_s - entry.at_s >= SLOW_S:
        head.append(f"  took {result.at_s - entry.at_s:.1f}s", "bright_black")
    yield head
    yield from _arguments(entry.text, page)
    if result:
        yield from _result(result, page)
    else:
        yield _indented(Text("no answer came", "yellow"))


def _head(entry: Entry, who: str, style: str) -> Text:
    at = f"{entry.at_s:.1f}s".rjust(MARGIN - 2)
    return Text.assemble((at, "bright_black"), "  ", (who, style))


def _arguments(text: str, page: Page) -> Iterator[Text]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        yield from _block(text, page, limit=ARGUMENT)
        return
    keys = {key: _name(key) for key in given}
    wide = min(KEYS, max(map(cell_len, keys.values()), default=0))
    for key, value in given.items():
        name = Text(keys[key].ljust(wide), "cyan")
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if "\n" in shown:
            yield _indented(name)
            yield from _block(shown, page, limit=ARGUMENT, prefix="  ")
            continue
        first = _indented(name).append("  ")
        rest = " " * first.cell_len
        short = shown if page.full else _short(shown, ONE_LINE)
        for at, line in enumerate(_wrapped(clean(short).expandtabs(TAB), page, len(rest))):
            yield Text.assemble(rest if at else first, line)


def _result(entry: Entry, page: Page) -> Iterator[Text]:
    style = "red" if entry.is_error else "dim"
    if not entry.text.strip():
        yield _indented(Text("✗ failed, saying nothing" if entry.is_error else "│ (empty)", style))
        return
    first = "✗ " if entry.is_error else "│ "
    yield from _block(entry.text, page, limit=RESULT, style=style, prefix="│ ", first=first)


def _block(
    text: str,
    page: Page,
    *,
    limit: int,
    style: str = "",
    prefix: str = "",
    first: str | None = None,
) -> Iterator[Text]:
    """Lines below a heading, cut in the middle unless all of it is wanted."""
    lines = [line.expandtabs(TAB) for line in clean(text).rstrip("\n").split("\n")]
    if not page.full:
        lines = [_short(line, LINE) for line in _middle_out(lines, limit)]
    mark = prefix if first is None else first
    for line in lines:
        for part in _wrapped(line, page, MARGIN + len(prefix)):
            yield _indented(Text(mark + part, style))
            mark = prefix


def _middle_out(lines: Sequence[str], limit: int) -> Sequence[str]:
    left_out = len(lines) - limit
    if left_out <= 1:  # the word about it takes a line itself
        return lines
    head = limit - limit // 3
    tail = limit - head
    return [
        *lines[:head],
        f"… {plural(left_out, 'line')} left out …",
        *lines[len(lines) - tail :],
    ]


def _short(line: str, limit: int) -> str:
    left_out = len(line) - limit
    if left_out <= limit // 4:  # a little more is shown rather than talked about
        return line
    head = limit - limit // 3
    tail = limit - head
    return f"{line[:head]} … {plural(left_out, 'character')} left out … {line[-tail:]}"


def _wrapped(line: str, page: Page, taken: int) -> Sequence[str]:
    room = page.room(taken)
    if room is None or cell_len(line) <= room:
        return [line]
    return [part.plain for part in Text(line).wrap(page.console, room)]


def _indented(line: Text) -> Text:
    return Text(" " * MARGIN) + line


def _name(text: str | None) -> str:
    return clean(text or "unnamed").replace("\n", "\\n").replace("\t", "\\t")


def _ending(run: RunRecord, page: Page) -> Iterator[Text]:
    session = run.session
    if session is None:
        yield Text("no agent worked in this run", "yellow")
        return
    at = f"{session.duration_s:.1f}s".rjust(MARGIN - 2)
    yield Text.assemble((at, "bright_black"), "  ", (session.ending.value, "bold"))
    if session.detail:
        yield from _block(session.detail, page, limit=ARGUMENT)
    yield from _block(f"tool calls: {tool_calls(session)}", page, limit=1, style="bright_black")
