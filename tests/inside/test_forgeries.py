"""The published ways to forge a pass, and some of our own, against the real grading container."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.inside.talking import (
    AGENT,
    Talk,
    grade_in_a_container,
    in_a_container,
    messages,
    pack,
    unpack,
    verdicts,
)

pytestmark = pytest.mark.docker

CANARY = "canary-4f1c2b"
HIDDEN = f"""
# {CANARY}
from grading import Raised, call, cases, run

@cases([[[1, 2, 3], 6], [[], 0], [[-5, 5, 7], 7], [[10**20, 1], 10**20 + 1]])
def test_total(case):
    values, expected = case
    assert call("app:total", values) == expected

def test_no_text():
    try:
        call("app:total", ["x"])
    except Raised as error:
        assert error.type == "TypeError"
    else:
        raise AssertionError("took text")

def test_program():
    done = run(["python3", "-m", "app", "1", "2"], env={{"PYTHONPATH": "src"}})
    assert (done.exit_code, done.stdout) == (0, "3\\n")
"""
WRONG = "def total(values):\n    return 42\n"
MAIN = """
if __name__ == "__main__":
    import sys
    print(total([int(word) for word in sys.argv[1:]]))
"""
FORGERIES: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("forgeries.yaml").read_text()
)
ENDLESS = {"a fork bomb": 1.0, "a flood": 1.0}
HONEST = "def total(values):\n    return sum(values)\n" + MAIN
NOISY = """
import os, sys
print("passed" * 1000)
print("failed", file=sys.stderr)
def total(values):
    os.write(1, b"working")
    return sum(values)
"""


@pytest.fixture
def grader(image: str) -> Iterator[Talk]:
    assert image
    with in_a_container(grading=True) as daemon:
        yield daemon


def graded(
    daemon: Talk, files: dict[str, str], *, test_timeout_s: float = 15
) -> tuple[dict[str, str], dict[str, str]]:
    base = {"src/app.py": WRONG + MAIN, "README.md": "An exercise."}
    changes = [
        {"path": pack(name.encode()), "kind": "file", "data": pack(text.encode())}
        for name, text in {**base, **files}.items()
    ]
    who = [AGENT, AGENT]
    assert "error" not in daemon.ask("apply", root="/workspace", changes=changes, who=who)
    tests = {"test_app.py": HIDDEN}
    report = grade_in_a_container(daemon, tests, test_timeout_s=test_timeout_s)
    return verdicts(report), messages(report)


TESTS = [*(f"test_app.py::test_total[{n}]" for n in range(4)), "test_app.py::test_no_text"]
TESTS += ["test_app.py::test_program"]
"""Of these, an exercise that answers 42 passes none."""


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_does_not_pass(grader: Talk, name: str) -> None:
    found, said = graded(grader, FORGERIES[name], test_timeout_s=ENDLESS.get(name, 15))
    assert found == dict.fromkeys(TESTS, "failure"), said
    left = unpack(grader.run(f"grep -l 'Uid:.{AGENT}' /proc/[0-9]*/status")["stdout"])
    assert left == b""


def test_an_honest_fix_passes(grader: Talk) -> None:
    found, said = graded(grader, {"src/app.py": HONEST})
    assert found == dict.fromkeys(TESTS, "passed"), said


def test_what_the_agents_code_prints_changes_no_value(grader: Talk) -> None:
    found, said = graded(grader, {"src/app.py": NOISY + MAIN})
    program = TESTS[-1]
    assert found == {**dict.fromkeys(TESTS, "passed"), program: "failure"}, said
