"""Who has what."""

from __future__ import annotations

import sqlite3
from datetime import date

from toolshed.errors import AlreadyLent, NotLendable, NotOpen, TooManyLoans, Unknown
from toolshed.fines import Fines
from toolshed.members import Members
from toolshed.model import Loan, OpenLoan, Page
from toolshed.paging import page
from toolshed.tools import BROKEN, Tools
from toolshed.writing import writing

MOST_LOANS = 3
CENTS_PER_DAY = 50

OPEN = """
    SELECT loans.id, tools.name, members.name, loans.due_on
    FROM loans
    JOIN tools ON tools.id = loans.tool_id
    LEFT JOIN members ON members.id = loans.member_id
    WHERE loans.returned_on IS NULL
    ORDER BY loans.due_on NULLS LAST, loans.id
"""
OVERDUE = """
    SELECT loans.id, tools.name, members.name, loans.due_on
    FROM loans
    JOIN tools ON tools.id = loans.tool_id
    LEFT JOIN members ON members.id = loans.member_id
    WHERE loans.returned_on IS NULL AND loans.due_on < ?
    ORDER BY loans.due_on, loans.id
"""


class Loans:
    def __init__(
        self, db: sqlite3.Connection, tools: Tools, members: Members, fines: Fines
    ) -> None:
        self._db = db
        self._tools = tools
        self._members = members
        self._fines = fines

    def lend(self, tool_id: int, member_id: int, on: date, due: date | None = None) -> int:
        """Returns the number of the loan, or says with an exception why there is none."""
        with writing(self._db):
            if self._tools.get(tool_id).condition == BROKEN:
                raise NotLendable(f"tool {tool_id} is broken")
            self._members.get(member_id)
            if self._count("tool_id = ?", tool_id):
                raise AlreadyLent(f"tool {tool_id} is on loan")
            if self._count("member_id = ?", member_id) >= MOST_LOANS:
                raise TooManyLoans(f"member {member_id} has {MOST_LOANS} tools")
            return self._db.execute(
                "INSERT INTO loans (tool_id, member_id, lent_on, due_on) VALUES (?, ?, ?, ?)",
                (tool_id, member_id, on.isoformat(), due and due.isoformat()),
            ).lastrowid

    def give_back(self, loan_id: int, on: date) -> Loan:
        """End a loan; every day over the due date costs the member something."""
        with writing(self._db):
            loan = self.get(loan_id)
            if loan.returned_on is not None:
                raise NotOpen(f"loan {loan_id} was given back on {loan.returned_on}")
            self._db.execute(
                "UPDATE loans SET returned_on = ? WHERE id = ?", (on.isoformat(), loan_id)
            )
            late = (on - loan.due_on).days if loan.due_on else 0
            if late > 0 and loan.member_id is not None:
                self._fines.add(loan.member_id, late * CENTS_PER_DAY, f"loan {loan_id}")
        return self.get(loan_id)

    def renew(self, loan_id: int, due: date | None) -> Loan:
        """Change the due date of an open loan, or take it away."""
        with writing(self._db):
            if self.get(loan_id).returned_on is not None:
                raise NotOpen(f"loan {loan_id} is not open")
            self._db.execute(
                "UPDATE loans SET due_on = ? WHERE id = ?", (due and due.isoformat(), loan_id)
            )
        return self.get(loan_id)

    def get(self, loan_id: int) -> Loan:
        row = self._db.execute(
            "SELECT id, tool_id, member_id, lent_on, due_on, returned_on FROM loans WHERE id = ?",
            (loan_id,),
        ).fetchone()
        if row is None:
            raise Unknown("loan", loan_id)
        return Loan(*row[:3], *(text and date.fromisoformat(text) for text in row[3:]))

    def open(self, after: str | None = None, limit: int = 20) -> Page[OpenLoan]:
        """What is out, the most urgent first."""
        return page(self._db, OPEN, (), _open_loan, after, limit)

    def overdue(self, on: date) -> list[OpenLoan]:
        return [_open_loan(*row) for row in self._db.execute(OVERDUE, (on.isoformat(),))]

    def _count(self, condition: str, number: int) -> int:
        (count,) = self._db.execute(
            f"SELECT COUNT(*) FROM loans WHERE returned_on IS NULL AND {condition}", (number,)
        ).fetchone()
        return count


def _open_loan(number: int, tool: str, member: str | None, due: str | None) -> OpenLoan:
    return OpenLoan(number, tool, member, due and date.fromisoformat(due))
