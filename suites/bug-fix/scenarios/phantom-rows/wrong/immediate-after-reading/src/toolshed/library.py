"""The file and everything in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from toolshed.categories import Categories
from toolshed.fines import Fines
from toolshed.loans import Loans
from toolshed.members import Members
from toolshed.schema import migrate
from toolshed.tools import Tools


class Library:
    """One connection; every process opens its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.categories = Categories(connection)
        self.tools = Tools(connection)
        self.members = Members(connection)
        self.fines = Fines(connection)
        self.loans = Loans(connection, self.tools, self.members, self.fines)

    def close(self) -> None:
        self.connection.close()


def open_library(path: str | Path) -> Library:
    """Open a file, creating or migrating it; `:memory:` is for tests."""
    connection = sqlite3.connect(path, timeout=10, isolation_level="IMMEDIATE")
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection)
    return Library(connection)
