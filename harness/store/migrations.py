"""How a database came to its present shape: numbered steps, only ever appended.

The words are those that SQLite and PostgreSQL share. Times are ISO text in UTC, documents are
JSON text; a step that was released is never edited.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, inspect, select, text

from harness.errors import UsageError
from harness.store.old_outlines import fill_outlines
from harness.store.schema import MIGRATIONS as APPLIED

DRAWN_TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens")

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


def m003_claims_and_spending(db: Connection) -> None:
    """Who makes which planned run; what runs cost, and runs of one spec, found without reading."""
    _each(
        db,
        """CREATE TABLE claims (
            batch TEXT NOT NULL,
            cell TEXT NOT NULL,
            iteration INTEGER NOT NULL,
            owner TEXT NOT NULL,
            until TEXT NOT NULL,
            PRIMARY KEY (batch, cell, iteration),
            FOREIGN KEY (batch, cell, iteration) REFERENCES planned (batch, cell, iteration))""",
        "CREATE INDEX claims_of_an_owner ON claims (owner)",
        "ALTER TABLE runs ADD COLUMN drawn_usd DOUBLE PRECISION",
        "ALTER TABLE runs ADD COLUMN drawn_least_usd DOUBLE PRECISION NOT NULL DEFAULT 0",
        "ALTER TABLE runs ADD COLUMN drawn_tokens BIGINT NOT NULL DEFAULT 0",
    )
    _fill_spending(db)
    _each(
        db,
        "CREATE INDEX runs_of_a_spec ON runs (spec_digest, started_at)",
        # all that is summed up: the documents between would have to be read past
        "CREATE INDEX runs_by_spending ON runs (batch, drawn_usd, drawn_least_usd, drawn_tokens)",
    )


def m004_outlines_of_runs(db: Connection) -> None:
    """What summaries and comparisons take of a run, so that they need no document."""
    _each(
        db,
        *(
            f"ALTER TABLE runs ADD COLUMN {column}"
            for column in (
                "task_digest TEXT",
                "fixture TEXT",
                "faulted BOOLEAN",
                "partly_graded BOOLEAN",
                "session_s DOUBLE PRECISION",
                "input_tokens BIGINT",
                "output_tokens BIGINT",
                "cached_tokens BIGINT",
                "cache_write_tokens BIGINT",
                "reasoning_tokens BIGINT",
                "graders TEXT",
                "check_scores TEXT",
                "asked TEXT",
                "judging TEXT",
                "reused TEXT",
            )
        ),
    )
    fill_outlines(db)
    if db.dialect.name == "sqlite":
        # a row lies behind its document there, which would have to be read past; PostgreSQL keeps
        # long texts elsewhere, and has no room for these columns in an index
        _each(
            db,
            """CREATE INDEX runs_outlined ON runs (batch, started_at, id, cell, iteration, status,
                cause, total_score, threshold, passed, simulated, cost_usd, task_digest, fixture,
                faulted, partly_graded, session_s, input_tokens, output_tokens, cached_tokens,
                cache_write_tokens, reasoning_tokens, graders, check_scores, asked, judging,
                reused)""",
        )
    else:
        _each(db, "CREATE INDEX runs_of_a_batch ON runs (batch, started_at, id)")


def m005_spending_by_day(db: Connection) -> None:
    """All that is summed up of a day, whichever batches its runs are of."""
    _each(
        db,
        """CREATE INDEX runs_by_day ON runs
            (finished_at, simulated, model, drawn_usd, drawn_least_usd, drawn_tokens)""",
    )


def m006_settled_runs_in_an_index(db: Connection) -> None:
    """Whether a planned run is settled, without a look at the row of each of its records."""
    _each(
        db,
        "CREATE INDEX runs_settling ON runs (batch, cell, iteration, cause)",
        "DROP INDEX runs_of_a_plan",
    )


MIGRATIONS: Sequence[Migration] = (
    m001_batches_runs_and_controls,
    m002_reviews_of_stored_runs,
    m003_claims_and_spending,
    m004_outlines_of_runs,
    m005_spending_by_day,
    m006_settled_runs_in_an_index,
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


def _fill_spending(db: Connection) -> None:
    """Of step 3: what the stored runs took from their budgets, as their documents say."""
    write = text(
        "UPDATE runs SET drawn_usd = :usd, drawn_least_usd = :least, drawn_tokens = :tokens"
        " WHERE id = :id"
    )
    stored = db.execute(text("SELECT id, document FROM runs"))
    spending = [{"id": run.id, **_spending(run.document)} for run in stored]
    if spending:
        db.execute(write, spending)


def _spending(document: str) -> Mapping[str, object]:
    """Read as step 2 wrote it; of a damaged document nothing is known."""
    try:
        uses = list(_uses(json.loads(document)))
        known = [use["cost_usd"] for use in uses]
        return {
            "usd": None if None in known else sum(known),
            "least": sum(use.get("least_usd", 0) if use["cost_usd"] is None else use["cost_usd"]
                         for use in uses),
            "tokens": sum(use["usage"][kind] for use in uses for kind in DRAWN_TOKENS),
        }  # fmt: skip
    except (ValueError, TypeError, KeyError, AttributeError):
        return {"usd": None, "least": 0, "tokens": 0}


def _uses(record: Any) -> Iterator[Any]:  # noqa: ANN401  # a JSON value
    session = record["session"]
    uses = [session.get("model_use") if session else None]
    uses += [check.get("use") for check in record["checks"]]
    return (use for use in uses if use)


def _each(db: Connection, *statements: str) -> None:
    # PostgreSQL compares text as its database was told, in which "run_1" may follow "runa";
    # ids, times and digests are in the order of their characters everywhere
    kind = ' TEXT COLLATE "C"' if db.dialect.name == "postgresql" else " TEXT"
    for statement in statements:
        db.execute(text(statement.replace(" TEXT", kind)))
