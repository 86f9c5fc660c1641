"""How a database came to its present shape: numbered steps, only ever appended.

The words are those that SQLite and PostgreSQL share. Times are ISO text in UTC, documents are
JSON text; a step that was released is never edited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, func, insert, inspect, select, text

from harness.errors import UsageError
from harness.store.schema import MIGRATIONS as APPLIED

Migration = Callable[[Connection], None]


def m001_batches_runs_and_controls(db: Connection) -> None:
    """The first shape."""
    _each(
        db,
        "CREATE TABLE batches (id TEXT NOT NULL PRIMARY KEY, created_at TEXT NOT NULL)",
        """CREATE TABLE planned (
            batch TEXT NOT NULL REFERENCES batches (id),
            position INTEGER NOT NULL,
            cell TEXT NOT NULL,
            iteration INTEGER NOT NULL,
            spec_digest TEXT NOT NULL,
            settings TEXT NOT NULL,
            PRIMARY KEY (batch, position),
            UNIQUE (batch, cell, iteration))""",
        """CREATE TABLE runs (
            id TEXT NOT NULL PRIMARY KEY,
            batch TEXT NOT NULL REFERENCES batches (id),
            cell TEXT NOT NULL,
            iteration INTEGER NOT NULL,
            suite TEXT NOT NULL,
            scenario TEXT NOT NULL,
            tier TEXT NOT NULL,
            agent TEXT NOT NULL,
            model TEXT,
            specialist TEXT,
            specialist_version TEXT,
            status TEXT NOT NULL,
            cause TEXT,
            total_score DOUBLE PRECISION,
            threshold DOUBLE PRECISION NOT NULL,
            passed BOOLEAN NOT NULL,
            simulated BOOLEAN NOT NULL,
            cost_usd DOUBLE PRECISION,
            started_at TEXT NOT NULL,
            finished_at TEXT NOT NULL,
            spec_digest TEXT NOT NULL,
            document TEXT NOT NULL)""",
        "CREATE INDEX runs_of_a_plan ON runs (batch, cell, iteration)",
        "CREATE INDEX runs_by_time ON runs (started_at, id)",
        """CREATE TABLE checks (
            run TEXT NOT NULL REFERENCES runs (id),
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            score DOUBLE PRECISION,
            weight DOUBLE PRECISION NOT NULL,
            required BOOLEAN NOT NULL,
            level TEXT,
            duration_s DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (run, position))""",
        "CREATE TABLE controls (key TEXT NOT NULL PRIMARY KEY, document TEXT NOT NULL)",
    )


def m002_reviews_of_stored_runs(db: Connection) -> None:
    """What judges and people said of a run later; the run itself stays what it was."""
    _each(
        db,
        """CREATE TABLE reviews (
            run TEXT NOT NULL REFERENCES runs (id),
            position INTEGER NOT NULL,
            made_at TEXT NOT NULL,
            made_by TEXT NOT NULL,
            is_human BOOLEAN NOT NULL,
            rubric TEXT NOT NULL,
            score DOUBLE PRECISION NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (run, position))""",
    )


MIGRATIONS: Sequence[Migration] = (
    m001_batches_runs_and_controls,
    m002_reviews_of_stored_runs,
)


def behind(db: Connection, where: str, steps: Sequence[Migration] = MIGRATIONS) -> int:
    """How many steps a database lacks; raises UsageError when it has more than we know."""
    there = inspect(db).has_table(APPLIED.name)
    done = db.scalar(select(func.max(APPLIED.c.number))) or 0 if there else 0
    if done > len(steps):
        raise UsageError(
            f"{where} was written by a newer Mintmark: it is at step {done}, this version knows"
            f" {len(steps)}; upgrade Mintmark, or name another database"
        )
    return len(steps) - done


def migrate(db: Connection, where: str, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a database up to date, inside the transaction of `db`."""
    if not inspect(db).has_table(APPLIED.name):
        _each(
            db, "CREATE TABLE migrations (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL)"
        )
    for number in range(len(steps) - behind(db, where, steps), len(steps)):
        steps[number](db)
        db.execute(insert(APPLIED).values(number=number + 1, name=steps[number].__name__))


def _each(db: Connection, *statements: str) -> None:
    for statement in statements:
        db.execute(text(statement))
