"""How the file looks, and how older ones get there."""

from __future__ import annotations

import sqlite3


def _first_version(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    db.execute(
        """
        CREATE TABLE tools (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            category_id INTEGER REFERENCES categories (id) ON DELETE SET NULL,
            note TEXT
        )
        """
    )
    db.execute("CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    db.execute(
        """
        CREATE TABLE loans (
            id INTEGER PRIMARY KEY,
            tool_id INTEGER REFERENCES tools (id) ON DELETE SET NULL,
            member_id INTEGER REFERENCES members (id) ON DELETE SET NULL,
            lent_on TEXT NOT NULL,
            due_on TEXT,
            returned_on TEXT
        )
        """
    )


def _fines(db: sqlite3.Connection) -> None:
    db.execute(
        """
        CREATE TABLE fines (
            id INTEGER PRIMARY KEY,
            member_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
            cents INTEGER NOT NULL,
            reason TEXT NOT NULL,
            paid_on TEXT
        )
        """
    )


def _condition(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE tools ADD COLUMN condition TEXT")
    db.execute("CREATE INDEX loans_by_tool ON loans (tool_id)")
    db.execute("CREATE INDEX loans_by_member ON loans (member_id)")


def _lent_once(db: sqlite3.Connection) -> None:
    db.execute("CREATE UNIQUE INDEX open_loans ON loans (tool_id) WHERE returned_on IS NULL")


MIGRATIONS = (_first_version, _fines, _condition, _lent_once)


def migrate(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        with db:
            migration(db)
            db.execute(f"PRAGMA user_version = {number}")
