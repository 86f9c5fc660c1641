"""Rules 7 and 8: order and pages."""

from __future__ import annotations

from grading import cases

from driving import answer, drive

LOANS = """
DUES = [None, 20, 10, 10, None, 10, 30, None, 10, 20]


def lending():
    library = made(["Tool"] * 30, ["Member"] * 30)
    for number, due in enumerate(DUES, 1):
        library.loans.lend(number, number, DAY, due and date(2024, 5, due))
    return library


def loans_of(library):
    return lambda after, limit: library.loans.open(after, limit)
"""

BY_DUE = [3, 4, 6, 9, 2, 10, 7, 1, 5, 8]
LIMITS = [1, 2, 3, 4, 5, 9, 10, 11, 12]


def walked(driver: str, case: int) -> list:
    return answer(driver, [[limit] for limit in LIMITS], [case])


@cases(LIMITS)
def test_open_loans_have_one_order_on_all_pages(case: int) -> None:
    pages = walked(LOANS + "def one(limit):\n    return walk(loans_of(lending()), limit)\n", case)
    assert pages == [BY_DUE[at : at + case] for at in range(0, len(BY_DUE), case)]


def test_no_page_follows_the_last_row() -> None:
    pages = drive(
        LOANS
        + """
def main():
    library = made(["Tool"], ["Member"])
    empty = walk(loans_of(library), 1)
    library.loans.lend(1, 1, DAY)
    tools = walk(lambda after, limit: library.tools.search("", after, limit), 1)
    none = walk(lambda after, limit: library.tools.search("xyz", after, limit), 1)
    return [empty, walk(loans_of(library), 1), tools, none]
"""
    )
    assert pages == [[[]], [[1]], [[1]], [[]]]


def test_the_loan_of_a_departed_member_is_still_open() -> None:
    found, overdue = drive(
        """
def main():
    library = made(["Axe", "Bow"], ["Ines", "Oskar"])
    library.loans.lend(1, 1, DAY, date(2024, 5, 9))
    library.loans.lend(2, 2, DAY, date(2024, 5, 10))
    library.members.leave(1)
    shown = [[loan.id, loan.tool, loan.member] for loan in library.loans.open().items]
    return shown, [loan.id for loan in library.loans.overdue(date(2024, 5, 20))]
"""
    )
    assert found == [[1, "Axe", None], [2, "Bow", "Oskar"]]
    assert overdue == [1, 2]


@cases([1, 2, 3, 4])
def test_returned_loans_do_not_hide_others(case: int) -> None:
    pages = walked(
        LOANS
        + """
def one(limit):
    library = lending()
    seen = []
    def ask(after, limit):
        page = library.loans.open(after, limit)
        seen.append([loan.id for loan in page.items])
        return page
    def give_back_what_was_seen(number):
        for loan in seen[-1]:
            library.loans.give_back(loan, DAY)
    return walk(ask, limit, give_back_what_was_seen)
""",
        case,
    )
    assert [loan for page in pages for loan in page] == BY_DUE


@cases([1, 2, 3, 4])
def test_new_loans_repeat_nothing(case: int) -> None:
    pages = walked(
        LOANS
        + """
def one(limit):
    library = lending()
    def lend_something_urgent(number):
        library.loans.lend(10 + number, 10 + number, DAY, date(2024, 5, 3))
    return walk(loans_of(library), limit, lend_something_urgent)
""",
        case,
    )
    assert [loan for page in pages for loan in page] == BY_DUE


@cases([1, 2, 3])
def test_new_loans_without_a_date_come_last(case: int) -> None:
    pages = walked(
        LOANS
        + """
def one(limit):
    library = lending()
    def lend_for_good(number):
        if number == 1:
            library.loans.lend(11, 11, DAY)
    return walk(loans_of(library), limit, lend_for_good)
""",
        case,
    )
    assert [loan for page in pages for loan in page] == [*BY_DUE, 11]


TOOLS = """
NAMES = ["Cup", "adze", "Bow", "Adze", "axe", "_jig", "bow", "Axe", "AXE", "100", "Zip"]


def shed():
    return made(NAMES, ["Ines"])


def tools_of(library):
    return lambda after, limit: library.tools.search("", after, limit)
"""

BY_NAME = [10, 6, 2, 4, 5, 8, 9, 3, 7, 1, 11]


@cases(LIMITS)
def test_search_results_have_one_order_on_all_pages(case: int) -> None:
    pages = walked(TOOLS + "def one(limit):\n    return walk(tools_of(shed()), limit)\n", case)
    assert pages == [BY_NAME[at : at + case] for at in range(0, len(BY_NAME), case)]


@cases([1, 2, 3, 4])
def test_retired_and_new_tools_neither_hide_nor_repeat_others(case: int) -> None:
    pages = walked(
        TOOLS
        + """
def one(limit):
    library = shed()
    seen = []
    def ask(after, limit):
        page = library.tools.search("", after, limit)
        seen.append([tool.id for tool in page.items])
        return page
    def retire_and_add(number):
        for tool in seen[-1]:
            library.tools.retire(tool)
        library.tools.add("0 first of all")
    return walk(ask, limit, retire_and_add)
""",
        case,
    )
    assert [tool for page in pages for tool in page] == BY_NAME


def test_pages_of_a_search_hold_only_what_was_searched_for() -> None:
    pages = drive(
        """
def main():
    library = made()
    for name, note in [("b", "50%"), ("a", "500"), ("c", None), ("50% off", None), ("A", "50%")]:
        library.tools.add(name, note=note)
    return walk(lambda after, limit: library.tools.search("50%", after, limit), 1)
"""
    )
    assert pages == [[4], [5], [1]]
