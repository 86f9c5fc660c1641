"""Every rule of docs/lists.md, through the methods in the README."""

from __future__ import annotations

import functools
import json

from grading import cases, python

COMMON = '''
import dataclasses
import os
import sqlite3
import tempfile
from datetime import date, timedelta

from toolshed import open_library

DAY = date(2024, 5, 2)


def made(tools=(), members=()):
    library = open_library(":memory:")
    for tool in tools:
        library.tools.add(tool)
    for member in members:
        library.members.join(member)
    return library


def lent_before(library, tool, member, days=1):
    return library.loans.give_back(library.loans.lend(tool, member, DAY), DAY + timedelta(days)).id


def names(items):
    return [item.name for item in items]


def rows(items):
    return [list(dataclasses.astuple(item)) for item in items]


def walk(ask, limit, meanwhile=lambda number: None):
    """Turn pages to the end; `meanwhile` runs before every page but the first."""
    pages, after = [], None
    while len(pages) < 50:
        page = ask(after, limit)
        pages.append([item.id for item in page.items])
        after = page.next
        if after is None:
            return pages
        meanwhile(len(pages))
    return pages
'''


EACH = """

def main(table):
    answers = []
    for row in table:
        try:
            answers.append({"answer": one(*row)})
        except Exception as error:
            answers.append({"error": repr(error)})
    return answers
"""


def drive(body: str, *arguments: object) -> object:
    return python(COMMON + body, *arguments, path=["src"])


@functools.cache
def _answers(body: str, table: str) -> list:
    return python(COMMON + body + EACH, json.loads(table), path=["src"])


def answer(body: str, table: list, row: object) -> object:
    """What `one(*row)` of the driver returns; a whole table shares one worker."""
    found = _answers(body, json.dumps(table))[table.index(row)]
    assert list(found) == ["answer"], found
    return found["answer"]


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


RACE = """
def attempt(action):
    try:
        action()
    except Exception as error:
        return type(error).__name__
    return "ok"


def race(prepare, mine, theirs, judge):
    # Before every statement that one process runs, in turn, let the other one do all of its work.
    found = []
    for stop_at in range(1, 60):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "toolshed.db")
            desk, web = open_library(path), open_library(path)
            web.connection.execute("PRAGMA busy_timeout = 40").fetchall()
            prepare(desk)
            seen, others = [], []
            def trace(statement):
                seen.append(statement)
                if len(seen) == stop_at:
                    others.append(attempt(lambda: theirs(web)))
            desk.connection.set_trace_callback(trace)
            outcome = attempt(lambda: mine(desk))
            desk.connection.set_trace_callback(None)
            if not others:
                desk.close()
                web.close()
                return found
            found.append([[outcome, others[0]].count("ok"), judge(desk)])
            desk.close()
            web.close()
    return found
"""


def check_race(body: str, expected: list) -> None:
    rounds = drive(RACE + body)
    assert rounds
    for result in rounds:
        assert result == expected, rounds


def test_two_processes_cannot_lend_one_tool() -> None:
    check_race(
        """
def prepare(library):
    library.tools.add("Axe")
    library.members.join("Ines")
    library.members.join("Oskar")


def main():
    return race(
        prepare,
        lambda library: library.loans.lend(1, 1, DAY),
        lambda library: library.loans.lend(1, 2, DAY),
        lambda library: len(library.loans.open().items),
    )
""",
        [1, 1],
    )


def test_two_processes_cannot_lend_a_fourth_tool() -> None:
    check_race(
        """
def prepare(library):
    for name in ("Axe", "Bow", "Cup", "Die"):
        library.tools.add(name)
    library.members.join("Ines")
    library.loans.lend(1, 1, DAY)
    library.loans.lend(2, 1, DAY)


def main():
    return race(
        prepare,
        lambda library: library.loans.lend(3, 1, DAY),
        lambda library: library.loans.lend(4, 1, DAY),
        lambda library: len(library.loans.open().items),
    )
""",
        [1, 3],
    )


def test_a_late_return_costs_one_fine() -> None:
    check_race(
        """
def prepare(library):
    library.tools.add("Axe")
    library.members.join("Ines")
    library.loans.lend(1, 1, DAY, date(2024, 5, 4))


def main():
    return race(
        prepare,
        lambda library: library.loans.give_back(1, date(2024, 5, 6)),
        lambda library: library.loans.give_back(1, date(2024, 5, 6)),
        lambda library: library.fines.unpaid(1),
    )
""",
        [1, 100],
    )


