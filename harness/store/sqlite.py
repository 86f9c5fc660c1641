"""The store in one SQLite file: what is particular to that engine, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from sqlite3 import Connection as Driver
from sqlite3 import Error
from typing import Self

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from harness.errors import StoreFault
from harness.store.database import OUR_BUGS, WRITES, Writes
from harness.store.sql import SqlStore
from harness.store.statements import driven

BUSY_S = 30.0
"""How long a writer waits for its turn; a run's own transaction takes about a millisecond."""

BUSY_PAUSE_S = 0.005

FLUSHING: Mapping[Writes, str] = {
    Writes.LASTING: "PRAGMA synchronous = FULL",
    Writes.PASSING: "PRAGMA synchronous = NORMAL",
}

ADVICE: Mapping[str, str] = {
    "SQLITE_BUSY": "another process holds it; wait for that to end, then resume",
    "SQLITE_LOCKED": "another process holds it; wait for that to end, then resume",
    "SQLITE_READONLY": "make the file and its folder writable",
    "SQLITE_CANTOPEN": "see that it is a file, and that its folder may be written",
    "SQLITE_FULL": "make room on the disk, then resume",
    "SQLITE_IOERR": "see that the disk is well and has room, then resume",
    "SQLITE_CORRUPT": "it is damaged: restore a copy, or move it away to begin a new one",
    "SQLITE_NOTADB": "it is damaged: restore a copy, or move it away to begin a new one",
}


class SqliteStore(SqlStore):
    """SQLite with a write-ahead log: readers and one writer at a time, across processes.

    Commits are flushed to the disk (synchronous FULL). A run costs minutes and money, the flush
    a millisecond; with NORMAL a power cut could take back runs that were already reported. It may
    take back claims: whoever could have held one ended with the machine.
    """

    @classmethod
    def open(cls, path: Path) -> Self:
        """The database at `path`, made or brought up to date; close it, or use `with`."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFault(
                f"could not make the folder of {path}: {error.strerror or error};"
                " name a database that can be written"
            ) from error
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            connect_args={"timeout": BUSY_S, "isolation_level": None},
            max_overflow=-1,  # a connection for every thread that asks; they are cheap
        )
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        store = cls(engine, str(path), _advice)
        try:
            store.bring_up_to_date()
        except BaseException:
            store.close()
            raise
        return store


def _configure(driver: Driver, _record: object) -> None:
    try:
        _use_wal(driver)
        driver.execute(FLUSHING[Writes.LASTING])
        driver.execute("PRAGMA foreign_keys = ON")
    except Error:
        # the pool never hears of a connection that could not be set up
        driver.close()
        raise


def _use_wal(driver: Driver) -> None:
    """Two processes that make one database at once: SQLite tells one of them at once to wait."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
        except Error as error:
            busy = getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_PAUSE_S)
        else:
            return


def _begin(db: Connection) -> None:
    # a transaction that reads first and writes later can fail with SQLITE_BUSY at once,
    # whatever the timeout; one that will write takes the lock at its beginning
    kind = db.get_execution_options().get(WRITES)
    begin = "BEGIN IMMEDIATE" if kind else "BEGIN"
    with driven(db, begin) as driver:
        if kind:
            driver.execute(FLUSHING[kind])
        driver.execute(begin)


def _advice(error: DBAPIError) -> str | None:
    if isinstance(error, OUR_BUGS):
        return None
    name: str = getattr(error.orig, "sqlite_errorname", "")
    return next((said for code, said in ADVICE.items() if name.startswith(code)), "try again")
