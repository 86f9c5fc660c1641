"""The tools we have."""

from __future__ import annotations

import sqlite3

from toolshed.errors import OnLoan, Unknown
from toolshed.model import Page, PopularRow, Tool
from toolshed.paging import Listing, page
from toolshed.writing import writing

BROKEN = "broken"
COLUMNS = "tools.id, tools.name, tools.category_id, tools.note, tools.condition"

AVAILABLE = f"""
    SELECT {COLUMNS} FROM tools
    WHERE condition IS NOT '{BROKEN}'
    AND NOT EXISTS (
        SELECT 1 FROM loans WHERE loans.tool_id = tools.id AND loans.returned_on IS NULL
    )
    ORDER BY id
"""
NEVER_LENT = f"""
    SELECT {COLUMNS} FROM tools
    WHERE NOT EXISTS (SELECT 1 FROM loans WHERE loans.tool_id = tools.id)
    ORDER BY id
"""
POPULAR = """
    SELECT tools.id, tools.name, COUNT(*) AS times
    FROM loans
    JOIN tools ON tools.id = loans.tool_id
    GROUP BY tools.id
    ORDER BY times DESC, tools.name, tools.id
    LIMIT ?
"""
SEARCH = Listing(
    columns=COLUMNS,
    rows="tools WHERE (name LIKE :like ESCAPE '\\' OR note LIKE :like ESCAPE '\\')",
    order=("LOWER(name)", "id"),
)


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
        with writing(self._db):
            self._must_be_here(tool_id)
            self._db.execute("UPDATE tools SET condition = ? WHERE id = ?", (condition, tool_id))

    def retire(self, tool_id: int) -> None:
        """Delete a tool; its loans stay, without it."""
        with writing(self._db):
            self._must_be_here(tool_id)
            self._db.execute("DELETE FROM tools WHERE id = ?", (tool_id,))

    def search(self, text: str, after: str | None = None, limit: int = 20) -> Page[Tool]:
        literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return page(self._db, SEARCH, Tool, after, limit, like=f"%{literal}%")

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
