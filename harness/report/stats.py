"""The numbers of a group of runs: what is in the mean, what is not, and how much it cost.

A run is in the mean when its row of `failures.TABLE` says that it counts and it has a score.
Everything else is counted beside the mean, never as a zero in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.domain.failures import ENDINGS, TABLE
from harness.domain.record import Cell, RunRecord
from harness.domain.scenario import TIERS

PRECISION = 9
"""Digits after which a mean is float noise; scores are kept with as many."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How some numbers lie: everything but `n` is None when there are none."""

    n: int
    mean: float | None = None
    deviation: float | None = None
    """Of the sample (n - 1 in the denominator); None for fewer than two."""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Runs of one cell, in numbers."""

    cell: Cell
    runs: int
    """Every record there is, of whatever ending."""
    scores: Spread
    """Of the runs that count, on the scale 0..1."""
    passed: int
    checks_not_run: int
    """Checks without a score in the runs that count."""
    faulted: int
    interrupted: int
    unscored: int
    """Runs that ended, but of which no check of any weight could be run."""
    simulated: int
    seconds: Spread
    """Durations of the sessions of the runs that count."""
    cost_usd: float | None
    """Of every session whose price is known, also of runs that faulted; None when none is."""
    unpriced: int
    """Sessions whose price is not known; what they cost is not part of `cost_usd`."""
    tasks: frozenset[Task]
    """More than one when the scenario was changed between the runs."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a run was given and how it was graded, as far as its record says.

    The hidden files and the image are not in the record: a change of only those goes unseen.
    """

    fixture: str
    prompt: str
    threshold: float
    checks: tuple[tuple[str, str, float, bool], ...]


def counts(record: RunRecord) -> bool:
    """Whether the run's score is part of a mean."""
    cause = record.fault.cause if record.fault else None
    if cause is None and record.session:
        cause = ENDINGS[record.session.ending]
    return record.total_score is not None and (cause is None or TABLE[cause].counts)


def spread(values: Sequence[float]) -> Spread:
    """Mean, sample standard deviation and range."""
    n = len(values)
    if not n:
        return Spread(0)
    mean = math.fsum(values) / n
    deviation = None
    if n > 1:
        squares = math.fsum((value - mean) ** 2 for value in values)
        deviation = round(math.sqrt(squares / (n - 1)), PRECISION)
    return Spread(n, round(mean, PRECISION), deviation, min(values), max(values))


def group_by_cell(records: Iterable[RunRecord]) -> tuple[Group, ...]:
    """One group per cell, by suite, scenario, tier and who worked."""
    cells: dict[Cell, list[RunRecord]] = {}
    for record in records:
        cells.setdefault(record.cell, []).append(record)
    return tuple(group(cells[cell]) for cell in sorted(cells, key=cell_order))


def group(records: Sequence[RunRecord]) -> Group:
    """The numbers of runs that are all of one cell; at least one."""
    inside = [record for record in records if counts(record)]
    sessions = [record.session for record in records if record.session]
    costs = [s.cost_usd for s in sessions if s.cost_usd is not None]
    faulted = [record for record in records if record.fault]
    interrupted = sum(record.status == "interrupted" for record in records)
    return Group(
        cell=records[0].cell,
        runs=len(records),
        scores=spread([r.total_score for r in inside if r.total_score is not None]),
        passed=sum(record.passed for record in inside),
        checks_not_run=sum(check.score is None for r in inside for check in r.checks),
        faulted=sum(record.status == "faulted" for record in records),
        interrupted=interrupted,
        unscored=sum(not r.fault and r.total_score is None for r in records),
        simulated=sum(record.simulated for record in records),
        seconds=spread([r.session.duration_s for r in inside if r.session]),
        cost_usd=round(math.fsum(costs), PRECISION) if costs else None,
        unpriced=len(sessions) - len(costs),
        tasks=frozenset(_task(record) for record in inside),
    )
