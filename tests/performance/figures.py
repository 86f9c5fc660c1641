"""From timings to a table: medians with p10–p90, ratios pair by pair."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

FIGURES = ("<!-- figures: begin, written by measure.py --write -->", "<!-- figures: end -->")
GROWTH = ("<!-- growth: begin, written by measure.py --write -->", "<!-- growth: end -->")
MIB = 1024**2
SMALL_RATIO = 0.01
ABOUT_REQUESTS = (
    "The provider is a double in a process of its own, asked in turn with and without the gateway,"
    " which lives in a thread of the measuring process, as in a run. Every request brings 20 tools;"
    " the long conversation repeats 40 turns and ends differently each time. A turn's whole price"
    " is in it: checking, passing on, metering, booking, recording. The double sends a stream at"
    " once, so that its first byte waits for the interpreter that also reads the rest and books it;"
    " a real model has paused by then."
)
ABOUT_CROWD = (
    "Each run has a line, a workspace and a sandbox on the engine, opened one after another before"
    " the clock starts. A turn is a streamed request and `run_command true`; the last one calls no"
    " tool. All runs think in step, so that all requests and all calls come in the same moment,"
    " which is the worst case. Memory in the harness is what came on top of the program itself; the"
    " machine's is all that was missing at the end, the engine's own processes and the kernel's"
    " share included."
)

ABOUT_GROWTH = (
    "Processor time, user and system, of the command in a loaded program, from the question to the"
    " printed text; the clock on the wall adds what other programs take. The runs are in two"
    " batches of 20 cells; four checks each. A cell is planned, claimed, made with fakes in place"
    " of engine, agent and ledger, graded, and stored in SQLite with two commits, of which the"
    " run's is flushed. Both axes of the picture are logarithmic: a straight line at the angle of"
    " the dashed one is linear."
)

_MET = {True: "met", False: "missed", None: ""}


@dataclass(frozen=True, slots=True)
class Figure:
    """What was timed, in seconds; the n-th value of `base` was taken beside the n-th of `ours`."""

    name: str
    ours: tuple[float, ...]
    against: str = ""
    base: tuple[float, ...] = ()
    most_s: float | None = None
    most_times: float | None = None
    most_added_s: float | None = None

    @property
    def added(self) -> tuple[float, ...]:
        """By how much each was slower than what it was taken beside."""
        return tuple(a - b for a, b in zip(self.ours, self.base, strict=True)) if self.base else ()

    @property
    def ratios(self) -> tuple[float, ...]:
        return tuple(a / b for a, b in zip(self.ours, self.base, strict=True)) if self.base else ()

    @property
    def is_met(self) -> bool | None:
        """None where there is no target."""
        limits = [
            (self.ours, self.most_s),
            (self.ratios, self.most_times),
            (self.added, self.most_added_s),
        ]
        held = [median(values) <= most for values, most in limits if values and most is not None]
        return all(held) if held else None


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many tool loops at once, each in its own sandbox before one provider that takes its time."""

    turns: int
    """Of each run."""
    thinking_s: float
    """Of the provider, in each turn."""
    opening_s: tuple[float, ...]
    """A line, a workspace and a sandbox for each run, one after another."""
    closing_s: float
    """For all of them."""
    wall_s: float
    """From the first start to the last end."""
    runs_s: tuple[float, ...]
    alone_s: tuple[float, ...]
    """Runs one after another, whose provider does not think."""
    cpu_s: float
    """Of this process."""
    process_bytes: int
    """By how much this process grew, at its peak."""
    boxes_bytes: int
    """What the sandboxes hold in the end, by their own count."""
    machine_bytes: int
    """By how much less memory the machine had to give away in the end."""
    least_share: float

    @property
    def ideal_s(self) -> float:
        """What the thinking takes when every run thinks at the same time."""
        return self.turns * self.thinking_s

    @property
    def share(self) -> float:
        """Of the turns in a second that thinking alone would allow."""
        return self.ideal_s / self.wall_s

    @property
    def is_met(self) -> bool:
        return self.share >= self.least_share


