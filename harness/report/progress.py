"""How far a batch is, from its stored runs and from what running commands say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest

from harness.domain.ids import BatchId, RunId
from harness.domain.record import Cell, RunRecord
from harness.report.documents import Document, named
from harness.report.outcome import Key, Outcome, is_settled, key_of, let_stand, outcome, why
from harness.report.reused import made
from harness.report.stats import cell_order, spread, totals
from harness.store.base import Planned
from harness.store.codec import cell_key

SLOWEST = 3
FAILING = 5


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A run that somebody makes now."""

    run: RunId
    cell: Cell
    iteration: int
    began_at: datetime
    stage: str = "plan"
    said: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that works on a batch, as it tells of itself."""

    owner: str
    batch: BatchId
    began_at: datetime
    told_at: datetime
    runs: int = 0
    """How many it set out to make."""
    jobs: int = 0
    ended: int = 0
    halt: str | None = None
    why: str = ""
    under_way: tuple[UnderWay, ...] = ()


@dataclass(frozen=True, slots=True)
class Glance:
    """What of a stored run is seen from afar."""

    id: RunId
    cell: Cell
    iteration: int
    outcome: Outcome
    settled: bool
    score: float | None
    why: str
    took_s: float


@dataclass(slots=True)
class Standing:
    """The tries that stand, and what all tries cost: it was paid for."""

    tries: dict[Key, Glance] = field(default_factory=dict)
    cost_usd: float | None = None
    unpriced: int = 0

    def add(self, runs: Sequence[RunRecord]) -> None:
        """Take in further runs, in the order they began."""
        for run in runs:
            let_stand(self.tries, key_of(run), glance(run), lambda seen: seen.settled)
        used = totals(made(runs))
        self.unpriced += used.unpriced
        if used.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + used.cost_usd


def glance(run: RunRecord) -> Glance:
    """A stored run, without all that a large batch has no room for."""
    found = outcome(run)
    return Glance(
        id=run.id,
        cell=run.cell,
        iteration=run.iteration,
        outcome=found,
        settled=is_settled(run),
        score=None if run.partly_graded else run.total_score,
        why="" if found is Outcome.PASSED else why(run),
        took_s=took_s(run),
    )


@dataclass(slots=True)
class Tally:
    """Planned runs by state; each is in one."""

    passed: int = 0
    failed: int = 0
    faulted: int = 0
    under_way: int = 0
    waiting: int = 0

    @property
    def planned(self) -> int:
        """All of them."""
        return self.passed + self.failed + self.faulted + self.under_way + self.waiting

    @property
    def done(self) -> int:
        """Those that have a result, if only a fault."""
        return self.passed + self.failed + self.faulted


@dataclass(slots=True)
class CellProgress:
    """One cell's runs."""

    cell: Cell
    tally: Tally = field(default_factory=Tally)
    scores: list[float] = field(default_factory=list)
    why: Counter[str] = field(default_factory=Counter)
    """What was said of runs that did not pass, and how often."""


@dataclass(frozen=True, slots=True)
class Progress:
    """All that somebody sees who looks on."""

    batch: BatchId
    at: datetime
    finished: bool
    tally: Tally
    cells: tuple[CellProgress, ...]
    commands: tuple[Command, ...]
    runs_per_min: float | None
    left_s: float | None
    cost_usd: float | None
    unpriced: int
    slowest: tuple[Glance, ...]

    @property
    def under_way(self) -> tuple[UnderWay, ...]:
        """The runs under way, the oldest first."""
        runs = (run for command in self.commands for run in command.under_way)
        return tuple(sorted(runs, key=lambda run: run.began_at))

    @property
    def failing(self) -> tuple[CellProgress, ...]:
        """The cells with most runs that did not pass."""
        bad = [cell for cell in self.cells if cell.tally.failed or cell.tally.faulted]
        bad.sort(key=lambda cell: -(cell.tally.failed + cell.tally.faulted))
        return tuple(bad[:FAILING])


def rate(elapsed_s: float, ended: int, under_way: int) -> float | None:
    """Runs in a second; those under way are half done. None until one has ended."""
    return (ended + under_way / 2) / elapsed_s if ended and elapsed_s > 0 else None


def progress_of(
    batch: BatchId,
    standing: Standing,
    missing: Mapping[Key, Planned],
    commands: Sequence[Command],
    now: datetime,
) -> Progress:
    """Count every planned run once; `missing` is what is planned and not settled."""
    stand = standing.tries
    under_way = {
        (cell_key(run.cell), run.iteration) for command in commands for run in command.under_way
    }
    cells: dict[str, CellProgress] = {}
    for key, run in stand.items():
        # an earlier try of a run that is made again says nothing about it
        if run.settled or (key not in under_way and run.outcome is Outcome.FAULTED):
            _count(_at(cells, key, run.cell), run)
    for key, plan in missing.items():
        tally = _at(cells, key, plan.cell).tally
        if key in under_way:
            tally.under_way += 1
        elif key not in stand or stand[key].outcome is Outcome.INTERRUPTED:
            tally.waiting += 1
    return Progress(
        batch=batch,
        at=now,
        finished=not missing,
        tally=_sum(cell.tally for cell in cells.values()),
        cells=tuple(sorted(cells.values(), key=lambda each: cell_order(each.cell))),
        commands=tuple(commands),
        runs_per_min=_per_min(commands, now),
        left_s=_left_s(commands, len(missing), _speed(commands, now)),
        cost_usd=standing.cost_usd,
        unpriced=standing.unpriced,
        slowest=tuple(nlargest(SLOWEST, stand.values(), key=lambda run: run.took_s)),
    )


