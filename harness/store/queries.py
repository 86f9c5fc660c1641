"""What the store asks a database, in pieces that have names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
)

from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.record import Batch, Cell
from harness.store.base import GRADED, RETRIED, SPOILED
from harness.store.codec import cell_key, timestamp
from harness.store.refusals import FEW, no_batch
from harness.store.schema import BATCHES, CHECKS, CLAIMS, CONTROLS, PLANNED, RUNS
from harness.store.statements import Statements

RECENT = 1000
"""Among how many ids a near one is looked for."""


def run_key(batch: BatchId, cell: Cell, iteration: int) -> dict[str, object]:
    """Which planned run a statement is about."""
    return {"batch": batch, "cell": cell_key(cell), "iteration": iteration}


def _of_key(table: Table) -> ColumnElement[bool]:
    return and_(*(table.c[name] == bindparam(name) for name in ("batch", "cell", "iteration")))


def _among(causes: Iterable[Cause]) -> ColumnElement[bool]:
    # values that are bound one by one, so that a statement's text is known before it is asked
    return RUNS.c.cause.in_([literal(cause.value) for cause in sorted(causes)])


CLAIMED_RUN = and_(
    CLAIMS.c.batch == PLANNED.c.batch,
    CLAIMS.c.cell == PLANNED.c.cell,
    CLAIMS.c.iteration == PLANNED.c.iteration,
)

OF_PLANNED = and_(
    RUNS.c.batch == PLANNED.c.batch,
    RUNS.c.cell == PLANNED.c.cell,
    RUNS.c.iteration == PLANNED.c.iteration,
)

# the conditions: of a run that it is of the planned one, that it settles it, that it has a grade;
# of a planned one that it is settled
SETTLES = or_(RUNS.c.cause.is_(None), ~_among(RETRIED))

IS_GRADED = or_(RUNS.c.cause.is_(None), _among(GRADED))

SETTLED: ColumnElement[bool] = exists().where(OF_PLANNED, SETTLES)

PLAYED = and_(RUNS.c.simulated, RUNS.c.model.is_not(None))
"""A model was answered for by a recording, its judges too: what was booked, nobody paid."""

FAULTS = (
    select(func.count())
    .select_from(RUNS)
    .where(OF_PLANNED, _among(SPOILED))
    .scalar_subquery()
    .label("faults")
)

# both databases know ON CONFLICT, and SQLAlchemy has no word for it that both share
NEW_BATCH = text("INSERT INTO batches (id, created_at) VALUES (:id, :at) ON CONFLICT DO NOTHING")
NEW_CONTROL = text(
    "INSERT INTO controls (key, document) VALUES (:key, :document) ON CONFLICT DO NOTHING"
)

# made once, like those above: to put a statement together costs more than to run it
NEW_RUN, NEW_CHECKS = insert(RUNS), insert(CHECKS)

CONTROL = select(CONTROLS.c.document).where(CONTROLS.c.key == bindparam("key"))

# the digest stands in no index with the others: SQLite would rather read a whole batch in an index
# that has all that is asked for than look up one row
OTHER_RESULT = (
    select(RUNS.c.id, RUNS.c.spec_digest)
    .where(_of_key(PLANNED), OF_PLANNED, SETTLES, RUNS.c.id != bindparam("run"))
    .limit(1)
)

NEW_CLAIM = insert(CLAIMS).from_select(
    ["batch", "cell", "iteration", "owner", "until"],
    select(
        PLANNED.c.batch,
        PLANNED.c.cell,
        PLANNED.c.iteration,
        bindparam("owner", type_=Text),
        bindparam("until", type_=Text),
    ).where(_of_key(PLANNED), ~SETTLED, ~exists().where(CLAIMED_RUN)),
)
"""On a run that was planned, is not settled, and nobody has."""

CLAIMED = select(CLAIMS.c.owner, CLAIMS.c.until).where(_of_key(CLAIMS))

END_CLAIM = delete(CLAIMS).where(_of_key(CLAIMS))

GIVE_BACK = END_CLAIM.where(CLAIMS.c.owner == bindparam("owner"))

_HELD_BATCH = select(BATCHES.c.id).where(BATCHES.c.id == bindparam("batch")).with_for_update()

_OF_BATCH = PLANNED.c.batch == BATCHES.c.id

BATCH_ROWS = select(
    BATCHES.c.id,
    BATCHES.c.created_at,
    select(func.count()).select_from(PLANNED).where(_OF_BATCH).scalar_subquery().label("planned"),
    (~exists().where(_OF_BATCH, ~SETTLED)).label("finished"),
)


def read_batches(db: Connection, query: Select[str, str, int, bool]) -> tuple[Batch, ...]:
    """What BATCH_ROWS, in some order and selection, finds."""
    return tuple(
        Batch(
            id=BatchId(row.id),
            created_at=datetime.fromisoformat(row.created_at),
            planned=row.planned,
            finished=bool(row.finished),
        )
        for row in db.execute(query)
    )


def documents(batch: BatchId | None) -> Select[str, str]:
    """A batch's runs, oldest first; without one all of them, newest first."""
    order, query = (RUNS.c.started_at, RUNS.c.id), select(RUNS.c.id, RUNS.c.document)
    if batch is None:
        return query.order_by(*(column.desc() for column in order))
    return query.where(RUNS.c.batch == batch).order_by(*order)


def ids_beginning(key: ColumnElement[str], prefix: str) -> Select[str]:
    """A few ids that begin so, an equal one first; to LIKE some letters would be wildcards."""
    begins = func.substr(key, 1, len(prefix)) == prefix
    return select(key).where(begins).order_by(key).limit(FEW + 1)


def newest_ids(key: ColumnElement[str], when: ColumnElement[str]) -> Select[str]:
    """The ids among which a near one is looked for."""
    return select(key).order_by(when.desc(), key.desc()).limit(RECENT)


def check_batch(db: Connection, batch: BatchId) -> None:
    """Raise UsageError, naming near ones, when there is no such batch."""
    if db.execute(select(BATCHES.c.id).where(BATCHES.c.id == batch)).first() is None:
        raise no_batch(batch, db.scalars(newest_ids(BATCHES.c.id, BATCHES.c.created_at)).all())


def begin_batch(said: Statements, db: Connection, batch: BatchId, now: datetime) -> None:
    """The batch's row, locked to the end of the transaction; a new one if it has none."""
    while not hold_batch(said, db, batch):
        # another process may make it, or forget it, between the two
        said.change(db, NEW_BATCH, {"id": batch, "at": timestamp(now)})


def hold_batch(said: Statements, db: Connection, batch: BatchId) -> bool:
    """Lock the batch's row to the end of the transaction; whether there is one."""
    return said.first(db, _HELD_BATCH, {"batch": batch}) is not None


def next_after(db: Connection, column: ColumnElement[int], where: ColumnElement[bool]) -> int:
    """One more than the highest, from 1."""
    return (db.scalar(select(func.max(column)).where(where)) or 0) + 1


def planned_so_far(db: Connection, batch: BatchId) -> dict[str, int]:
    """The highest iteration of each cell of a batch."""
    highest = select(PLANNED.c.cell, func.max(PLANNED.c.iteration))
    rows = db.execute(highest.where(PLANNED.c.batch == batch).group_by(PLANNED.c.cell))
    return {row[0]: row[1] for row in rows}
