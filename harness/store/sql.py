"""The store in words that every SQL database understands; the engine is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Self, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy import exc as sql_errors

from harness.domain.ids import BatchId, Digest, RunId
from harness.domain.judgement import Review
from harness.domain.record import Batch, Cell, Control, RunRecord
from harness.errors import StoreFault
from harness.store.base import RETRIED, Planned, References, Wanted, cause
from harness.store.codec import MISREAD, cell_key, decode, digests_in, encode, timestamp
from harness.store.refusals import FEW, no_batch, no_run, several_batches, several_runs, taken
from harness.store.schema import BATCHES, CHECKS, CONTROLS, PLANNED, REVIEWS, RUNS

T = TypeVar("T")

WRITES = "mintmark_writes"
"""The execution option of a transaction that will write: the engine may lock at its beginning."""

FETCHED = 500
"""So many documents are held at once where all are looked through."""

RECENT = 1000
"""Among how many ids a near one is looked for."""


class SqlStore:
    """One database; threads may share it, and any number of processes may have it open."""

    def __init__(
        self, engine: Engine, where: str, advice: Callable[[sql_errors.DBAPIError], str]
    ) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self._where = where
        self._advice = advice

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def plan(self, batch: BatchId, wanted: Sequence[Wanted], now: datetime) -> Sequence[Planned]:
        """Reserve runs; whoever holds the batch's row alone may count on from its highest."""
        with self._writing(f"plan batch {batch!r}") as db:
            _claim_batch(db, batch, now)
            position = _after(db, PLANNED.c.position, PLANNED.c.batch == batch)
            reserved: list[Planned] = []
            rows: list[Mapping[str, object]] = []
            highest: dict[str, int] = {}
            for want in wanted:
                key = cell_key(want.cell)
                if key not in highest:
                    of_cell = and_(PLANNED.c.batch == batch, PLANNED.c.cell == key)
                    highest[key] = _after(db, PLANNED.c.iteration, of_cell) - 1
                for _ in range(want.count):
                    highest[key] += 1
                    run = Planned(want.cell, highest[key], want.spec_digest, want.settings)
                    rows.append(_planned_row(batch, position + len(rows), key, run))
                    reserved.append(run)
            if rows:
                db.execute(insert(PLANNED), rows)
        return tuple(reserved)

    def forget(self, batch: BatchId) -> None:
        """Drop what was planned, unless a run of it is stored."""
        none_ran = ~exists().where(RUNS.c.batch == batch)
        with self._writing(f"forget batch {batch!r}") as db:
            db.execute(delete(PLANNED).where(PLANNED.c.batch == batch, none_ran))
            db.execute(delete(BATCHES).where(BATCHES.c.id == batch, none_ran))

    def save(self, record: RunRecord) -> None:
        """Keep a finished run in one transaction."""
        run, checks = _run_row(record), _check_rows(record)
        with self._writing(f"store run {record.id!r}") as db:
            _claim_batch(db, record.batch, record.started_at)
            try:
                db.execute(insert(RUNS).values(run))
            except sql_errors.IntegrityError as error:
                raise taken(record.id) from error
            if checks:
                db.execute(insert(CHECKS), checks)

    def run(self, prefix: str) -> RunRecord:
        """The run whose id is or begins with `prefix`."""
        with self._reading(f"find run {prefix!r}") as db:
            ids = db.scalars(_beginning(RUNS.c.id, prefix)).all()
            if not ids:
                raise no_run(prefix, db.scalars(_newest(RUNS.c.id, RUNS.c.started_at)).all())
            if len(ids) > 1 and ids[0] != prefix:
                raise several_runs(prefix, ids)
            document = db.scalars(select(RUNS.c.document).where(RUNS.c.id == ids[0])).one()
        return self._read(RunRecord, document, f"run {ids[0]!r}")

    def runs(self, batch: BatchId | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """The first runs of a batch, or the latest of all."""
        order = (RUNS.c.started_at, RUNS.c.id)
        query = select(RUNS.c.id, RUNS.c.document).limit(limit)
        if batch is None:
            query = query.order_by(*(column.desc() for column in order))
        else:
            query = query.where(RUNS.c.batch == batch).order_by(*order)
        with self._reading("list runs") as db:
            rows = db.execute(query).all()
        return tuple(self._read(RunRecord, row.document, f"run {row.id!r}") for row in rows)

    def batch(self, batch: BatchId) -> Batch:
        """A batch and how far it is."""
        with self._reading(f"find batch {batch!r}") as db:
            _check_batch(db, batch)
            return _batches(db, _BATCHES.where(BATCHES.c.id == batch))[0]

    def batch_by_prefix(self, prefix: str) -> Batch:
        """The batch whose id is or begins with `prefix`."""
        with self._reading(f"find batch {prefix!r}") as db:
            ids = db.scalars(_beginning(BATCHES.c.id, prefix)).all()
            if not ids:
                newest = _newest(BATCHES.c.id, BATCHES.c.created_at)
                raise no_batch(prefix, db.scalars(newest).all())
            if len(ids) > 1 and ids[0] != prefix:
                raise several_batches(prefix, ids)
            return _batches(db, _BATCHES.where(BATCHES.c.id == ids[0]))[0]

    def batches(self, limit: int | None = None) -> Sequence[Batch]:
        """Batches, newest first."""
        newest = _BATCHES.order_by(BATCHES.c.created_at.desc(), BATCHES.c.id.desc()).limit(limit)
        with self._reading("list batches") as db:
            return _batches(db, newest)

    def missing(self, batch: BatchId) -> Sequence[Planned]:
        """Planned runs that no record has settled."""
        query = select(PLANNED).where(PLANNED.c.batch == batch, ~_SETTLED)
        with self._reading(f"find what batch {batch!r} waits for") as db:
            _check_batch(db, batch)
            rows = db.execute(query.order_by(PLANNED.c.position)).all()
        return tuple(
            Planned(
                cell=self._read(Cell, row.cell, f"a planned run of batch {batch!r}"),
                iteration=row.iteration,
                spec_digest=row.spec_digest,
                settings=row.settings,
            )
            for row in rows
        )

    def control(self, key: Digest) -> Control | None:
        """The grade of an untouched fixture, when it is known."""
        query = select(CONTROLS.c.document).where(CONTROLS.c.key == key)
        with self._reading(f"find control {key!r}") as db:
            document = db.scalars(query).one_or_none()
        return None if document is None else self._read(Control, document, f"control {key!r}")

    def save_control(self, control: Control) -> None:
        """Keep a control unless its key has one."""
        row = {"key": control.key, "document": encode(control)}
        with self._writing(f"store control {control.key!r}") as db:
            if (
                db.execute(select(CONTROLS.c.key).where(CONTROLS.c.key == control.key)).first()
                is None
            ):
                db.execute(insert(CONTROLS).values(row))

    def save_review(self, review: Review) -> None:
        """Add a judgement; whoever holds the run's row alone gives it the next position."""
        row = _review_row(review)
        with self._writing(f"store a judgement of run {review.run!r}") as db:
            held = select(RUNS.c.id).where(RUNS.c.id == review.run).with_for_update()
            if db.execute(held).first() is None:
                newest = _newest(RUNS.c.id, RUNS.c.started_at)
                raise no_run(review.run, db.scalars(newest).all())
            position = _after(db, REVIEWS.c.position, REVIEWS.c.run == review.run)
            db.execute(insert(REVIEWS).values({**row, "position": position}))

    def reviews(self, run: RunId | None = None) -> Sequence[Review]:
        """The judgements of a run, or of all, in the order they were made."""
        query = select(REVIEWS.c.run, REVIEWS.c.document)
        if run is not None:
            query = query.where(REVIEWS.c.run == run)
        query = query.order_by(REVIEWS.c.made_at, REVIEWS.c.run, REVIEWS.c.position)
        with self._reading("list judgements") as db:
            rows = db.execute(query).all()
        return tuple(self._read(Review, r.document, f"a judgement of run {r.run!r}") for r in rows)

    def references(self) -> References:
        """One pass over every document; nothing is decoded."""
        with self._reading("see what is referred to") as db:
            runs = frozenset(RunId(run) for run in db.scalars(select(RUNS.c.id)))
            digests: set[str] = set()
            for column in (RUNS.c.document, CONTROLS.c.document, REVIEWS.c.document):
                for document in db.scalars(select(column).execution_options(yield_per=FETCHED)):
                    digests.update(digests_in(document))
        return References(runs, frozenset(digests))

    @contextmanager
    def _reading(self, doing: str) -> Iterator[Connection]:
        with self._faults(doing), self.engine.begin() as db:
            yield db

    @contextmanager
    def _writing(self, doing: str) -> Iterator[Connection]:
        with self._faults(doing), self._writer.begin() as db:
            yield db

    @contextmanager
    def _faults(self, doing: str) -> Iterator[None]:
        """The driver's exceptions as StoreFault; those that can only be our bug fly on."""
        try:
            yield
        except (
            sql_errors.IntegrityError,
            sql_errors.ProgrammingError,
            sql_errors.DataError,
            sql_errors.NotSupportedError,
        ):
            raise
        except sql_errors.DBAPIError as error:
            said = self._advice(error)
            raise StoreFault(f"could not {doing} in {self._where}: {error.orig}; {said}") from error

    def _read(self, kind: type[T], document: str, what: str) -> T:
        try:
            return decode(kind, document)
        except MISREAD as error:
            raise StoreFault(
                f"{what} in {self._where} cannot be read: {type(error).__name__}: {error};"
                " restore the database from a copy"
            ) from error


_SETTLED: ColumnElement[bool] = exists().where(
    RUNS.c.batch == PLANNED.c.batch,
    RUNS.c.cell == PLANNED.c.cell,
    RUNS.c.iteration == PLANNED.c.iteration,
    or_(RUNS.c.cause.is_(None), RUNS.c.cause.not_in(sorted(kind.value for kind in RETRIED))),
)

_OF_BATCH = PLANNED.c.batch == BATCHES.c.id

_BATCHES = select(
    BATCHES.c.id,
    BATCHES.c.created_at,
    select(func.count()).select_from(PLANNED).where(_OF_BATCH).scalar_subquery().label("planned"),
    (~exists().where(_OF_BATCH, ~_SETTLED)).label("finished"),
)


def _batches(db: Connection, query: Select[str, str, int, bool]) -> tuple[Batch, ...]:
    return tuple(
        Batch(
            id=BatchId(row.id),
            created_at=datetime.fromisoformat(row.created_at),
            planned=row.planned,
            finished=bool(row.finished),
        )
        for row in db.execute(query)
    )


def _beginning(key: ColumnElement[str], prefix: str) -> Select[str]:
    begins = func.substr(key, 1, len(prefix)) == prefix
    return select(key).where(begins).order_by(key).limit(FEW + 1)


def _newest(key: ColumnElement[str], when: ColumnElement[str]) -> Select[str]:
    return select(key).order_by(when.desc(), key.desc()).limit(RECENT)


def _check_batch(db: Connection, batch: BatchId) -> None:
    if db.execute(select(BATCHES.c.id).where(BATCHES.c.id == batch)).first() is None:
        raise no_batch(batch, db.scalars(_newest(BATCHES.c.id, BATCHES.c.created_at)).all())


def _claim_batch(db: Connection, batch: BatchId, now: datetime) -> None:
    """The batch's row, locked to the end of the transaction; a new one if it has none."""
    row = select(BATCHES.c.id).where(BATCHES.c.id == batch).with_for_update()
    if db.execute(row).first() is None:
        db.execute(insert(BATCHES).values(id=batch, created_at=timestamp(now)))


def _after(db: Connection, column: ColumnElement[int], where: ColumnElement[bool]) -> int:
    return (db.scalar(select(func.max(column)).where(where)) or 0) + 1


def _planned_row(batch: BatchId, position: int, key: str, run: Planned) -> Mapping[str, object]:
    return {
        "batch": batch,
        "position": position,
        "cell": key,
        "iteration": run.iteration,
        "spec_digest": run.spec_digest,
        "settings": run.settings,
    }


def _run_row(record: RunRecord) -> Mapping[str, object]:
    cell, why = record.cell, cause(record)
    return {
        "id": record.id,
        "batch": record.batch,
        "cell": cell_key(cell),
        "iteration": record.iteration,
        "suite": cell.suite,
        "scenario": cell.scenario,
        "tier": cell.tier,
        "agent": cell.agent,
        "model": cell.model,
        "specialist": cell.specialist.name if cell.specialist else None,
        "specialist_version": cell.specialist.version if cell.specialist else None,
        "status": record.status,
        "cause": why.value if why else None,
        "total_score": record.total_score,
        "threshold": record.threshold,
        "passed": record.passed,
        "simulated": record.simulated,
        "cost_usd": record.session.cost_usd if record.session else None,
        "started_at": timestamp(record.started_at),
        "finished_at": timestamp(record.finished_at),
        "spec_digest": record.spec_digest,
        "document": encode(record),
    }


def _review_row(review: Review) -> Mapping[str, object]:
    judgement = review.judgement
    return {
        "run": review.run,
        "made_at": timestamp(review.at),
        "made_by": ", ".join(judgement.by),
        "is_human": judgement.is_human,
        "rubric": judgement.rubric,
        "score": judgement.score,
        "document": encode(review),
    }


def _check_rows(record: RunRecord) -> list[Mapping[str, object]]:
    return [
        {
            "run": record.id,
            "position": position,
            "name": check.name,
            "kind": check.kind,
            "score": check.score,
            "weight": check.weight,
            "required": check.required,
            "level": check.level.value if check.level else None,
            "duration_s": check.duration_s,
        }
        for position, check in enumerate(record.checks)
    ]
