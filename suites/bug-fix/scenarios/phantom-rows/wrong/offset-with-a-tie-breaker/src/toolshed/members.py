"""Who borrows tools."""

from __future__ import annotations

import sqlite3

from toolshed.errors import Unknown
from toolshed.model import Member, MemberRow

SUMMARY = """
    SELECT
        members.id,
        members.name,
        (SELECT COUNT(*) FROM loans WHERE loans.member_id = members.id),
        (
            SELECT COUNT(*) FROM loans
            WHERE loans.member_id = members.id AND loans.returned_on IS NULL
        ),
        (
            SELECT COALESCE(SUM(fines.cents), 0) FROM fines
            WHERE fines.member_id = members.id AND fines.paid_on IS NULL
        )
    FROM members
    ORDER BY members.name, members.id
"""
NEVER_BORROWED = """
    SELECT id, name FROM members
    WHERE NOT EXISTS (SELECT 1 FROM loans WHERE loans.member_id = members.id)
    ORDER BY name, id
"""


class Members:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def join(self, name: str) -> int:
        with self._db:
            return self._db.execute("INSERT INTO members (name) VALUES (?)", (name,)).lastrowid

    def get(self, member_id: int) -> Member:
        row = self._db.execute("SELECT id, name FROM members WHERE id = ?", (member_id,)).fetchone()
        if row is None:
            raise Unknown("member", member_id)
        return Member(*row)

    def leave(self, member_id: int) -> None:
        """Delete a member and what they owe; their loans stay, without them."""
        self.get(member_id)
        with self._db:
            self._db.execute("DELETE FROM members WHERE id = ?", (member_id,))

    def summary(self) -> list[MemberRow]:
        """One row per member, for the annual letter."""
        return [MemberRow(*row) for row in self._db.execute(SUMMARY)]

    def never_borrowed(self) -> list[Member]:
        return [Member(*row) for row in self._db.execute(NEVER_BORROWED)]
