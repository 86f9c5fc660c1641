"""What kinds of tools there are."""

from __future__ import annotations

import sqlite3

from toolshed.model import CategoryRow

SUMMARY = """
    SELECT * FROM (
        SELECT categories.id, categories.name, COUNT(tools.id), COUNT(loans.id)
        FROM categories
        LEFT JOIN tools ON tools.category_id = categories.id
        LEFT JOIN loans ON loans.tool_id = tools.id AND loans.returned_on IS NULL
        GROUP BY categories.id
        UNION ALL
        SELECT NULL, NULL, COUNT(*), COUNT(loans.id)
        FROM tools
        LEFT JOIN loans ON loans.tool_id = tools.id AND loans.returned_on IS NULL
        WHERE tools.category_id IS NULL
        GROUP BY tools.category_id
    )
    ORDER BY id IS NULL, name, id
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
