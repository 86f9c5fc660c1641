"""The numbers of a group of runs: what is in the mean, what is not, and what it all cost.

A run is in the mean when it has a whole grade and its row of `failures.TABLE` says that it counts.
Everything else is counted beside the mean, never as a zero in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from harness.domain.failures import TABLE
from harness.domain.model import Usage, total_usage
from harness.domain.outline import Run
from harness.domain.record import Cell, Grader
from harness.store.base import RETRIED

R = TypeVar("R", bound=Run)


class OfACell(Protocol):
    """A run, in whatever form."""

    @property
    def cell(self) -> Cell:
        """Who did what."""
        ...


W = TypeVar("W", bound=OfACell)

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
    threshold: float
    checks: tuple[Grader, ...]
    definition: str


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one cell, in numbers."""

    cell: Cell
    runs: int
    """However they ended; what is not among the scores is in one of the next four."""
    scores: Spread
    """Of the runs that count, 0..1."""
    faulted: int
    interrupted: int
    unscored: int
    """Runs that ended, but no check of any weight could be run on what they left."""
    partly_graded: int
    """Runs of which an evaluator broke down: their total is of the other checks."""
    passed: int
    retried: int
    """Tries at these runs that did not end well and were made good: in no count but the cost."""
    checks_not_run: int
    """Checks without a score, in the runs that count."""
    simulated: int
    seconds: Spread
    """Durations of the sessions of the runs that count."""
    cost_usd: float | None
    """Of all sessions with a known price, those of faulted runs too; None when there is none."""
    unpriced: int
    """Sessions that no simulation played whose price is not known: not part of `cost_usd`."""
    tasks: frozenset[Task]
    """More than one when the scenario was changed between the runs that count."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What some sessions used together; None where none of them says."""

    usage: Usage | None
    cost_usd: float | None
    unpriced: int
    """Sessions that no simulation played whose price is not known: not part of `cost_usd`."""


def counts(run: Run) -> bool:
    """Whether the run's score is part of a mean."""
    if run.total_score is None or run.partly_graded:
        return False
    why = run.cause
    return why is None or TABLE[why].counts


def standing(runs: Sequence[R]) -> tuple[R, ...]:
    """The runs without the tries that another record of the same planned run has made good."""
    spoiled = [run.cause in RETRIED for run in runs]
    if not any(spoiled):
        return tuple(runs)
    sorted_out = list(zip(runs, spoiled, strict=True))
    settled = {_planned(run) for run, was_spoiled in sorted_out if not was_spoiled}
    return tuple(
        r for r, was_spoiled in sorted_out if not was_spoiled or _planned(r) not in settled
    )


def totals(runs: Iterable[Run]) -> Totals:
    """What all sessions used, whether their runs count or not: it was paid for."""
    played = [run for run in runs if run.seconds is not None]
    usages = [usage for run in played if (usage := run.usage)]
    costs = [cost for run in played if (cost := run.cost_usd) is not None]
    return Totals(
        usage=total_usage(usages) if usages else None,
        cost_usd=round(math.fsum(costs), PRECISION) if costs else None,
        unpriced=sum(run.cost_usd is None and not run.simulated for run in played),
    )


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


def cell_order(cell: Cell) -> tuple[str, ...]:
    """By suite, scenario, tier and who worked: the order of every listing."""
    ref = cell.specialist
    who = (ref.name, ref.version, ref.digest) if ref else ()
    return (cell.suite, cell.scenario, cell.tier, cell.agent, cell.model or "", *who)


def by_cell(runs: Iterable[W]) -> dict[Cell, list[W]]:
    """The runs of each cell, in the order in which they come."""
    cells: dict[Cell, list[W]] = {}
    # most runs of a cell share one object, and to hash a cell takes longer than all the rest; held,
    # none of them can give its place to another
    known: dict[int, tuple[Cell, list[W]]] = {}
    for run in runs:
        cell = run.cell
        found = known.get(id(cell))
        if found is None:
            found = known[id(cell)] = (cell, cells.setdefault(cell, []))
        found[1].append(run)
    return cells


def group_by_cell(runs: Iterable[Run]) -> tuple[Group, ...]:
    """One group per cell, by suite, scenario, tier and who worked."""
    cells = by_cell(runs)
    return tuple(group(cells[cell]) for cell in sorted(cells, key=cell_order))


def group(records: Sequence[Run]) -> Group:
    """The numbers of at least one run, all of one cell."""
    runs = standing(records)
    inside = [run for run in runs if counts(run)]
    outside = [_outside(run) for run in runs if not counts(run)]
    used = totals(records)
    return Group(
        cell=records[0].cell,
        runs=len(runs),
        scores=spread([r.total_score for r in inside if r.total_score is not None]),
        faulted=outside.count("faulted"),
        interrupted=outside.count("interrupted"),
        unscored=outside.count("unscored"),
        partly_graded=outside.count("partly graded"),
        passed=sum(run.passed for run in inside),
        retried=len(records) - len(runs),
        checks_not_run=sum(score is None for run in inside for score in run.check_scores),
        simulated=sum(run.simulated for run in runs),
        seconds=spread([seconds for run in inside if (seconds := run.seconds) is not None]),
        cost_usd=used.cost_usd,
        unpriced=used.unpriced,
        tasks=frozenset(_tasks(inside)),
    )


def _outside(run: Run) -> str:
    if run.status in {"faulted", "interrupted"}:
        return run.status
    return "partly graded" if run.partly_graded else "unscored"


def _planned(run: Run) -> tuple[str, Cell, int]:
    return run.batch, run.cell, run.iteration


def _tasks(runs: Iterable[Run]) -> Iterator[Task]:
    """Each that is not the one before it: the runs of a cell hardly ever differ."""
    last = None
    for run in runs:
        task = run.fixture, run.threshold, run.graders, run.task_digest
        if task != last:
            last = task
            yield Task(*task)
