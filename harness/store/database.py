"""One SQL database: its connections, its transactions, and what its driver says goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy import exc as sql_errors

from harness.errors import StoreFault
from harness.store.codec import MISREAD, decode
from harness.store.migrations import behind, migrate

S = TypeVar("S")
T = TypeVar("T")

WRITES = "mintmark_writes"
"""The execution option of a transaction that will write: the engine may lock at its beginning."""


class Writes(Enum):
    """What is lost when the machine loses its power."""

    LASTING = auto()
    """Nothing that was committed."""
    PASSING = auto()
    """What means nothing without the processes of that machine."""


OUR_BUGS = (
    sql_errors.IntegrityError,
    sql_errors.ProgrammingError,
    sql_errors.DataError,
    sql_errors.NotSupportedError,
)
"""What a driver raises for a statement that was wrong from the beginning, as a rule."""


class Database:
    """Threads may share it, and any number of processes may have it open."""

    def __init__(
        self, engine: Engine, where: str, advice: Callable[[sql_errors.DBAPIError], str | None]
    ) -> None:
        """`advice` says what to do about a driver's exception; None for a bug of ours."""
        self.engine = engine
        self.reader = engine
        self.where = where
        self._writers = {kind: engine.execution_options(**{WRITES: kind}) for kind in Writes}
        self._advice = advice

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def bring_up_to_date(self) -> None:
        """Run the migrations that the database lacks."""
        with self._reading("open the database") as db:
            lacking = behind(db, self.where)
        if lacking:
            with self._writing("migrate the database") as db:
                self.hold_shape(db)
                migrate(db, self.where)

    def hold_shape(self, db: Connection) -> None:
        """Keep others from changing the tables; a writer that is alone needs nothing for it."""

    @contextmanager
    def _reading(self, doing: str) -> Iterator[Connection]:
        with self._faults(doing), self.reader.begin() as db:
            yield db

    @contextmanager
    def _writing(self, doing: str, kind: Writes = Writes.LASTING) -> Iterator[Connection]:
        with self._faults(doing), self._writers[kind].begin() as db:
            yield db

    @contextmanager
    def _faults(self, doing: str) -> Iterator[None]:
        """The driver's exceptions as StoreFault; those that can only be our bug fly on."""
        try:
            yield
        except sql_errors.DBAPIError as error:
            said = self._advice(error)
            if said is None:
                raise
            why = " ".join(str(error.orig).split())
            raise StoreFault(f"could not {doing} in {self.where}: {why}; {said}") from error
        except sql_errors.TimeoutError as error:
            raise StoreFault(
                f"could not {doing} in {self.where}: every connection of this process is in use;"
                " see that the server answers, then resume"
            ) from error

    def _read(self, kind: type[T], document: str, what: str) -> T:
        return self._understood(partial(decode, kind), document, what)

    def _understood(self, read: Callable[[S], T], stored: S, what: str) -> T:
        try:
            return read(stored)
        except MISREAD as error:
            raise StoreFault(
                f"{what} in {self.where} cannot be read: {type(error).__name__}: {error};"
                " restore the database from a copy"
            ) from error
