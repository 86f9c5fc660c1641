"""Rules 1 to 6: tools, search and summaries."""

from __future__ import annotations

from grading import cases

from driving import answer, drive


def test_tools_nobody_inspected_are_available() -> None:
    available = drive(
        """
def main():
    library = made(["Axe", "Bow", "Cup", "Die"], ["Ines"])
    library.tools.inspect(2, "broken")
    library.tools.inspect(3, "good")
    library.loans.lend(4, 1, DAY)
    return names(library.tools.available())
"""
    )
    assert available == ["Axe", "Cup"]


def test_retired_tools_and_departed_members_hide_nobody() -> None:
    never_lent, never_borrowed, available = drive(
        """
def main():
    library = made(["Axe", "Bow", "Cup"], ["Ines", "Oskar", "Uma"])
    lent_before(library, 1, 1)
    lent_before(library, 2, 2)
    library.tools.retire(1)
    library.members.leave(1)
    return (
        names(library.tools.never_lent()),
        names(library.members.never_borrowed()),
        names(library.tools.available()),
    )
"""
    )
    assert never_lent == ["Cup"]
    assert never_borrowed == ["Uma"]
    assert available == ["Bow", "Cup"]


def test_popular_tools_are_tools_we_have() -> None:
    popular, top = drive(
        """
def main():
    library = made(["Saw", "Axe", "Cup", "Bow", "Axe"], ["Ines"])
    for tool in (1, 1, 1, 2, 4, 4, 5):
        lent_before(library, tool, 1)
    library.tools.retire(1)
    return rows(library.tools.popular()), rows(library.tools.popular(2))
"""
    )
    assert popular == [[4, "Bow", 2], [2, "Axe", 1], [5, "Axe", 1]]
    assert top == popular[:2]


# (name, note) of tools 1, 2, …; text; numbers of what is found
SEARCHES = [
    ([["Drill", None], ["Saw", None]], "drill", [1]),
    ([["Drill", None], ["Saw", "cordless drill saw"]], "DRILL", [1, 2]),
    ([["Sander 50%", None], ["Sander 500", "x"]], "50%", [1]),
    ([["bit_set", "x"], ["bit set", "x"]], "t_s", [1]),
    ([["C:\\tools", "x"], ["C:tools", "x"]], "\\", [1]),
    ([["a\\%b", "x"], ["a%b", "x"], ["a\\zb", "x"]], "\\%", [1]),
    ([["a\\_b", "x"], ["a_b", "x"], ["a\\zb", "x"]], "\\_", [1]),
    ([["100", "x"], ["1", "100%"]], "100%", [2]),
    ([["Saw", "red"], ["Saw red", None]], "saw red", [2]),
    ([["Saw", "red"]], " ", []),
    ([["Saw", "saw blade"]], "saw", [1]),
    ([["Élan", None], ["élan", None]], "élan", [2]),
    ([["[ab]", None], ["a", None]], "[a", [1]),
    ([["O'Neil", None], ["O\"Neil", None]], "o'n", [1]),
    ([["a*b", None], ["axb", None], ["a?b", None]], "a*b", [1]),
    ([["Axe", None], ["Bow", "x"]], "", [1, 2]),
    ([["Axe", ""], ["Bow", None]], "x", [1]),
]


@cases(SEARCHES)
def test_search_takes_the_text_literally(case: tuple) -> None:
    found = answer(
        """
def one(tools, text):
    library = made()
    for name, note in tools:
        library.tools.add(name, note=note)
    return sorted(tool.id for tool in library.tools.search(text).items)
""",
        [row[:2] for row in SEARCHES],
        case[:2],
    )
    assert found == case[2]


def test_every_member_has_a_row() -> None:
    found = drive(
        """
def main():
    library = made(["Axe", "Bow", "Cup"], ["Nils", "Paid", "Back", "Late", "Back"])
    library.fines.pay(library.fines.charge(2, 500, "lost"), DAY)
    lent_before(library, 1, 3)
    lent_before(library, 1, 3)
    library.loans.lend(2, 4, DAY)
    library.fines.charge(4, 200, "dirty")
    library.fines.pay(library.fines.charge(4, 70, "late"), DAY)
    return rows(library.members.summary())
"""
    )
    assert found == [
        [3, "Back", 2, 0, 0],
        [5, "Back", 0, 0, 0],
        [4, "Late", 1, 1, 200],
        [1, "Nils", 0, 0, 0],
        [2, "Paid", 0, 0, 0],
    ]


def test_every_loan_and_every_fine_counts_once() -> None:
    found = drive(
        """
def main():
    library = made(["Axe", "Bow", "Cup"], ["Ines"])
    lent_before(library, 3, 1)
    library.loans.lend(1, 1, DAY)
    library.loans.lend(2, 1, DAY)
    for cents in (150, 150, 200):
        library.fines.charge(1, cents, "late")
    library.tools.retire(3)
    return rows(library.members.summary()), library.fines.unpaid(1)
"""
    )
    assert found == [[[1, "Ines", 3, 2, 500]], 500]


def test_every_category_has_a_row() -> None:
    found, without = drive(
        """
def main():
    library = made(members=["Ines", "Oskar"])
    for name in ("Saws", "Empty", "Drills", "Drills"):
        library.categories.add(name)
    for category in (1, 1, 1, 3, None, None):
        library.tools.add("Tool", category)
    for tool in (1, 1, 2, 5):
        lent_before(library, tool, 1)
    library.loans.lend(1, 1, DAY)
    library.loans.lend(3, 1, DAY)
    library.loans.lend(5, 2, DAY)
    first = rows(library.categories.summary())
    library.loans.give_back(library.loans.open().items[-1].id, DAY)
    library.tools.retire(5)
    library.tools.retire(6)
    return first, rows(library.categories.summary())
"""
    )
    assert found == [
        [3, "Drills", 1, 0],
        [4, "Drills", 0, 0],
        [2, "Empty", 0, 0],
        [1, "Saws", 3, 2],
        [None, None, 2, 1],
    ]
    assert without == found[:-1]


def test_without_tools_there_are_only_categories() -> None:
    found = drive(
        """
def main():
    library = made()
    empty = rows(library.categories.summary())
    library.categories.add("Saws")
    return empty, rows(library.categories.summary())
"""
    )
    assert found == [[], [[1, "Saws", 0, 0]]]