def still_missing(missing: Mapping[Key, Planned], standing: Standing) -> dict[Key, Planned]:
    """The planned runs that no settled try stands for."""
    stand = standing.tries
    return {
        key: plan for key, plan in missing.items() if key not in stand or not stand[key].settled
    }


def took_s(run: RunRecord) -> float:
    """How long a run took on the clock on the wall."""
    return (run.finished_at - run.started_at).total_seconds()


def _at(cells: dict[str, CellProgress], key: Key, cell: Cell) -> CellProgress:
    return cells.setdefault(key[0], CellProgress(cell))


def _count(cell: CellProgress, run: Glance) -> None:
    if run.score is not None:
        cell.scores.append(run.score)
    match run.outcome:
        case Outcome.PASSED:
            cell.tally.passed += 1
            return
        case Outcome.FAILED:
            cell.tally.failed += 1
        case _:
            cell.tally.faulted += 1
    cell.why[run.why] += 1


def _sum(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for tally in tallies:
        for name in ("passed", "failed", "faulted", "under_way", "waiting"):
            setattr(whole, name, getattr(whole, name) + getattr(tally, name))
    return whole


def _speed(commands: Sequence[Command], now: datetime) -> float | None:
    """Of all commands together, each since it began."""
    found = [
        rate((now - command.began_at).total_seconds(), command.ended, len(command.under_way))
        for command in commands
    ]
    known = [speed for speed in found if speed is not None]
    return sum(known) if known else None


def _per_min(commands: Sequence[Command], now: datetime) -> float | None:
    """Runs that have ended, none of them half."""
    found = [
        60 * command.ended / elapsed_s
        for command in commands
        if command.ended and (elapsed_s := (now - command.began_at).total_seconds()) > 0
    ]
    return sum(found) if found else None


def _left_s(commands: Sequence[Command], missing: int, speed: float | None) -> float | None:
    """How long what the commands set out to make still takes them."""
    if speed is None:
        return None
    left = sum(command.runs - command.ended - len(command.under_way) / 2 for command in commands)
    # two commands may have set out to make the same runs
    half = sum(len(command.under_way) for command in commands) / 2
    return max(0.0, min(left, missing - half)) / speed


def progress_document(progress: Progress) -> Document:
    """The same for programs."""
    return {
        "batch_id": progress.batch,
        "at": progress.at.isoformat(),
        "finished": progress.finished,
        "states": _tally(progress.tally),
        "runs_per_min": progress.runs_per_min and round(progress.runs_per_min, 3),
        "left_s": progress.left_s and round(progress.left_s, 1),
        "cost_usd": progress.cost_usd,
        "unpriced": progress.unpriced,
        "commands": [
            {
                "owner": command.owner,
                "began_at": command.began_at.isoformat(),
                "told_at": command.told_at.isoformat(),
                "runs": command.runs,
                "jobs": command.jobs,
                "ended": command.ended,
                "halt": command.halt,
                "why": command.why or None,
            }
            for command in progress.commands
        ],
        "under_way": [
            {
                "run_id": run.run,
                **named(run.cell),
                "iteration": run.iteration,
                "stage": run.stage,
                "said": run.said or None,
                "began_at": run.began_at.isoformat(),
                "for_s": round((progress.at - run.began_at).total_seconds(), 1),
            }
            for run in progress.under_way
        ],
        "cells": [
            {
                **named(cell.cell),
                "states": _tally(cell.tally),
                "mean_total_score": spread(cell.scores).mean,
            }
            for cell in progress.cells
        ],
        "slowest": [
            {"run_id": run.id, **named(run.cell), "iteration": run.iteration, "took_s": run.took_s}
            for run in progress.slowest
        ],
        "failing": [
            {
                **named(cell.cell),
                "failed": cell.tally.failed,
                "faulted": cell.tally.faulted,
                "why": [{"said": said, "runs": runs} for said, runs in cell.why.most_common()],
            }
            for cell in progress.failing
        ],
    }


def _tally(tally: Tally) -> dict[str, int]:
    return {
        "planned": tally.planned,
        "done": tally.done,
        "passed": tally.passed,
        "failed": tally.failed,
        "faulted": tally.faulted,
        "under_way": tally.under_way,
        "waiting": tally.waiting,
    }
