"""What kinds of tools there are."""

from __future__ import annotations

import sqlite3

from toolshed.model import CategoryRow

SUMMARY = """
    WITH stock AS (
        SELECT category_id, EXISTS (
            SELECT 1 FROM loans WHERE loans.tool_id = tools.id AND loans.returned_on IS NULL
        ) AS on_loan
        FROM tools
    )
    SELECT * FROM (
        SELECT categories.id, categories.name, COUNT(stock.on_loan), COALESCE(SUM(stock.on_loan), 0)
        FROM categories
        LEFT JOIN stock ON stock.category_id = categories.id
        GROUP BY categories.id
        UNION ALL
        SELECT NULL, NULL, COUNT(*), SUM(on_loan)
        FROM stock
        WHERE category_id IS NULL
        GROUP BY category_id
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
