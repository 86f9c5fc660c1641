"""The store in words that every SQL database understands; the engine is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import exc as sql_errors

from harness.domain.ids import BatchId, Digest, RunId
from harness.domain.judgement import Review
from harness.domain.outline import Outline, outline_of
from harness.domain.record import Batch, Cell, Control, RunRecord
from harness.store.base import Claim, Planned, References, Spent, Wanted, settles
from harness.store.codec import MISREAD, cell_key, digests_in, encode, timestamp
from harness.store.database import Database, Writes
from harness.store.outlines import OUTLINE_ROWS, OutlineReader, uncollected
from harness.store.queries import (
    BATCH_ROWS,
    CLAIMED,
    CLAIMED_RUN,
    CONTROL,
    END_CLAIM,
    FAULTS,
    GIVE_BACK,
    IS_GRADED,
    NEW_CHECKS,
    NEW_CLAIM,
    NEW_CONTROL,
    NEW_RUN,
    OTHER_RESULT,
    PLAYED,
    SETTLED,
    begin_batch,
    check_batch,
    documents,
    hold_batch,
    ids_beginning,
    newest_ids,
    next_after,
    planned_so_far,
    read_batches,
    run_key,
)
from harness.store.refusals import no_batch, no_run, settled, several_batches, several_runs, taken
from harness.store.rows import check_rows, planned_row, review_row, run_row
from harness.store.schema import BATCHES, CLAIMS, CONTROLS, PLANNED, REVIEWS, RUNS
from harness.store.statements import Statements

AT_ONCE = 500
"""So many rows of a long answer are held at a time."""


class SqlStore(Database):
    """Everything that is kept; each method is one transaction."""

    def __init__(
        self, engine: Engine, where: str, advice: Callable[[sql_errors.DBAPIError], str | None]
    ) -> None:
        super().__init__(engine, where, advice)
        self._said = Statements(engine.dialect)
        self._controls: dict[Digest, Control] = {}

    def plan(self, batch: BatchId, wanted: Sequence[Wanted], now: datetime) -> Sequence[Planned]:
        """Reserve runs; whoever holds the batch's row alone may count on from its highest."""
        with self._writing(f"plan batch {batch!r}") as db:
            begin_batch(self._said, db, batch, now)
            position = next_after(db, PLANNED.c.position, PLANNED.c.batch == batch)
            reserved: list[Planned] = []
            rows: list[Mapping[str, object]] = []
            highest = planned_so_far(db, batch)
            for want in wanted:
                key = cell_key(want.cell)
                for _ in range(want.count):
                    highest[key] = highest.get(key, 0) + 1
                    run = Planned(want.cell, highest[key], want.spec_digest, want.settings)
                    rows.append(planned_row(batch, position + len(rows), key, run))
                    reserved.append(run)
            if rows:
                db.execute(insert(PLANNED), rows)
        return tuple(reserved)

    def forget(self, batch: BatchId) -> None:
        """Drop what was planned, unless a run of it is stored."""
        used = exists().where(RUNS.c.batch == batch) | exists().where(CLAIMS.c.batch == batch)
        with self._writing(f"forget batch {batch!r}") as db:
            if hold_batch(self._said, db, batch) and not db.scalar(select(used)):
                db.execute(delete(PLANNED).where(PLANNED.c.batch == batch))
                db.execute(delete(BATCHES).where(BATCHES.c.id == batch))

    def save(self, record: RunRecord) -> None:
        """Keep a finished run in one transaction; whoever holds the batch's row is alone in it."""
        run, checks, said = run_row(record), check_rows(record), self._said
        key = {name: run[name] for name in ("batch", "cell", "iteration")}
        with self._writing(f"store run {record.id!r}") as db:
            begin_batch(said, db, record.batch, record.started_at)
            try:
                said.change(db, NEW_RUN, run)
            except sql_errors.IntegrityError as error:
                raise taken(record.id) from error
            said.change_each(db, NEW_CHECKS, checks)
            other = settles(record) and said.first(db, OTHER_RESULT, {**key, "run": record.id})
            if other:
                raise settled(record, other[0])
            said.change(db, END_CLAIM, key)

    def run(self, prefix: str) -> RunRecord:
        """The run whose id is or begins with `prefix`."""
        with self._reading(f"find run {prefix!r}") as db:
            ids = db.scalars(ids_beginning(RUNS.c.id, prefix)).all()
            if not ids:
                raise no_run(prefix, db.scalars(newest_ids(RUNS.c.id, RUNS.c.started_at)).all())
            if len(ids) > 1 and ids[0] != prefix:
                raise several_runs(prefix, ids)
            return self._one(db, ids[0])

    def runs(self, batch: BatchId | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """The first runs of a batch, or the latest of all."""
        with self._reading("list runs") as db:
            rows = db.execute(documents(batch).limit(limit)).all()
        return tuple(self._read(RunRecord, row.document, f"run {row.id!r}") for row in rows)

    def further(self, batch: BatchId, known: AbstractSet[RunId], limit: int) -> Sequence[RunRecord]:
        """The first runs of a batch beyond those: only their documents are read."""
        ids = select(RUNS.c.id).where(RUNS.c.batch == batch).order_by(RUNS.c.started_at, RUNS.c.id)
        with self._reading(f"find what is new in batch {batch!r}") as db:
            new = [run for run in db.scalars(ids) if run not in known][:limit]
            found = select(RUNS.c.id, RUNS.c.document).where(RUNS.c.id.in_(new))
            read = {row.id: row.document for row in db.execute(found)}
        return tuple(self._read(RunRecord, read[run], f"run {run!r}") for run in new)

    def each(self, batch: BatchId | None = None) -> Iterator[RunRecord]:
        """The same, a few at a time in memory."""
        # a cursor that is left in the middle has to be closed
        with self._reading("read runs") as db, _streamed(db, documents(batch)) as rows:
            for row in rows:
                yield self._read(RunRecord, row.document, f"run {row.id!r}")

    def outlines(self, batch: BatchId) -> Sequence[Outline]:
        """A batch's runs from their columns."""
        query = OUTLINE_ROWS.where(RUNS.c.batch == batch).order_by(RUNS.c.started_at, RUNS.c.id)
        reader, found = OutlineReader(batch), []
        with self._reading("list runs") as db, _streamed(db, query) as rows, uncollected():
            for some in rows.partitions():
                try:
                    found += [reader.read(row) for row in some]
                except MISREAD:
                    found += [self._outline(db, reader, row) for row in some]
        return found

    def batch(self, batch: BatchId) -> Batch:
        """A batch and how far it is."""
        with self._reading(f"find batch {batch!r}") as db:
            check_batch(db, batch)
            return read_batches(db, BATCH_ROWS.where(BATCHES.c.id == batch))[0]

    def batch_by_prefix(self, prefix: str) -> Batch:
        """The batch whose id is or begins with `prefix`."""
        with self._reading(f"find batch {prefix!r}") as db:
            ids = db.scalars(ids_beginning(BATCHES.c.id, prefix)).all()
            if not ids:
                newest = newest_ids(BATCHES.c.id, BATCHES.c.created_at)
                raise no_batch(prefix, db.scalars(newest).all())
            if len(ids) > 1 and ids[0] != prefix:
                raise several_batches(prefix, ids)
            return read_batches(db, BATCH_ROWS.where(BATCHES.c.id == ids[0]))[0]

    def batches(self, limit: int | None = None) -> Sequence[Batch]:
        """Batches, newest first."""
        newest = BATCH_ROWS.order_by(BATCHES.c.created_at.desc(), BATCHES.c.id.desc()).limit(limit)
        with self._reading("list batches") as db:
            return read_batches(db, newest)

    def missing(self, batch: BatchId) -> Sequence[Planned]:
        """Planned runs that no record has settled."""
        query = select(PLANNED, FAULTS).where(PLANNED.c.batch == batch, ~SETTLED)
        with self._reading(f"find what batch {batch!r} waits for") as db:
            check_batch(db, batch)
            rows = db.execute(query.order_by(PLANNED.c.position)).all()
        return tuple(
            Planned(
                cell=self._read(Cell, row.cell, f"a planned run of batch {batch!r}"),
                iteration=row.iteration,
                spec_digest=row.spec_digest,
                settings=row.settings,
                faults=row.faults,
            )
            for row in rows
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
        """Take a planned run; whoever holds the batch's row alone may look who has it."""
        key, said = run_key(batch, planned.cell, planned.iteration), self._said
        claim = {**key, "owner": owner, "until": timestamp(until)}
        with self._writing(f"claim a run of batch {batch!r}", Writes.PASSING) as db:
            if not hold_batch(said, db, batch):
                return False
            if said.change(db, NEW_CLAIM, claim):
                return True
            held = said.first(db, CLAIMED, key)
            if held is None or (held[1] > timestamp(now) and alive(held[0])):
                return False
            said.change(db, END_CLAIM, key)
            return bool(said.change(db, NEW_CLAIM, claim))

    def renew(self, owner: str, until: datetime) -> int:
        """Let an owner's claims hold on, one after the other so that no two renewals deadlock."""
        order = (CLAIMS.c.batch, CLAIMS.c.cell, CLAIMS.c.iteration)
        own = select(*order).where(CLAIMS.c.owner == owner).order_by(*order).with_for_update()
        with self._writing(f"renew the claims of {owner!r}", Writes.PASSING) as db:
            held = len(db.execute(own).all())
            db.execute(update(CLAIMS).where(CLAIMS.c.owner == owner).values(until=timestamp(until)))
        return held

    def release(self, batch: BatchId, planned: Planned, owner: str) -> None:
        """Give a claim back unless it is another's by now."""
        key = run_key(batch, planned.cell, planned.iteration)
        with self._writing(f"release a run of batch {batch!r}", Writes.PASSING) as db:
            self._said.change(db, GIVE_BACK, {**key, "owner": owner})

    def claims(self, batch: BatchId) -> Sequence[Claim]:
        """Who makes what of a batch."""
        query = select(CLAIMS).join(PLANNED, CLAIMED_RUN).where(CLAIMS.c.batch == batch)
        with self._reading(f"list the claims on batch {batch!r}") as db:
            rows = db.execute(query.order_by(PLANNED.c.position)).all()
        return tuple(
            Claim(
                batch=batch,
                cell=self._read(Cell, row.cell, f"a claimed run of batch {batch!r}"),
                iteration=row.iteration,
                owner=row.owner,
                until=datetime.fromisoformat(row.until),
            )
            for row in rows
        )

    def like(self, spec: Digest, iteration: int | None = None) -> RunRecord | None:
        """The newest graded run of a spec."""
        query = select(RUNS.c.id, RUNS.c.document).where(RUNS.c.spec_digest == spec, IS_GRADED)
        if iteration is not None:
            query = query.where(RUNS.c.iteration == iteration)
        newest = query.order_by(RUNS.c.started_at.desc(), RUNS.c.id.desc()).limit(1)
        with self._reading(f"find a run of spec {spec!r}") as db:
            row = db.execute(newest).one_or_none()
        return None if row is None else self._read(RunRecord, row.document, f"run {row.id!r}")

    def spent(self, batch: BatchId) -> Spent:
        """What a batch's runs took, summed up by the database."""
        return self._spent(RUNS.c.batch == batch, f"batch {batch!r}")

    def spent_since(self, when: datetime) -> Spent:
        """The same of all runs that ended since then and asked a model."""
        since = timestamp(when)
        return self._spent(and_(RUNS.c.finished_at >= since, ~PLAYED), f"runs since {since}")

    def _spent(self, where: ColumnElement[bool], what: str) -> Spent:
        of_known = func.count(RUNS.c.drawn_usd), func.sum(RUNS.c.drawn_usd)
        of_all = func.count(), func.sum(RUNS.c.drawn_least_usd), func.sum(RUNS.c.drawn_tokens)
        query = select(*of_known, *of_all).where(where)
        with self._reading(f"sum up what {what} cost") as db:
            known, usd, runs, least, tokens = db.execute(query).one()
        return Spent(
            usd=float(usd or 0) if known == runs else None,
            least_usd=float(least or 0),
            tokens=int(tokens or 0),
        )

    def control(self, key: Digest) -> Control | None:
        """The grade of an untouched fixture; once it is known it never changes."""
        if key not in self._controls:
            with self._reading(f"find control {key!r}") as db:
                document = db.scalars(CONTROL, {"key": key}).one_or_none()
            if document is None:
                return None
            self._controls[key] = self._read(Control, document, f"control {key!r}")
        return self._controls[key]

    def save_control(self, control: Control) -> None:
        """Keep a control unless its key has one."""
        row = {"key": control.key, "document": encode(control)}
        with self._writing(f"store control {control.key!r}") as db:
            db.execute(NEW_CONTROL, row)

    def save_review(self, review: Review) -> None:
        """Add a judgement; whoever holds the run's row alone gives it the next position."""
        row = review_row(review)
        with self._writing(f"store a judgement of run {review.run!r}") as db:
            held = select(RUNS.c.id).where(RUNS.c.id == review.run).with_for_update()
            if db.execute(held).first() is None:
                newest = newest_ids(RUNS.c.id, RUNS.c.started_at)
                raise no_run(review.run, db.scalars(newest).all())
            position = next_after(db, REVIEWS.c.position, REVIEWS.c.run == review.run)
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
                for document in db.scalars(select(column).execution_options(yield_per=AT_ONCE)):
                    digests.update(digests_in(document))
        return References(runs, frozenset(digests))

    def _outline(
        self, db: Connection, reader: OutlineReader, row: Row[*tuple[Any, ...]]
    ) -> Outline:
        if row.task_digest is None:
            return outline_of(self._one(db, row.id))
        return self._understood(reader.read, row, f"run {row.id!r}")

    def _one(self, db: Connection, run: str) -> RunRecord:
        document = db.scalars(select(RUNS.c.document).where(RUNS.c.id == run)).one()
        return self._read(RunRecord, document, f"run {run!r}")


def _streamed(db: Connection, query: Select[*tuple[Any, ...]]) -> CursorResult[*tuple[Any, ...]]:
    return db.execution_options(yield_per=AT_ONCE).execute(query)
