"""`bench watch`: a batch that other commands work on, from another terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from harness import wiring
from harness.cli.console import clean, messages, money, number, output, print_json, table, who
from harness.cli.desk import commands
from harness.cli.entry import NOT_PASSED, PASSED, WORLD, json_option, root_option, settings_for
from harness.cli.live import cell_name, run_line
from harness.cli.lookup import find_batch
from harness.domain.ids import BatchId, RunId
from harness.domain.record import RunRecord
from harness.errors import Interrupted
from harness.report.outcome import Key, key_of
from harness.report.progress import (
    Progress,
    Standing,
    Tally,
    progress_document,
    progress_of,
    still_missing,
    took_s,
)
from harness.report.stats import spread
from harness.report.words import plural, span
from harness.settings import Settings
from harness.store.base import Planned, Store

LOOK_S = 1.0
AT_ONCE = 500
"""Runs that are read together: a large batch takes no more memory than that."""
IDLE_SHARE = 10
"""Looking takes one part in so many of the time, however large a batch is."""
GRACE_S = 5.0
"""A command that has just planned its runs may not have told of itself yet."""
SAY_S = 60.0
"""A log without a line for so long looks like one of a program that hangs."""
HEADER_LINES, FEW = 14, 4
UNDER_WAY = 8


class Look:
    """A batch as it is now; what was read once is not read again."""

    def __init__(self, settings: Settings, store: Store, batch: BatchId) -> None:
        self._settings = settings
        self._store = store
        self.batch = batch
        self._known: set[RunId] = set()
        self._standing = Standing()
        self._missing: dict[Key, Planned] = {}
        self._planned = -1
        self.new: list[RunRecord] = []

    def again(self) -> Progress:
        """Look again; `new` are the runs that ended since."""
        # commands first: a run that ends meanwhile is then counted by its record
        now = datetime.now(UTC)
        at_work = commands(self._settings, self.batch, now)
        planned, is_first = self._store.batch(self.batch).planned, self._planned < 0
        if planned != self._planned:
            self._planned = planned
            self._missing = {key_of(plan): plan for plan in self._store.missing(self.batch)}
        self.new = []
        further = self._store.further(self.batch, self._known)
        while some := tuple(islice(further, AT_ONCE)):
            self._known.update(run.id for run in some)
            self._standing.add(some)
            # what was there before is no news, and too much to keep
            self.new += [] if is_first else some
        self._missing = still_missing(self._missing, self._standing)
        return progress_of(self.batch, self._standing, self._missing, at_work, now)


@click.command(context_settings={"max_content_width": 100})
@click.argument("batch_id", metavar="BATCH", default="last")
@click.option("--wait", is_flag=True, help="Until it is finished, also when nobody works on it.")
@json_option
@root_option
def watch(*, batch_id: str, wait: bool, as_json: bool, root: Path | None) -> int:
    """Watch a batch that other commands work on; BATCH is its id, the beginning of it, or 'last'.

    It ends when the batch is finished or nobody works on it any more. Exit code 0: all passed; 1:
    finished, and not all passed; 3: something is missing or faulted. With --json, one snapshot.

    \b
    Examples:
      bench watch
      bench watch night
      bench watch night --json
    """  # noqa: D301  # click wants its \b
    settings = settings_for(root)
    store = wiring.open_store(settings)
    look = Look(settings, store, find_batch(store, batch_id).id)
    if as_json:
        print_json(progress_document(look.again()))
        return PASSED
    console = output()
    try:
        seen = _live(console, look, wait=wait) if console.is_terminal else _plain(look, wait=wait)
    except Interrupted as stop:
        raise Interrupted("no longer watching; the batch goes on") from stop
    console.print(Group(*picture(seen, None)))
    if not seen.finished:
        messages().print(f"nobody works on it; to go on: bench resume {seen.batch}")
    return _code(seen)


def _code(seen: Progress) -> int:
    if not seen.finished or seen.tally.faulted:
        return WORLD
    return NOT_PASSED if seen.tally.failed else PASSED


def _looks(look: Look, *, wait: bool) -> Iterator[Progress]:
    """One look after the other until there is nothing more to see."""
    alone_since: float | None = None
    while True:
        began = time.monotonic()
        seen = look.again()
        yield seen
        if seen.commands:
            alone_since = None
        elif alone_since is None:
            alone_since = began
        gone = alone_since is not None and time.monotonic() - alone_since > GRACE_S
        if not seen.commands and (seen.finished or (gone and not wait)):
            return
        time.sleep(max(LOOK_S, IDLE_SHARE * (time.monotonic() - began)))


def _live(console: Console, look: Look, *, wait: bool) -> Progress:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for seen in _looks(look, wait=wait):
            live.update(Group(*picture(seen, console.height)), refresh=True)
    return seen


def _plain(look: Look, *, wait: bool) -> Progress:
    """A line for each run that ends, and one when none did for long."""
    console = messages()
    said_at = time.monotonic()
    is_first = True
    for seen in _looks(look, wait=wait):
        done = seen.tally.done - len(look.new)
        for run in look.new:
            done += 1
            place = f"{done:>{len(str(seen.tally.planned))}}/{seen.tally.planned}"
            console.print(run_line(run, place, took_s(run)))
        if is_first or look.new or time.monotonic() - said_at >= SAY_S:
            if is_first or not look.new:
                console.print(Text(f"{seen.batch}: {states(seen.tally)}{_pace(seen)}"))
            said_at = time.monotonic()
        is_first = False
    return seen


def states(tally: Tally) -> str:
    """Every planned run by its state."""
    words = [f"{tally.done} of {plural(tally.planned, 'run')} done"]
    words += [f"{tally.passed} passed", f"{tally.failed} failed"]
    words += [f"{tally.faulted} faulted"] if tally.faulted else []
    words += [f"{tally.under_way} under way", f"{tally.waiting} waiting"]
    return ", ".join(words)


def _pace(seen: Progress) -> str:
    said = ""
    if seen.runs_per_min is not None:
        said += f"; {seen.runs_per_min:.1f} runs a minute"
    if seen.left_s is not None and not seen.finished:
        said += f", about {span(seen.left_s)} left"
    if seen.cost_usd is not None:
        said += f"; {money(seen.cost_usd)}{'+' if seen.unpriced else ''}"
    return said


def picture(seen: Progress, height: int | None) -> Iterator[RenderableType]:
    """What a terminal shows; no height shows all cells."""
    yield Text.assemble(("Batch ", "bold"), (seen.batch, "bold"), f"  {states(seen.tally)}")
    if pace := _pace(seen).lstrip("; "):
        yield Text(pace)
    for command in seen.commands:
        halt = f", {command.halt}: {command.why}" if command.halt else ""
        since = span((seen.at - command.began_at).total_seconds())
        work = (
            f"{command.ended} of {plural(command.runs, 'run')} in {since}, {command.jobs} at once"
        )
        yield Text(clean(f"{command.owner.rpartition('/')[0]}: {work}{halt}"), "dim")
    yield Text()
    room = None if height is None else max(FEW, height - HEADER_LINES - _below(seen))
    yield from _cells(seen, room)
    yield from _runs(seen)
    yield from _failing(seen)


def _below(seen: Progress) -> int:
    return min(UNDER_WAY, len(seen.under_way)) + len(seen.slowest) + len(seen.failing)


CELLS = (
    ("Scenario", ""),
    ("Tier", ""),
    ("Agent", ""),
    ("Done", "right"),
    ("Pass", "right"),
    ("Fail", "right"),
    ("Fault", "right"),
    ("Now", "right"),
    ("Wait", "right"),
    ("Score", "right"),
)


def _cells(seen: Progress, room: int | None) -> Iterator[RenderableType]:
    # those where something happens come first where not all of them can be shown
    cells = list(seen.cells)
    if room is not None and len(cells) > room:
        cells.sort(key=lambda c: (-c.tally.under_way, -(c.tally.failed + c.tally.faulted)))
    # a suite that is everybody's says nothing, and takes room
    several = len({each.cell.suite for each in cells}) > 1
    rows = [
        (
            f"{each.cell.suite}/{each.cell.scenario}" if several else each.cell.scenario,
            each.cell.tier,
            who(each.cell),
            f"{each.tally.done}/{each.tally.planned}",
            *map(_count, (each.tally.passed, each.tally.failed, each.tally.faulted)),
            *map(_count, (each.tally.under_way, each.tally.waiting)),
            number(spread(each.scores).mean),
        )
        for each in cells[:room]
    ]
    yield table(None, CELLS, rows)
    if len(cells) > len(rows):
        yield Text(f"and {plural(len(cells) - len(rows), 'cell')} more", "dim")
    yield Text()


def _count(number: int) -> str:
    return str(number) if number else "·"


def _runs(seen: Progress) -> Iterator[RenderableType]:
    """Those under way, the oldest first, and those that took longest."""
    if seen.under_way:
        yield Text("Under way", "bold")
    for run in seen.under_way[:UNDER_WAY]:
        doing = f"{run.stage}: {run.said}" if run.said else run.stage
        for_s = (seen.at - run.began_at).total_seconds()
        yield _one_line(f"{for_s:>6.0f}s  {cell_name(run.cell)} #{run.iteration}  {doing}")
    more = len(seen.under_way) - UNDER_WAY
    if more > 0:
        yield Text(f"         and {plural(more, 'run')} more", "dim")
    if seen.slowest:
        yield Text("Slowest", "bold")
    for record in seen.slowest:
        yield _one_line(
            f"{record.took_s:>6.0f}s  {cell_name(record.cell)} #{record.iteration}  {record.id}"
        )


def _failing(seen: Progress) -> Iterator[RenderableType]:
    """The cells with most runs that did not pass, and what was said most often."""
    if seen.failing:
        yield Text("Failing", "bold")
    for cell in seen.failing:
        (said, often), *_ = cell.why.most_common(1)
        bad = cell.tally.failed + cell.tally.faulted
        times = f" ({often} of them)" if often < bad else ""
        yield _one_line(f"{bad:>6}×  {cell_name(cell.cell)}  {said}{times}", "red")


def _one_line(text: str, style: str = "") -> Text:
    return Text(clean(text), style, no_wrap=True, overflow="ellipsis")
