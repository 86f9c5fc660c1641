"""The store in a PostgreSQL database: what is particular to that engine, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy import exc as sql_errors
from sqlalchemy.engine import URL

from harness.errors import StoreFault, UsageError
from harness.store.database import OUR_BUGS
from harness.store.sql import SqlStore

SCHEMES = ("postgresql", "postgres")
FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"

REACH_S = 10
"""How long a server may take to answer at all."""

BUSY_S = 30.0
"""How long a writer waits for its turn; a run's own transaction takes a few milliseconds."""

CONNECTIONS = 5
"""Of one process, however many threads: a server has about a hundred for everybody."""

MIGRATING = 0x6D696E746D61726B
"""The advisory lock of whoever changes the tables; any number, as long as it stays."""

DENIED = "42501"

ADVICE: Mapping[str, str] = {
    DENIED: "let its user make tables there: GRANT CREATE ON SCHEMA public, or make it the owner",
    "25P03": "this process slept while others waited for it, and was sent away: resume",
    "25006": "it is a copy that cannot be written: name the primary server",
    "40P01": "another process holds it; wait for that to end, then resume",
    "53100": "make room on the server's disk, then resume",
    "53300": "the server has no connection left: end others, or raise its max_connections",
    "55P03": "another process holds it; wait for that to end, then resume",
    "57P": "the server was stopped, or starts just now: see that it runs, then resume",
}

REFUSED: Mapping[str, str] = {
    "password": "see that user and password are right, or leave the password to ~/.pgpass",
    "does not exist": "make it with createdb -E UTF8, or name another",
    "resolve": "see that the host's name is right",
    "pg_hba": "let the server's pg_hba.conf admit this user from this machine",
    "SSL": "agree with the server about encryption: add ?sslmode=require or ?sslmode=disable",
    "option": "leave out what stands behind the ? in its URL, or put it right",
}
"""What to do where a server cannot be used: it gives no code then, only words."""

BUSY = ("starting up", "shutting down", "too many clients", "connection slots", "recovery mode")


class PostgresStore(SqlStore):
    """A server that any number of machines may write to at once.

    Who changes a batch holds its row: two never do so at the same moment, two batches do not wait
    for each other. Whoever only reads sees one moment of the database.
    """

    @classmethod
    def open(cls, address: str) -> Self:
        """The database at that URL, its tables made or brought up to date.

        Raises UsageError for what the user can put right; a password is in no message.
        """
        url = _parsed(address)
        # neither the password nor what stands behind the ?, where one may be as well
        shown = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
        where = shown.render_as_string()
        try:
            engine = create_engine(
                url,
                isolation_level="READ COMMITTED",
                connect_args=_connecting(url),
                pool_size=CONNECTIONS,
                max_overflow=0,
                pool_timeout=BUSY_S,
                pool_pre_ping=True,  # a server that was started anew is no fault
                use_native_hstore=False,
            )
        except ImportError as error:
            raise UsageError(
                f"{where} needs the library psycopg ({error}); pip install 'mintmark[postgres]'"
            ) from error
        store = cls(engine, where, _advice)
        store.reader = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        try:
            store.reach()
            store.bring_up_to_date()
        except BaseException:
            store.close()
            raise
        return store

    def reach(self) -> None:
        """Raise UsageError when the database cannot be used, and StoreFault when not just now."""
        try:
            with self.engine.connect() as db:
                encoding = db.scalar(text("SHOW server_encoding"))
        except sql_errors.DBAPIError as error:
            said = " ".join(str(error.orig).split())
            if any(busy in said for busy in BUSY):
                raise StoreFault(f"could not open {self.where}: {said}; try again") from error
            near = (what for sign, what in REFUSED.items() if sign in said)
            what = next(near, "see that the server runs, and that host and port are right")
            raise UsageError(f"could not open {self.where}: {said}; {what}") from error
        if encoding != "UTF8":
            raise UsageError(
                f"{self.where} keeps text as {encoding}, which cannot hold every text: make a"
                " database with createdb -E UTF8 -T template0"
            )

    def bring_up_to_date(self) -> None:
        """Run the migrations that the database lacks, unless its user may not."""
        try:
            super().bring_up_to_date()
        except StoreFault as fault:
            if _state(fault.__cause__) == DENIED:
                raise UsageError(str(fault)) from fault
            raise

    def hold_shape(self, db: Connection) -> None:
        """Wait for others who change the tables, to the end of the transaction."""
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})


def _parsed(address: str) -> URL:
    """Its parts; no message repeats an address, of which any part may be a password."""
    try:
        url = make_url(address).set(drivername="postgresql+psycopg")
    except (sql_errors.ArgumentError, ValueError):
        raise UsageError(f"the store's address is no URL of the form {FORM}") from None
    if "@" in (url.host or ""):
        raise UsageError(
            f"the store's address has more than one @; of the form {FORM}, in user and password"
            " write %40 for @, %2F for / and %25 for %"
        )
    if not url.database:
        raise UsageError(f"the store's address names no database; its form is {FORM}")
    return url


def _connecting(url: URL) -> Mapping[str, object]:
    wait_ms = round(BUSY_S * 1000)
    # whoever holds a lock and falls asleep is sent away, or nobody else would ever go on
    own = f"-c lock_timeout={wait_ms} -c idle_in_transaction_session_timeout={2 * wait_ms}"
    asked = url.query.get("options", "")
    given = asked if isinstance(asked, str) else " ".join(asked)
    return {
        "connect_timeout": REACH_S,
        "application_name": "mintmark",
        "client_encoding": "utf8",
        "options": f"{own} {given}".strip(),
    }


def _state(error: BaseException | None) -> str:
    """The code that the server gave; none when it could not be asked."""
    orig = error.orig if isinstance(error, sql_errors.DBAPIError) else None
    return getattr(orig, "sqlstate", None) or ""


def _advice(error: sql_errors.DBAPIError) -> str | None:
    state = _state(error)
    said = next((what for code, what in ADVICE.items() if state.startswith(code)), None)
    if said is None and isinstance(error, OUR_BUGS):
        return None
    return said or "see that the server runs and can be reached, then resume"
