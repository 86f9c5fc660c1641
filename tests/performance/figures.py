"""What was measured, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any


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
class Throng:
    """Whole commands of so many runs of an agent that does nothing, so many at once."""

    runs: int
    at_once: int
    ours: tuple[float, ...]
    floor: tuple[float, ...]
    """As many pairs of bare containers."""
    peer: tuple[float, ...] = ()
    """Of Inspect AI, where it could be installed: one container a sample."""
    most_times: float = 1.3

    @property
    def ratios(self) -> tuple[float, ...]:
        return tuple(a / b for a, b in zip(self.ours, self.floor, strict=True))

    @property
    def peer_ratios(self) -> tuple[float, ...]:
        """How much slower the peer was."""
        return tuple(b / a for a, b in zip(self.ours, self.peer, strict=True)) if self.peer else ()

    @property
    def is_met(self) -> bool:
        """Within the floor's reach, and ahead of the peer."""
        is_ahead = not self.peer or median(self.peer_ratios) > 1
        return is_ahead and median(self.ratios) <= self.most_times


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at a size, in seconds."""

    size: int
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """The same over ever larger sizes."""

    name: str
    points: tuple[Point, ...]


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
    batches: Curve
    """Batches of ever more such cells."""


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
    throngs: tuple[Throng, ...]
    without_peer: str
    """Why no peer was measured; empty where one was."""
    curves: tuple[Curve, ...]
    """Of whole runs over larger repositories, changes and sessions."""
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
            "throngs": [{**asdict(each), "is_met": each.is_met} for each in results.throngs],
            "without_peer": results.without_peer,
            "curves": [asdict(curve) for curve in results.curves],
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
    low, high = p10_p90(values)
    return {"median": median(values), "p10": low, "p90": high}


def p10_p90(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    tenths = quantiles(values, n=10, method="inclusive")
    return tenths[0], tenths[-1]
