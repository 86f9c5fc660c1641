"""Statements handed straight to the driver, where every run of a batch needs the same few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy import exc as sql_errors

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Words:
    """A statement as one driver wants it."""

    text: str
    order: Sequence[str] | None
    """Of the values; None where they go by their names."""
    constants: Values

    def values(self, given: Values) -> Values | Sequence[object]:
        named = {**self.constants, **given}
        return named if self.order is None else [named[name] for name in self.order]


class Statements:
    """Each is put together once, for one kind of database.

    SQLAlchemy takes ten times as long to hand a statement over as SQLite to carry it out. A value
    is text, a number or None, and every one has to be given.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._words: dict[ClauseElement, _Words] = {}

    def change(self, db: Connection, statement: ClauseElement, values: Values) -> int:
        """Carry it out; how many rows it changed."""
        words = self._in_words(statement)
        with driven(db, words.text) as driver, closing(driver.cursor()) as cursor:
            cursor.execute(words.text, words.values(values))
            changed: int = cursor.rowcount
        return changed

    def change_each(self, db: Connection, statement: ClauseElement, rows: Sequence[Values]) -> None:
        """Carry it out for each of some rows, if there are any."""
        words = self._in_words(statement)
        with driven(db, words.text) as driver, closing(driver.cursor()) as cursor:
            if rows:
                cursor.executemany(words.text, [words.values(row) for row in rows])

    def first(
        self, db: Connection, statement: ClauseElement, values: Values
    ) -> tuple[Any, ...] | None:
        """The first row that it finds."""
        words = self._in_words(statement)
        with driven(db, words.text) as driver, closing(driver.cursor()) as cursor:
            cursor.execute(words.text, words.values(values))
            row: tuple[Any, ...] | None = cursor.fetchone()
        return row

    def _in_words(self, statement: ClauseElement) -> _Words:
        if statement not in self._words:
            made = statement.compile(dialect=self._dialect)
            order = getattr(made, "positiontup", None) if self._dialect.positional else None
            given = {name: value for name, value in made.params.items() if value is not None}
            self._words[statement] = _Words(str(made), order, given)
        return self._words[statement]


@contextmanager
def driven(db: Connection, text: str) -> Iterator[Any]:
    """The driver's connection; its exceptions become what SQLAlchemy makes of them."""
    driver = db.connection.driver_connection
    try:
        yield driver
    except db.dialect.loaded_dbapi.Error as error:
        base = db.dialect.loaded_dbapi.Error
        lost = db.dialect.is_disconnect(error, db.connection, None)
        if lost:
            # or the rollback fails as well, and hides why
            db.invalidate(error)
        raise sql_errors.DBAPIError.instance(
            text, None, error, base, connection_invalidated=lost, dialect=db.dialect
        ) from error
