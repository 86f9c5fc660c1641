"""What a plan would cost and take, as far as stored runs say; what none of them says is unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heapreplace

from harness.domain.artifact import Artifact
from harness.domain.model import Budget, ModelUse
from harness.domain.record import Cell, RunRecord
from harness.stats.moments import mean

WAITING = "wait"
"""The stage in which a run only waits for a place, of which a batch has its own number."""
WORK = "work"


class Basis(StrEnum):
    """Which stored runs an estimate rests on."""

    CELL = "cell"
    SCENARIO = "scenario"
    """The agent and its model, on the scenario."""
    AGENT = "agent"
    """The agent and its model, on anything."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Runs of a cell that are to be made."""

    cell: Cell
    runs: int
    is_simulated: bool
    """A script works: what models took says nothing about it."""
    asks: bool = True
    """A model takes part: as agent, as user or as judge."""
    budget: Budget = field(default_factory=Budget)
    """What the agent's model may use in one run."""
    reused: int = 0
    """How many of the runs another batch has already made."""

    @property
    def made(self) -> int:
        """How many are still to be made."""
        return self.runs - self.reused


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run takes; None is not known."""

    cost_usd: float | None = None
    """All that is paid: agent, user and judges."""
    tokens: float | None = None
    """What the batch's budget counts."""
    seconds: float | None = None
    """From the beginning of the agent's work to the grade, without waiting for a place."""
    kept_bytes: float | None = None
    """Of artefacts, before they are compressed."""


@dataclass(frozen=True, slots=True)
class CellForecast:
    """What a run of a cell would take, and how many stored runs say so."""

    wish: Wish
    each: Taken
    basis: Basis | None = None
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Sum:
    """A total over the runs of which it is known."""

    value: float
    runs: int
    missing: int
    """Runs of which it is not."""

    @property
    def known(self) -> float | None:
        """The total, if anything of it is known."""
        return self.value if self.runs else None


@dataclass(frozen=True, slots=True)
class Forecast:
    """A whole plan."""

    cells: tuple[CellForecast, ...]
    jobs: int

    @property
    def planned(self) -> int:
        """How many runs it has."""
        return sum(cell.wish.runs for cell in self.cells)

    @property
    def made(self) -> int:
        """How many of them are still to be made: what everything here is about."""
        return sum(cell.wish.made for cell in self.cells)

    def total(self, name: str) -> Sum:
        """The sum of one field of `Taken`."""
        found = [(getattr(cell.each, name), cell.wish.made) for cell in self.cells]
        known = [(value, runs) for value, runs in found if value is not None]
        return Sum(
            math.fsum(value * runs for value, runs in known),
            sum(runs for _, runs in known),
            sum(runs for value, runs in found if value is None),
        )

    def wall_s(self) -> Sum:
        """How long the runs take whose time is known, so many at once in planned order."""
        ends = [0.0] * max(1, self.jobs)
        for seconds in self._in_order():
            heapreplace(ends, ends[0] + seconds)
        whole = self.total("seconds")
        return Sum(max(ends), whole.runs, whole.missing)

    def _in_order(self) -> Iterator[float]:
        timed = [(c.each.seconds, c.wish.made) for c in self.cells if c.each.seconds is not None]
        for turn in range(max((runs for _, runs in timed), default=0)):
            yield from (seconds for seconds, runs in timed if turn < runs)


def forecast(wishes: Iterable[Wish], records: Iterable[RunRecord], jobs: int = 1) -> Forecast:
    """The plan by what is stored: by runs of the cell, else of its agent on the scenario, else all.

    Runs that a fault or a person ended say nothing, nor does a script about a model.
    """
    known: dict[tuple[object, ...], list[Taken]] = {}
    for record in records:
        if record.session is None or record.fault is not None or record.reused:
            continue
        taken = _taken(record)
        for key in _keys(record.cell, is_simulated=record.simulated):
            known.setdefault(key, []).append(taken)
    return Forecast(tuple(_cell(wish, known) for wish in wishes), jobs)


def _keys(cell: Cell, *, is_simulated: bool) -> tuple[tuple[object, ...], ...]:
    """What runs are alike by, the likest first."""
    who = (is_simulated, cell.agent, cell.model)
    place = (*who, cell.suite, cell.scenario)
    worn = cell.specialist and (cell.specialist.name, cell.specialist.version)
    return ((*place, cell.tier, worn), place, who)


def _cell(wish: Wish, known: dict[tuple[object, ...], list[Taken]]) -> CellForecast:
    for basis, key in zip(Basis, _keys(wish.cell, is_simulated=wish.is_simulated), strict=True):
        if samples := known.get(key):
            return CellForecast(wish, _mean(samples, wish), basis, len(samples))
    nothing = None if wish.asks else 0.0
    return CellForecast(wish, Taken(cost_usd=nothing, tokens=nothing))


def _mean(samples: Sequence[Taken], wish: Wish) -> Taken:
    def of(values: Iterable[float | None], most: float | None = None) -> float | None:
        found = [v if most is None else min(v, most) for v in values if v is not None]
        return mean(found) if found else None

    if not wish.asks:
        return Taken(0.0, 0.0, of(s.seconds for s in samples), of(s.kept_bytes for s in samples))
    return Taken(
        of((s.cost_usd for s in samples), wish.budget.usd),
        of((s.tokens for s in samples), wish.budget.tokens),
        of(s.seconds for s in samples),
        of(s.kept_bytes for s in samples),
    )


def _taken(record: RunRecord) -> Taken:
    session = record.session
    drawn = record.drawn
    cost_usd = _cost(drawn)
    if session and session.model_use is None and not record.simulated:
        # nobody metered the agent: what the record says of it is all there is
        own = session.cost_usd
        cost_usd = None if own is None or cost_usd is None else own + cost_usd
    return Taken(
        cost_usd=cost_usd,
        tokens=sum(use.usage.total for use in drawn),
        seconds=_seconds(record),
        kept_bytes=sum(artifact.size_bytes for artifact in _artifacts(record)),
    )


def _cost(uses: Iterable[ModelUse]) -> float | None:
    costs = [use.cost_usd for use in uses if use.requests]
    known = [cost for cost in costs if cost is not None]
    return math.fsum(known) if len(known) == len(costs) else None


def _seconds(record: RunRecord) -> float:
    """From the work on: what comes before is done once for many runs."""
    stages = [name for name, _ in record.stages_s]
    if WORK not in stages:
        return (record.finished_at - record.started_at).total_seconds()
    own = record.stages_s[stages.index(WORK) :]
    return math.fsum(took_s for name, took_s in own if name != WAITING)


def _artifacts(record: RunRecord) -> Iterator[Artifact]:
    """Everything that is kept beside the record, each content once."""
    session = record.session
    found = [
        *((session.log, session.recording) if session else ()),
        record.application.prompt if record.application else None,
        *(command.output for command in record.commands),
        *(artifact for check in record.checks for artifact in check.artifacts),
        *(a for check in record.checks if check.judgement for a in check.judgement.artifacts),
    ]
    yield from {artifact.digest: artifact for artifact in found if artifact}.values()