@dataclass(frozen=True, slots=True)
class Size:
    """A store of so many runs, and what commands take on it."""

    runs: int
    cpu_s: tuple[tuple[str, tuple[float, ...]], ...]
    """By what they show; of the command alone, once the program is loaded."""
    process_s: float
    """Processor time of one whole process."""
    process_bytes: int
    """Its memory, at its peak."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The same commands on stores of ever more runs."""

    date: str
    cores: int
    load: float
    figures: tuple[Figure, ...]
    sizes: tuple[Size, ...]
    cells: tuple[Figure, ...]
    """What a cell costs where neither sandbox nor agent takes any time."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures depend on; nothing that names the machine."""

    cores: int
    memory_gib: float
    kernel: str
    python: str
    engine: str
    storage_driver: str
    workspaces: str
    load_before: float
    load_after: float


@dataclass(frozen=True, slots=True)
class Results:
    """One whole measurement."""

    date: str
    minutes: float
    machine: Machine
    figures: tuple[Figure, ...]
    stages: tuple[Figure, ...]
    """Where the time of a run goes beside the agent's and the checks' own."""
    requests: tuple[Figure, ...]
    """What the gateway adds to a request."""
    crowd: Crowd
    growth: Growth


def document(results: Results) -> str:
    """Everything as JSON, the single timings too."""
    return json.dumps(
        {
            "date": results.date,
            "minutes": round(results.minutes, 2),
            "machine": asdict(results.machine),
            "figures": [_figure_document(figure) for figure in results.figures],
            "stages": [_figure_document(figure) for figure in results.stages],
            "requests": [_figure_document(figure) for figure in results.requests],
            "crowd": {
                **asdict(results.crowd),
                "share": results.crowd.share,
                "is_met": results.crowd.is_met,
            },
            "growth": growth_document(results.growth),
        },
        indent=2,
    )


def growth_document(growth: Growth) -> dict[str, Any]:
    """The growth alone, for programs."""
    return {
        **asdict(growth),
        "figures": [_figure_document(figure) for figure in growth.figures],
        "cells": [_figure_document(figure) for figure in growth.cells],
    }


def page_section(results: Results) -> str:
    """The tables in Markdown, which reads well on a terminal too."""
    head = ("what", "Mintmark", "compared with", "ratio", "target", "")
    stages = [(stage.name, _seconds(stage.ours)) for stage in results.stages]
    return "\n".join(
        (
            _where(results),
            "",
            *_table(head, [_row(figure) for figure in results.figures]),
            "",
            "The overhead of a run, stage by stage:",
            "",
            *_table(("stage", "time"), stages),
            "",
            "What the gateway adds to a request:",
            "",
            *_table(
                ("request", "through the gateway", "without it", "added", "target", ""),
                [_added_row(figure) for figure in results.requests],
            ),
            "",
            ABOUT_REQUESTS,
            "",
            _crowd_head(results.crowd),
            "",
            *_table(("what", "figure", "target", ""), _crowd_rows(results.crowd)),
            "",
            ABOUT_CROWD,
        )
    )


def growth_section(growth: Growth) -> str:
    """Stores and batches of ever more runs, in Markdown."""
    head = ("processor time", "Mintmark", "compared with", "ratio", "target", "")
    processes = [
        (f"{each.runs:,}", _seconds([each.process_s]), _mebibytes(each.process_bytes))
        for each in growth.sizes
    ]
    return "\n".join(
        (
            f"{growth.date}; {growth.cores} cores, load average {growth.load:.1f}.",
            "",
            *_table(head, [_row(figure) for figure in (*growth.figures, *growth.cells)]),
            "",
            *_table(
                ("stored runs", "`bench batch`, a whole process", "its memory at the peak"),
                processes,
            ),
            "",
            ABOUT_GROWTH,
            "",
            "![processor time by stored runs](growth.svg)",
        )
    )


def replaced(page: str, section: str, marks: tuple[str, str] = FIGURES) -> str:
    """The page with a new generated section; raises ValueError when it has no place for one."""
    head, begin, rest = page.partition(marks[0])
    _, end, tail = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"the page has no lines {marks[0]!r} and {marks[1]!r}")
    return f"{head}{begin}\n\n{section}\n\n{end}{tail}"


def _where(results: Results) -> str:
    machine = results.machine
    return (
        f"{results.date}, {results.minutes:.1f} minutes; {machine.cores} cores,"
        f" {machine.memory_gib:.0f} GiB, Linux {machine.kernel}, Python {machine.python}, Docker"
        f" Engine {machine.engine} with {machine.storage_driver}, workspaces by"
        f" {machine.workspaces}; load average {machine.load_before:.1f} before and"
        f" {machine.load_after:.1f} after. Median (p10–p90)."
    )


