"""A case as judges see it: one JSON document, cut to size, in which nothing is invisible."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.domain.patch import FilePatch, Patch
from harness.domain.rubric import Rubric
from harness.judging.case import Case, Result
from harness.judging.ranking import Rank, order, rank

TASK_CHARS = 40_000
DIFF_CHARS = 160_000
FILE_CHARS = 40_000
"""Of one file, when not all of a patch can be shown."""
SOLUTION_CHARS = 60_000
RESULTS_CHARS = 30_000
STATEMENT_CHARS = 8_000
LINE_CHARS = 1_000
NAME_CHARS = 300
"""Of a name as it is shown."""
MOST_RESULTS = 200
MOST_DETAILS = 40
MOST_NAMED = 100
"""Files that are left out are counted beyond so many."""

_FILE_COSTS = 150
_LINE_COSTS = 12
"""What JSON adds to a file and to a line, about."""

_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that count as printable and cannot be seen."""
_MAGIC = re.compile(r"(ANTHROPIC_MAGIC)_(STRING)", re.IGNORECASE)
"""Begins words that make some models refuse, for tests of refusals: nobody else's to use."""


@dataclass(slots=True)
class Shown:
    """What is sent, and the part of it that proves something when it is quoted."""

    document: str
    work: list[list[str]] = field(default_factory=list)
    """Lines of the diff by file, with their marks; then of results, and of the statement."""
    notes: list[str] = field(default_factory=list)
    """What was left out, for whoever reads the verdict."""


def show(case: Case, rubric: Rubric, room: float = 1.0) -> Shown:
    """The case within `room` of its usual size."""
    shown = Shown("")
    document: dict[str, Any] = {"task": _text(case.task, round(TASK_CHARS * room))}
    if case.about:
        document["about"] = _text(case.about, round(TASK_CHARS * room))
    document["work"] = _patch(case.patch, round(DIFF_CHARS * room), shown)
    document["results"] = _results(case.results, round(RESULTS_CHARS * room), shown)
    if rubric.with_solution and case.solution is not None:
        document["reference_solution"] = _patch(
            case.solution, round(SOLUTION_CHARS * room), Shown("")
        )
    if rubric.with_statement:
        document["statement"] = _text(case.statement, round(STATEMENT_CHARS * room))
        shown.work.append(document["statement"])
    shown.document = json.dumps(document, ensure_ascii=False, indent=1)
    return shown


def visible(text: str) -> str:
    """Text in which every character can be seen: the others are written as <U+XXXX>."""
    text = _MAGIC.sub(r"\1<U+005F>\2", text)
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == "\t" else _named(c) for c in text)
    return _BLANK.sub(lambda found: _named(found[0]), text)


def _named(character: str) -> str:
    return f"<U+{ord(character):04X}>"


def _line(text: str) -> str:
    """One line, of which a cut says how long it was."""
    if len(text) > LINE_CHARS:
        return f"{visible(text[:LINE_CHARS])} <cut: the line has {len(text)} characters>"
    return visible(text.removesuffix("\r"))


def _short(name: str) -> str:
    shown = visible(name[:NAME_CHARS])
    return shown if len(name) <= NAME_CHARS >= len(shown) else f"{shown[:NAME_CHARS]}…"


def _within(texts: Iterable[str], most: int) -> list[str]:
    """The first lines that fit, as they are shown."""
    lines = []
    for text in texts:
        line = _line(text)
        most -= len(line) + _LINE_COSTS
        if most < 0:
            break
        lines.append(line)
    return lines


def _text(text: str, most: int) -> list[str]:
    raw = text[:most].split("\n")
    lines = _within(raw, most)
    if len(lines) < len(raw) or len(text) > most:
        lines.append(f"<cut: the text has {len(text)} characters>")
    return lines


def _patch(patch: Patch, most: int, shown: Shown) -> dict[str, Any]:
    """The whole patch where it fits, else what matters most of it."""
    texts = [f for f in patch.files if not f.binary]
    left, files, out = most, [], []
    # by file and not by path: one that became a link is there twice
    is_whole = sum(map(_size, texts)) <= most
    for file in patch.files if is_whole else sorted(patch.files, key=order):
        if file.binary or left < _FILE_COSTS:
            out.append(file)
            continue
        allowed = left if is_whole else min(left, round(FILE_CHARS * most / DIFF_CHARS))
        entry, lines = _file(file, allowed)
        left -= min(_size(file), allowed)
        files.append(entry)
        shown.work.append(lines)
    found: dict[str, Any] = {"files": files}
    found |= _left_out(out, shown)
    cut = [entry["path"] for entry in files if "lines_left_out" in entry]
    if cut:
        shown.notes.append(f"only the beginning of {_listed(cut)} was shown")
    if patch.cut:
        found["note"] = "The patch was too long to be read to its end."
        shown.notes.append("the patch was too long to be read to its end")
    return found


def _left_out(files: Sequence[FilePatch], shown: Shown) -> dict[str, Any]:
    if not files:
        return {}
    entries = [
        {
            "path": _short(file.path),
            "change": file.kind.value,
            "lines_added": len(file.added),
            "lines_removed": len(file.removed),
            "why": "binary" if file.binary else "no room",
        }
        for file in files[:MOST_NAMED]
    ]
    no_room = [_short(f.path) for f in files if rank(f) is not Rank.BINARY]
    if no_room:
        shown.notes.append(f"not shown for want of room: {_listed(no_room)}")
    return {"files_left_out": entries, "number_of_files_left_out": len(files)}


def _file(file: FilePatch, most: int) -> tuple[dict[str, Any], list[str]]:
    raw = _body(file)
    lines = _within(raw, most - _FILE_COSTS)
    entry: dict[str, Any] = {"path": _short(file.path), "change": file.kind.value}
    if file.was:
        entry["was"] = _short(file.was)
    if file.mode:
        entry["mode"] = _short(file.mode)
    entry["diff"] = lines
    if len(lines) < len(raw):
        entry["lines_left_out"] = len(raw) - len(lines)
    return entry, lines


def _body(file: FilePatch) -> list[str]:
    """The hunks; what stands before them is said by other keys."""
    text = file.text
    begin = 0 if text.startswith("@@ ") else text.find("\n@@ ") + 1
    if not begin and not text.startswith("@@ "):
        return []
    return text[begin:].removesuffix("\n").split("\n")


def _size(file: FilePatch) -> int:
    return _FILE_COSTS + len(file.text) + _LINE_COSTS * file.text.count("\n")


def _results(results: Iterable[Result], most: int, shown: Shown) -> list[dict[str, Any]]:
    entries = []
    for name, score, details in list(results)[:MOST_RESULTS]:
        # a line may hold line ends here; the place for more of it is the check's own record
        texts = (each[: LINE_CHARS + 1].replace("\n", " ") for each in details[:MOST_DETAILS])
        lines = _within(texts, most)
        most -= sum(map(len, lines)) + _LINE_COSTS * len(lines) + len(name[:NAME_CHARS])
        entry: dict[str, Any] = {"name": _short(name), "score": score, "details": lines}
        if len(lines) < len(details):
            entry["details_left_out"] = len(details) - len(lines)
        entries.append(entry)
        shown.work.append([entry["name"], *lines])
    return entries


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
