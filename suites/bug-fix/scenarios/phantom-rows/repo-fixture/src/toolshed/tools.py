"""The tools we have."""

from __future__ import annotations

import sqlite3

from toolshed.errors import OnLoan, Unknown
from toolshed.model import Page, PopularRow, Tool
from toolshed.paging import page

BROKEN = "broken"
COLUMNS = "tools.id, tools.name, tools.category_id, tools.note, tools.condition"

AVAILABLE = f"""
    SELECT {COLUMNS} FROM tools
    WHERE condition <> '{BROKEN}'
    AND id NOT IN (SELECT tool_id FROM loans WHERE returned_on IS NULL)
    ORDER BY id
"""
NEVER_LENT = f"""
    SELECT {COLUMNS} FROM tools
    WHERE id NOT IN (SELECT tool_id FROM loans)
    ORDER BY id
"""
POPULAR = """
    SELECT loans.tool_id, tools.name, COUNT(*) AS times
    FROM loans
    LEFT JOIN tools ON tools.id = loans.tool_id
    GROUP BY loans.tool_id
    ORDER BY times DESC, tools.name, loans.tool_id
    LIMIT ?
"""
SEARCH = f"""
    SELECT {COLUMNS} FROM tools
    WHERE name || ' ' || note LIKE ?
    ORDER BY name COLLATE NOCASE
"""


class Tools:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(
        self,
        name: str,
        category_id: int | None = None,
        note: str | None = None,
        condition: str | None = None,
    ) -> int:
        with self._db:
            return self._db.execute(
                "INSERT INTO tools (name, category_id, note, condition) VALUES (?, ?, ?, ?)",
                (name, category_id, note, condition),
            ).lastrowid

    def get(self, tool_id: int) -> Tool:
        row = self._db.execute(
            f"SELECT {COLUMNS} FROM tools WHERE id = ?", (tool_id,)
        ).fetchone()
        if row is None:
            raise Unknown("tool", tool_id)
        return Tool(*row)

    def inspect(self, tool_id: int, condition: str) -> None:
        """Note what state a tool is in; `broken` keeps it from being lent."""
        self._must_be_here(tool_id)
        with self._db:
            self._db.execute("UPDATE tools SET condition = ? WHERE id = ?", (condition, tool_id))

    def retire(self, tool_id: int) -> None:
        """Delete a tool; its loans stay, without it."""
        self._must_be_here(tool_id)
        with self._db:
            self._db.execute("DELETE FROM tools WHERE id = ?", (tool_id,))

    def search(self, text: str, after: str | None = None, limit: int = 20) -> Page[Tool]:
        return page(self._db, SEARCH, (f"%{text}%",), Tool, after, limit)

    def available(self) -> list[Tool]:
        """What somebody could take home now."""
        return [Tool(*row) for row in self._db.execute(AVAILABLE)]

    def never_lent(self) -> list[Tool]:
        """Candidates for the jumble sale."""
        return [Tool(*row) for row in self._db.execute(NEVER_LENT)]

    def popular(self, limit: int = 10) -> list[PopularRow]:
        return [PopularRow(*row) for row in self._db.execute(POPULAR, (limit,))]

    def _must_be_here(self, tool_id: int) -> None:
        self.get(tool_id)
        if self._db.execute(
            "SELECT 1 FROM loans WHERE tool_id = ? AND returned_on IS NULL", (tool_id,)
        ).fetchone():
            raise OnLoan(f"tool {tool_id} is on loan")
