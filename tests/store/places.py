"""Stores wherever they are kept, and what lies in their tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

from harness import wiring
from harness.settings import Settings
from harness.store.sql import SqlStore


def opened(location: str) -> SqlStore:
    """The store at a path or URL, as a command opens it; to be closed."""
    return store_of(Settings(Path("/nowhere"), store=location))


def store_of(settings: Settings) -> SqlStore:
    """The store that the settings name; to be closed."""
    store = wiring.open_store(settings)
    assert isinstance(store, SqlStore)
    return store


def rows(location: str, sql: str) -> list[tuple[object, ...]]:
    with engine_of(location) as engine, engine.connect() as db:
        return [tuple(row) for row in db.execute(text(sql))]


def change(location: str, sql: str) -> None:
    with engine_of(location) as engine, engine.begin() as db:
        db.execute(text(sql))


@contextmanager
def engine_of(location: str) -> Iterator[Engine]:
    is_url = "://" in location
    if not is_url:
        Path(location).parent.mkdir(exist_ok=True)
    engine = create_engine(
        make_url(location).set(drivername="postgresql+psycopg")
        if is_url
        else f"sqlite:///{location}"
    )
    try:
        yield engine
    finally:
        engine.dispose()
