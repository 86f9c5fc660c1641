"""Rules 9 to 11: two processes, and what old files hold."""

from __future__ import annotations

from driving import drive

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
