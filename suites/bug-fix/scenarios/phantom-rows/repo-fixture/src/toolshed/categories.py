"""What kinds of tools there are."""

from __future__ import annotations

import sqlite3

from toolshed.model import CategoryRow

SUMMARY = """
    SELECT categories.id, categories.name, COUNT(*), COUNT(loans.id)
    FROM tools
    LEFT JOIN categories ON categories.id = tools.category_id
    LEFT JOIN loans ON loans.tool_id = tools.id
    WHERE loans.returned_on IS NULL
    GROUP BY categories.id
    ORDER BY categories.id IS NULL, categories.name, categories.id
"""


class Categories:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, name: str) -> int:
        with self._db:
            return self._db.execute("INSERT INTO categories (name) VALUES (?)", (name,)).lastrowid

    def summary(self) -> list[CategoryRow]:
        """How many tools of every category we have, and how many are out."""
        return [CategoryRow(*row) for row in self._db.execute(SUMMARY)]
