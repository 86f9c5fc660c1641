"""What people owe us."""

from __future__ import annotations

import sqlite3
from datetime import date

from toolshed.errors import Unknown


class Fines:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def charge(self, member_id: int, cents: int, reason: str) -> int:
        with self._db:
            return self.add(member_id, cents, reason)

    def add(self, member_id: int, cents: int, reason: str) -> int:
        """Like `charge`, inside a transaction of the caller."""
        return self._db.execute(
            "INSERT INTO fines (member_id, cents, reason) VALUES (?, ?, ?)",
            (member_id, cents, reason),
        ).lastrowid

    def pay(self, fine_id: int, on: date) -> None:
        with self._db:
            done = self._db.execute(
                "UPDATE fines SET paid_on = ? WHERE id = ? AND paid_on IS NULL",
                (on.isoformat(), fine_id),
            )
        if done.rowcount == 0:
            raise Unknown("unpaid fine", fine_id)

    def unpaid(self, member_id: int) -> int:
        """In cents."""
        (cents,) = self._db.execute(
            "SELECT COALESCE(SUM(cents), 0) FROM fines WHERE member_id = ? AND paid_on IS NULL",
            (member_id,),
        ).fetchone()
        return cents
