"""A store and artefacts in memory, held to the same contract as the real ones."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from harness.domain.artifact import Artifact
from harness.domain.digests import bytes_digest, text_digest
from harness.domain.ids import BatchId, Digest, RunId
from harness.domain.judgement import Judgement, Mark, Review
from harness.domain.outline import Outline, outline_of
from harness.domain.record import Batch, Cell, CheckResult, Control, RunRecord
from harness.domain.session import Ending, Session
from harness.errors import StoreFault
from harness.store.base import GRADED, SPOILED, Claim, Planned, References, Spent, Wanted, settles
from harness.store.codec import decode, digests_in, encode
from harness.store.refusals import (
    no_batch,
    no_run,
    settled,
    several_batches,
    several_runs,
    taken,
)

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def a_cell(scenario: str = "slots", tier: str = "L1", agent: str = "echo") -> Cell:
    """A cell that differs from others in what the test is about."""
    return Cell(suite="core", scenario=scenario, tier=tier, agent=agent)


def a_record(run: str = "run_1", *, cell: Cell | None = None, minute: int = 0) -> RunRecord:
    """A run of batch `b` that passed with 0.75, begun `minute` minutes after noon."""
    checks = (CheckResult("test", "test", 0.75, 1.0, required=False),)
    return RunRecord(
        id=RunId(run),
        batch=BatchId("b"),
        cell=cell or a_cell(),
        iteration=1,
        spec_digest=text_digest("spec"),
        task_digest=text_digest("task"),
        started_at=NOON + timedelta(minutes=minute),
        finished_at=NOON + timedelta(minutes=minute + 1),
        threshold=0.7,
        simulated=True,
        session=Session(Ending.FINISHED, 60.0),
        checks=checks,
        total_score=0.75,
        passed=True,
    )


def a_review(
    run: str = "run_1", by: str = "ann", *, minute: int = 0, scores: Sequence[float] = (4, 5)
) -> Review:
    """What a person thinks of a run, in categories A, B, …; a name with a colon is a model's."""
    marks = tuple(Mark(chr(ord("A") + n), 1.0, score) for n, score in enumerate(scores))
    total = sum(mark.score - 1 for mark in marks) / (4 * len(marks))
    judgement = Judgement((by,), ":" not in by, text_digest("rubric"), total, marks)
    return Review(RunId(run), NOON + timedelta(minutes=minute), judgement)


