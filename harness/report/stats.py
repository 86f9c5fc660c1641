"""The numbers of a group of runs: what is in the mean, what is not, and what it all cost.

A run is in the mean when it has a score and its row of `failures.TABLE` says that it counts.
Everything else is counted beside the mean, never as a zero in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.domain.failures import ENDINGS, TABLE
from harness.domain.record import Cell, RunRecord
from harness.domain.session import Role

PRECISION = 9
"""Digits after which a mean is float noise; scores are kept with as many."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How some numbers lie; all but `n` is None when there are none."""

    n: int
    mean: float | None = None
    deviation: float | None = None
    """Of a sample, n - 1 in the denominator; None for fewer than two."""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """What a run was given and how it was graded; `definition` covers all of it by digest."""

    fixture: str
    prompt: str
    threshold: float
    checks: tuple[tuple[str, str, float, bool], ...]
    definition: str


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one cell, in numbers."""

    cell: Cell
    runs: int
    """Every record, however it ended; what is not among the scores is in one of the next three."""
    scores: Spread
    """Of the runs that count, 0..1."""
    faulted: int
    interrupted: int
    unscored: int
    """Runs that ended, but no check of any weight could be run on what they left."""
    passed: int
    checks_not_run: int
    """Checks without a score, in the runs that count."""
    simulated: int
    seconds: Spread
    """Durations of the sessions of the runs that count."""
    cost_usd: float | None
    """Of all sessions with a known price, those of faulted runs too; None when there is none."""
    unpriced: int
    """Sessions whose price is not known and so not part of `cost_usd`."""
    tasks: frozenset[Task]
    """More than one when the scenario was changed between the runs that count."""


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
    return tuple(group(cells[cell]) for cell in sorted(cells, key=_order))


def group(records: Sequence[RunRecord]) -> Group:
    """The numbers of at least one run, all of one cell."""
    inside = [record for record in records if counts(record)]
    outside = [record.status for record in records if not counts(record)]
    sessions = [record.session for record in records if record.session]
    costs = [session.cost_usd for session in sessions if session.cost_usd is not None]
    faulted, interrupted = outside.count("faulted"), outside.count("interrupted")
    return Group(
        cell=records[0].cell,
        runs=len(records),
        scores=spread([r.total_score for r in inside if r.total_score is not None]),
        faulted=faulted,
        interrupted=interrupted,
        unscored=len(outside) - faulted - interrupted,
        passed=sum(record.passed for record in inside),
        checks_not_run=sum(check.score is None for r in inside for check in r.checks),
        simulated=sum(record.simulated for record in records),
        seconds=spread([r.session.duration_s for r in inside if r.session]),
        cost_usd=round(math.fsum(costs), PRECISION) if costs else None,
        unpriced=len(sessions) - len(costs),
        tasks=frozenset(_task(record) for record in inside),
    )


def _order(cell: Cell) -> tuple[str, ...]:
    ref = cell.specialist
    who = (ref.name, ref.version, ref.digest) if ref else ()
    return (cell.suite, cell.scenario, cell.tier, cell.agent, cell.model or "", *who)


def _task(record: RunRecord) -> Task:
    transcript = record.session.transcript if record.session else ()
    return Task(
        fixture=record.tree.base if record.tree else "",
        prompt=next((entry.text for entry in transcript if entry.role is Role.USER), ""),
        threshold=record.threshold,
        checks=tuple((c.name, c.kind, c.weight, c.required) for c in record.checks),
        definition=record.task_digest,
    )