def test_a_refused_loan_leaves_the_file_free() -> None:
    outcomes, open_loans = drive(
        RACE
        + """
def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "toolshed.db")
        desk, web = open_library(path), open_library(path)
        web.connection.execute("PRAGMA busy_timeout = 40").fetchall()
        desk.tools.add("Axe")
        desk.tools.add("Bow", condition="broken")
        desk.tools.add("Cup")
        desk.members.join("Ines")
        outcomes = [
            attempt(lambda: desk.loans.lend(1, 1, DAY)),
            attempt(lambda: desk.loans.lend(1, 1, DAY)),
            attempt(lambda: desk.loans.lend(2, 1, DAY)),
            attempt(lambda: desk.loans.lend(9, 1, DAY)),
            attempt(lambda: desk.loans.give_back(9, DAY)),
            attempt(lambda: web.loans.lend(3, 1, DAY)),
            attempt(lambda: desk.loans.give_back(2, DAY)),
            attempt(lambda: desk.loans.give_back(2, DAY)),
            attempt(lambda: web.tools.add("Die")),
        ]
        return outcomes, len(web.loans.open().items)
"""
    )
    assert outcomes == [
        "ok",
        "AlreadyLent",
        "NotLendable",
        "Unknown",
        "Unknown",
        "ok",
        "ok",
        "NotOpen",
        "ok",
    ]
    assert open_loans == 1


OLD_FILE = '''
OLD = """
CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE tools (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
    category_id INTEGER REFERENCES categories (id) ON DELETE SET NULL, note TEXT);
CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE loans (id INTEGER PRIMARY KEY,
    tool_id INTEGER REFERENCES tools (id) ON DELETE SET NULL,
    member_id INTEGER REFERENCES members (id) ON DELETE SET NULL,
    lent_on TEXT NOT NULL, due_on TEXT, returned_on TEXT);
CREATE TABLE fines (id INTEGER PRIMARY KEY,
    member_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    cents INTEGER NOT NULL, reason TEXT NOT NULL, paid_on TEXT);
ALTER TABLE tools ADD COLUMN condition TEXT;
CREATE INDEX loans_by_tool ON loans (tool_id);
CREATE INDEX loans_by_member ON loans (member_id);
PRAGMA user_version = 3;
INSERT INTO categories VALUES (1, 'Saws');
INSERT INTO tools VALUES (1, 'Axe', 1, NULL, NULL), (2, 'Bow', 1, NULL, NULL);
INSERT INTO members VALUES (1, 'Ines'), (2, 'Oskar');
INSERT INTO loans VALUES (1, 1, 1, '2024-01-01', '2024-01-08', NULL),
    (2, 1, 2, '2024-01-01', NULL, NULL), (3, NULL, NULL, '2023-01-01', NULL, '2023-01-02');
"""


def old_library(folder):
    path = os.path.join(folder, "toolshed.db")
    db = sqlite3.connect(path)
    db.executescript(OLD)
    db.close()
    return open_library(path)
'''


def test_a_tool_lent_twice_in_an_old_file_is_one_tool() -> None:
    found = drive(
        OLD_FILE
        + """
def main():
    with tempfile.TemporaryDirectory() as folder:
        library = old_library(folder)
        found = {
            "open": [loan.id for loan in library.loans.open().items],
            "available": names(library.tools.available()),
            "categories": rows(library.categories.summary()),
            "members": rows(library.members.summary()),
            "never lent": names(library.tools.never_lent()),
            "popular": rows(library.tools.popular()),
        }
        library.close()
        return found
"""
    )
    assert found == {
        "open": [1, 2],
        "available": ["Bow"],
        "categories": [[1, "Saws", 2, 1]],
        "members": [[1, "Ines", 1, 1, 0], [2, "Oskar", 1, 1, 0]],
        "never lent": ["Bow"],
        "popular": [[1, "Axe", 2]],
    }


def test_a_tool_lent_twice_comes_back_twice() -> None:
    found = drive(
        RACE
        + OLD_FILE
        + """
def main():
    with tempfile.TemporaryDirectory() as folder:
        library = old_library(folder)
        found = [attempt(lambda: library.loans.lend(1, 1, DAY))]
        for loan in (1, 2):
            found.append(attempt(lambda: library.loans.give_back(loan, date(2024, 1, 9))))
            found.append(names(library.tools.available()))
        found.append(attempt(lambda: library.loans.lend(1, 1, DAY)))
        found.append(library.fines.unpaid(1))
        library.close()
        return found
"""
    )
    assert found == ["AlreadyLent", "ok", ["Bow"], "ok", ["Axe", "Bow"], "ok", 50]
