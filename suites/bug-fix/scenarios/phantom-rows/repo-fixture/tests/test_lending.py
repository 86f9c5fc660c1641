from datetime import date

import pytest

from toolshed import AlreadyLent, NotLendable, NotOpen, TooManyLoans, Unknown, open_library
from toolshed.errors import OnLoan

MAY_2 = date(2024, 5, 2)
MAY_9 = date(2024, 5, 9)


@pytest.fixture
def library():
    library = open_library(":memory:")
    for name in ("Drill", "Ladder", "Saw", "Press"):
        library.tools.add(name)
    library.members.join("Ines")
    library.members.join("Oskar")
    yield library
    library.close()


def test_a_tool_is_lent_to_one_member(library):
    library.loans.lend(1, 1, MAY_2, MAY_9)
    with pytest.raises(AlreadyLent):
        library.loans.lend(1, 2, MAY_2)


def test_a_returned_tool_can_be_lent_again(library):
    loan = library.loans.lend(1, 1, MAY_2, MAY_9)
    assert library.loans.give_back(loan, MAY_9).returned_on == MAY_9
    assert library.loans.lend(1, 2, MAY_9) != loan


def test_three_tools_are_enough(library):
    for tool in (1, 2, 3):
        library.loans.lend(tool, 1, MAY_2)
    with pytest.raises(TooManyLoans):
        library.loans.lend(4, 1, MAY_2)


def test_broken_tools_stay(library):
    library.tools.inspect(1, "broken")
    with pytest.raises(NotLendable):
        library.loans.lend(1, 1, MAY_2)
    library.tools.inspect(1, "good")
    library.loans.lend(1, 1, MAY_2)


def test_being_late_costs_fifty_cents_a_day(library):
    loan = library.loans.lend(1, 1, MAY_2, MAY_9)
    library.loans.give_back(loan, date(2024, 5, 12))
    assert library.fines.unpaid(1) == 150
    with pytest.raises(NotOpen):
        library.loans.give_back(loan, date(2024, 5, 13))
    assert library.fines.unpaid(1) == 150


def test_no_due_date_no_fine(library):
    loan = library.loans.lend(1, 1, MAY_2, MAY_9)
    assert library.loans.renew(loan, None).due_on is None
    library.loans.give_back(loan, date(2025, 1, 1))
    assert library.fines.unpaid(1) == 0


def test_fines_are_paid_once(library):
    fine = library.fines.charge(1, 250, "lost bit")
    library.fines.pay(fine, MAY_9)
    assert library.fines.unpaid(1) == 0
    with pytest.raises(Unknown):
        library.fines.pay(fine, MAY_9)


def test_what_is_on_loan_cannot_be_retired(library):
    loan = library.loans.lend(1, 1, MAY_2)
    with pytest.raises(OnLoan):
        library.tools.retire(1)
    library.loans.give_back(loan, MAY_9)
    library.tools.retire(1)
    assert library.loans.get(loan).tool_id is None


def test_numbers_must_exist(library):
    with pytest.raises(Unknown):
        library.loans.lend(99, 1, MAY_2)
    with pytest.raises(Unknown):
        library.loans.lend(1, 99, MAY_2)
    with pytest.raises(Unknown):
        library.loans.give_back(99, MAY_2)
