"""From timings to a table: medians with p10–p90, ratios pair by pair."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

BEGIN = "<!-- figures: begin, written by measure.py --write -->"
END = "<!-- figures: end -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was timed, in seconds; the n-th value of `base` was taken beside the n-th of `ours`."""

    name: str
    ours: tuple[float, ...]
    against: str = ""
    base: tuple[float, ...] = ()
    most_s: float | None = None
    most_times: float | None = None

    @property
    def ratios(self) -> tuple[float, ...]:
        return tuple(a / b for a, b in zip(self.ours, self.base, strict=True)) if self.base else ()

    @property
    def is_met(self) -> bool | None:
        """None where there is no target."""
        limits = [(self.ours, self.most_s), (self.ratios, self.most_times)]
        held = [median(values) <= most for values, most in limits if values and most is not None]
        return all(held) if held else None


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


def document(results: Results) -> str:
    """Everything as JSON, the single timings too."""
    return json.dumps(
        {
            "date": results.date,
            "minutes": round(results.minutes, 2),
            "machine": asdict(results.machine),
            "figures": [_figure_document(figure) for figure in results.figures],
            "stages": [_figure_document(figure) for figure in results.stages],
        },
        indent=2,
    )


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
        )
    )


def replaced(page: str, section: str) -> str:
    """The page with a new generated section; raises ValueError when it has no place for one."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no lines {BEGIN!r} and {END!r}")
    return f"{head}{BEGIN}\n\n{section}\n\n{END}{tail}"


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
    met = {True: "met", False: "missed", None: ""}[figure.is_met]
    ratio = _spelled(figure.ratios, 1, 2)
    return (figure.name, _seconds(figure.ours), base, ratio, ", ".join(targets), met)


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
