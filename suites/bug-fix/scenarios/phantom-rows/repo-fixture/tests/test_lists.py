from datetime import date

import pytest

from toolshed import BadCursor, CategoryRow, MemberRow, open_library

MAY_2 = date(2024, 5, 2)


@pytest.fixture
def library():
    library = open_library(":memory:")
    drills = library.categories.add("Drills")
    garden = library.categories.add("Garden")
    library.tools.add("Hammer drill", drills, "two bits", "good")
    library.tools.add("Cordless drill", drills, "18 V", "good")
    library.tools.add("Apple press", garden, "heavy", "worn")
    library.tools.add("Hedge shears", garden, "left hand", "broken")
    library.members.join("Ines")
    library.members.join("Oskar")
    yield library
    library.close()


def names(items):
    return [item.name for item in items]


def test_lent_and_broken_tools_are_not_available(library):
    library.loans.lend(1, 1, MAY_2)
    assert names(library.tools.available()) == ["Cordless drill", "Apple press"]


def test_tools_that_nobody_wanted(library):
    library.loans.lend(1, 1, MAY_2)
    assert names(library.tools.never_lent()) == ["Cordless drill", "Apple press", "Hedge shears"]
    assert names(library.members.never_borrowed()) == ["Oskar"]


def test_popular_tools_come_first(library):
    for tool in (3, 1, 3):
        library.loans.give_back(library.loans.lend(tool, 1, MAY_2), MAY_2)
    found = [(row.name, row.loans) for row in library.tools.popular()]
    assert found == [("Apple press", 2), ("Hammer drill", 1)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("drill", ["Cordless drill", "Hammer drill"]),
        ("DRILL", ["Cordless drill", "Hammer drill"]),
        ("left", ["Hedge shears"]),
        ("18 V", ["Cordless drill"]),
        ("crane", []),
    ],
)
def test_search_looks_at_name_and_note(library, text, found):
    assert names(library.tools.search(text).items) == found


def test_pages_of_search_results(library):
    first = library.tools.search("", limit=3)
    assert names(first.items) == ["Apple press", "Cordless drill", "Hammer drill"]
    second = library.tools.search("", after=first.next, limit=3)
    assert names(second.items) == ["Hedge shears"]
    assert second.next is None


def test_open_loans_by_due_date(library):
    library.loans.lend(1, 1, MAY_2, date(2024, 5, 20))
    library.loans.lend(2, 2, MAY_2, date(2024, 5, 10))
    library.loans.lend(3, 1, MAY_2, date(2024, 5, 15))
    page = library.loans.open(limit=2)
    assert [(loan.tool, loan.member) for loan in page.items] == [
        ("Cordless drill", "Oskar"),
        ("Apple press", "Ines"),
    ]
    assert [loan.tool for loan in library.loans.open(page.next, 2).items] == ["Hammer drill"]
    assert [loan.id for loan in library.loans.overdue(date(2024, 5, 16))] == [2, 3]


def test_cursors_cannot_be_made_up(library):
    for cursor in ("x", "eHg=", "e30="):
        with pytest.raises(BadCursor):
            library.loans.open(after=cursor)
    with pytest.raises(ValueError):
        library.loans.open(limit=0)


def test_members_with_a_loan_and_a_fine(library):
    library.loans.lend(1, 1, MAY_2)
    library.loans.lend(2, 2, MAY_2)
    library.fines.charge(1, 300, "scratched")
    assert library.members.summary() == [
        MemberRow(1, "Ines", 1, 1, 300),
        MemberRow(2, "Oskar", 1, 1, 0),
    ]


def test_categories_with_tools(library):
    library.loans.lend(1, 1, MAY_2)
    assert library.categories.summary() == [
        CategoryRow(1, "Drills", 2, 1),
        CategoryRow(2, "Garden", 2, 0),
    ]