class MemoryStore:
    """Everything in dictionaries; documents pass through the codec as in a real store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began: dict[BatchId, datetime] = {}
        self._planned: dict[BatchId, list[Planned]] = {}
        self._runs: dict[RunId, str] = {}
        self._settled: dict[tuple[BatchId, Cell, int], RunId] = {}
        self._claims: dict[tuple[BatchId, Cell, int], Claim] = {}
        self._controls: dict[Digest, Control] = {}
        self._reviews: list[str] = []

    def plan(self, batch: BatchId, wanted: Sequence[Wanted], now: datetime) -> Sequence[Planned]:
        """Reserve runs in memory."""
        with self._lock:
            self._began.setdefault(batch, now)
            planned = self._planned.setdefault(batch, [])
            before = len(planned)
            for want in wanted:
                highest = max((p.iteration for p in planned if p.cell == want.cell), default=0)
                planned += [
                    Planned(want.cell, highest + n, want.spec_digest, want.settings)
                    for n in range(1, want.count + 1)
                ]
            return tuple(planned[before:])

    def forget(self, batch: BatchId) -> None:
        """Drop what was planned, unless a run of it is stored."""
        with self._lock:
            claimed = any(claim.batch == batch for claim in self._claims.values())
            if not claimed and not self.runs(batch):
                self._planned.pop(batch, None)
                self._began.pop(batch, None)

    def save(self, record: RunRecord) -> None:
        """Keep a run in memory."""
        document = encode(record)
        with self._lock:
            if record.id in self._runs:
                raise taken(record.id)
            key = (record.batch, record.cell, record.iteration)
            if settles(record):
                result = self._result(*key)
                if result and self._is_planned(*key):
                    raise settled(record, result)
                self._settled[key] = result or record.id
            self._claims.pop(key, None)
            self._began.setdefault(record.batch, record.started_at)
            self._runs[record.id] = document

    def run(self, prefix: str) -> RunRecord:
        """The run whose id is or begins with `prefix`."""
        ids = sorted(run for run in self._runs if run.startswith(prefix))
        if not ids:
            raise no_run(prefix, [record.id for record in self.runs()])
        if len(ids) > 1 and ids[0] != prefix:
            raise several_runs(prefix, ids)
        return decode(RunRecord, self._runs[ids[0]])

    def runs(self, batch: BatchId | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """The first runs of a batch, or the latest of all."""
        every = (decode(RunRecord, document) for document in list(self._runs.values()))
        found = [record for record in every if batch in {None, record.batch}]
        found.sort(key=lambda record: (record.started_at, record.id), reverse=batch is None)
        return tuple(found[:limit])

    def further(self, batch: BatchId, known: AbstractSet[RunId], limit: int) -> Sequence[RunRecord]:
        """The first runs of a batch beyond those."""
        return tuple(run for run in self.runs(batch) if run.id not in known)[:limit]

    def each(self, batch: BatchId | None = None) -> Iterator[RunRecord]:
        """The runs of a batch, or all, one after another."""
        return iter(self.runs(batch))

    def outlines(self, batch: BatchId) -> Sequence[Outline]:
        """The runs of a batch without their documents."""
        return tuple(outline_of(record) for record in self.runs(batch))

    def batch(self, batch: BatchId) -> Batch:
        """A batch and how far it is."""
        waits = self.missing(batch)
        planned = len(self._planned.get(batch, ()))
        return Batch(batch, self._began[batch], planned, finished=not waits)

    def batch_by_prefix(self, prefix: str) -> Batch:
        """The batch whose id is or begins with `prefix`."""
        ids = sorted(batch for batch in self._began if batch.startswith(prefix))
        if not ids:
            raise no_batch(prefix, self._newest())
        if len(ids) > 1 and ids[0] != prefix:
            raise several_batches(prefix, ids)
        return self.batch(ids[0])

    def batches(self, limit: int | None = None) -> Sequence[Batch]:
        """Batches, newest first."""
        return tuple(self.batch(batch) for batch in self._newest()[:limit])

    def missing(self, batch: BatchId) -> Sequence[Planned]:
        """Planned runs that no record has settled."""
        if batch not in self._began:
            raise no_batch(batch, self._newest())
        spoiled = [r for r in self.runs(batch) if r.cause in SPOILED]
        faults = Counter((record.cell, record.iteration) for record in spoiled)
        return tuple(
            replace(planned, faults=faults[planned.cell, planned.iteration])
            for planned in self._planned.get(batch, ())
            if not self._result(batch, planned.cell, planned.iteration)
        )

    def claim(
        self,
        batch: BatchId,
        planned: Planned,
        owner: str,
        now: datetime,
        until: datetime,
        alive: Callable[[str], bool],
    ) -> bool:
        """Take a planned run in memory."""
        key = (batch, planned.cell, planned.iteration)
        with self._lock:
            if self._result(*key) or not self._is_planned(*key):
                return False
            held = self._claims.get(key)
            if held and held.until > now and alive(held.owner):
                return False
            self._claims[key] = Claim(*key, owner, until)
        return True

    def renew(self, owner: str, until: datetime) -> int:
        """Let an owner's claims hold on."""
        with self._lock:
            own = {key: held for key, held in self._claims.items() if held.owner == owner}
            self._claims |= {key: replace(held, until=until) for key, held in own.items()}
        return len(own)

    def release(self, batch: BatchId, planned: Planned, owner: str) -> None:
        """Give a claim back unless it is another's by now."""
        key = (batch, planned.cell, planned.iteration)
        with self._lock:
            if key in self._claims and self._claims[key].owner == owner:
                del self._claims[key]

    def claims(self, batch: BatchId) -> Sequence[Claim]:
        """Who makes what of a batch."""
        keys = [
            (batch, planned.cell, planned.iteration) for planned in self._planned.get(batch, ())
        ]
        return tuple(self._claims[key] for key in keys if key in self._claims)

    def like(self, spec: Digest, iteration: int | None = None) -> RunRecord | None:
        """The newest graded run of a spec."""
        return next(
            (
                record
                for record in self.runs()
                if record.spec_digest == spec
                and iteration in {None, record.iteration}
                and record.cause in {None, *GRADED}
            ),
            None,
        )

    def spent(self, batch: BatchId) -> Spent:
        """What a batch's runs took, added up."""
        return _spent(self.runs(batch))

    def spent_since(self, when: datetime) -> Spent:
        """The same of all runs that ended since then."""
        ended = (record for record in self.runs() if record.finished_at >= when)
        return _spent([run for run in ended if not (run.simulated and run.cell.model)])

    def control(self, key: Digest) -> Control | None:
        """The grade of an untouched fixture, when it is known."""
        return self._controls.get(key)

    def save_control(self, control: Control) -> None:
        """Keep a control unless its key has one."""
        self._controls.setdefault(control.key, control)

    def save_review(self, review: Review) -> None:
        """Add a judgement to a run in memory."""
        document = encode(review)
        with self._lock:
            if review.run not in self._runs:
                raise no_run(review.run, [record.id for record in self.runs()])
            self._reviews.append(document)

    def reviews(self, run: RunId | None = None) -> Sequence[Review]:
        """The judgements of a run, or of all, in the order they were made."""
        every = (decode(Review, document) for document in list(self._reviews))
        return tuple(
            sorted((r for r in every if run in {None, r.run}), key=lambda r: (r.at, r.run))
        )

    def _result(self, batch: BatchId, cell: Cell, iteration: int) -> RunId | None:
        """The run that settled a planned one, unless a test has taken it away."""
        run = self._settled.get((batch, cell, iteration))
        return run if run in self._runs else None

    def _is_planned(self, batch: BatchId, cell: Cell, iteration: int) -> bool:
        known = self._planned.get(batch, ())
        return any((p.cell, p.iteration) == (cell, iteration) for p in known)

    def references(self) -> References:
        """Looked for in every document in memory."""
        with self._lock:
            documents = [*self._runs.values(), *self._reviews]
            documents += [encode(control) for control in self._controls.values()]
            digests = frozenset(d for document in documents for d in digests_in(document))
            return References(frozenset(self._runs), digests)

    def _newest(self) -> list[BatchId]:
        return sorted(self._began, key=lambda batch: (self._began[batch], batch), reverse=True)


class MemoryArtifacts:
    """Content by digest, in a dictionary."""

    def __init__(self) -> None:
        self._content: dict[Digest, bytes] = {}

    def put(self, name: str, data: bytes) -> Artifact:
        """Keep `data` in memory."""
        artifact = Artifact(name, bytes_digest(data), len(data))
        self._content[artifact.digest] = data
        return artifact

    def get(self, artifact: Artifact) -> bytes:
        """What was kept; raises StoreFault for what was not."""
        try:
            return self._content[artifact.digest]
        except KeyError as error:
            raise StoreFault(f"the artefact {artifact.name!r} was never kept here") from error


def _spent(records: Sequence[RunRecord]) -> Spent:
    uses = [use for record in records for use in record.drawn]
    costs = [use.least_usd if use.cost_usd is None else use.cost_usd for use in uses]
    return Spent(
        usd=None if any(use.cost_usd is None for use in uses) else sum(costs),
        least_usd=sum(costs),
        tokens=sum(use.usage.total for use in uses),
    )