def _figure_document(figure: Figure) -> dict[str, Any]:
    return {
        **asdict(figure),
        "ours_s": _spread(figure.ours),
        "base_s": _spread(figure.base),
        "ratio": _spread(figure.ratios),
        "added_s": _spread(figure.added),
        "is_met": figure.is_met,
    }


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    low, high = _p10_p90(values)
    return {"median": median(values), "p10": low, "p90": high}


def _p10_p90(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    tenths = quantiles(values, n=10, method="inclusive")
    return tenths[0], tenths[-1]


def _row(figure: Figure) -> tuple[str, ...]:
    targets = [f"≤ {_seconds([figure.most_s])}"] if figure.most_s is not None else []
    targets += [f"≤ {figure.most_times:g} ×"] if figure.most_times is not None else []
    base = f"{figure.against}: {_seconds(figure.base)}" if figure.base else ""
    ratio = _ratio(figure.ratios)
    met = _MET[figure.is_met]
    return (figure.name, _seconds(figure.ours), base, ratio, ", ".join(targets), met)


def _ratio(values: Sequence[float]) -> str:
    return _spelled(values, 1, 2 if not values or median(values) >= SMALL_RATIO else 4)


def _added_row(figure: Figure) -> tuple[str, ...]:
    target = "" if figure.most_added_s is None else f"≤ {_seconds([figure.most_added_s])}"
    return (
        figure.name,
        _seconds(figure.ours),
        _seconds(figure.base),
        _seconds(figure.added),
        target,
        _MET[figure.is_met],
    )


def _crowd_head(crowd: Crowd) -> str:
    return (
        f"{len(crowd.runs_s)} tool loops at once, {crowd.turns} turns each, and a provider that"
        f" thinks for {crowd.thinking_s:g} s in every turn:"
    )


def _crowd_rows(crowd: Crowd) -> list[tuple[str, ...]]:
    runs = len(crowd.runs_s)
    turns = runs * crowd.turns
    own = [run_s / crowd.turns - crowd.thinking_s for run_s in crowd.runs_s]
    alone = [run_s / crowd.turns for run_s in crowd.alone_s]
    rows = (
        ("turns in a second", f"{turns / crowd.wall_s:.1f} of {turns / crowd.ideal_s:.1f}"),
        ("from the first start to the last end", f"{crowd.wall_s:.1f} s for {crowd.ideal_s:.1f} s"),
        ("a turn beside the thinking", _seconds(own)),
        ("the same of a run alone", _seconds(alone)),
        ("the harness's processor time in a turn", _seconds([crowd.cpu_s / turns])),
        ("a run's start: line, workspace, sandbox, one after another", _seconds(crowd.opening_s)),
        ("all starts", _seconds([sum(crowd.opening_s)])),
        ("all ends, one after another", _seconds([crowd.closing_s])),
        ("memory of a run in the harness, at its peak", _mebibytes(crowd.process_bytes / runs)),
        ("memory of a run's sandbox, by its own count", _mebibytes(crowd.boxes_bytes / runs)),
        ("memory of a run, all that the machine misses", _mebibytes(crowd.machine_bytes / runs)),
    )
    share = (
        "throughput, of what thinking alone would allow",
        f"{crowd.share:.0%}",
        f"≥ {crowd.least_share:.0%}",
        _MET[crowd.is_met],
    )
    return [share, *((*row, "", "") for row in rows)]


def _mebibytes(count: float) -> str:
    return f"{count / MIB:.1f} MiB"


def _seconds(values: Sequence[float]) -> str:
    """All in the unit that suits the median."""
    middle = median(values)
    if middle >= 1:
        return _spelled(values, 1, 2, " s")
    return _spelled(values, 1000, 1 if middle < 0.1 else 0, " ms")


def _spelled(values: Sequence[float], scale: float, digits: int, unit: str = "") -> str:
    if not values:
        return ""
    middle, low, high = (
        f"{scale * value:.{digits}f}" for value in (median(values), *_p10_p90(values))
    )
    return f"{middle}{unit} ({low}–{high})" if len(values) > 1 else f"{middle}{unit}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    ruled = [head, ["-" * max(width, 3) for width in widths], *rows]
    return [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in ruled
    ]
