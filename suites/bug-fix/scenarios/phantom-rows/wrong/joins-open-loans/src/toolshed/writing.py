"""Changes that depend on what was read just before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[None]:
    """From here on nobody else writes, so what is read inside is still true at the end.

    sqlite3 on its own begins a transaction at the first INSERT, after the reading.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.rollback()
        raise
    db.commit()
