from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.domain.scenario import Level
from harness.load.scenarios import load_scenario
from tests.load.project import KINDS, Project

Make = Callable[..., Project]

EXPECTED = '{"expected": [{"name": "x", "file": "a"}]}'


@pytest.mark.parametrize(
    ("evaluators", "said"),
    [
        (
            "[{name: biuld}]",
            "/evaluators/0/name (line 2): no evaluator 'biuld'; did you mean 'build'? (a",
        ),
        (
            "[{name: x, uses: tset}]",
            "/evaluators/0/uses (line 2): no evaluator 'tset'; did you mean",
        ),
        (
            "[{name: oracle, wieght: 1}]",
            "/evaluators/0/wieght (line 2): unknown key 'wieght'; did you",
        ),
        (
            "[{name: test, weight: -1}]",
            "/evaluators/0/weight (line 2): -1 is out of range; it must be",
        ),
        (
            "[{name: test, level: C}]",
            "/evaluators/0/level (line 2): 'C' is unknown here; there is 'A',",
        ),
        (
            "[{name: build, command: a}, {name: build, command: b}]",
            "/evaluators/1/name (line 2): 'build' n",
        ),
        (
            "[{name: build, command: a, weight: 0}]",
            "/evaluators (line 2): every check that can run has",
        ),
        ("[]", "/: there is no check: list `evaluators`"),
        (
            "[{name: heuristic_checks}]",
            "/evaluators/0 (line 2): there is no check in heuristic_checks",
        ),
        (
            "[{name: build, command: a, threshold: 0.5}]",
            "/evaluators/0/threshold (line 2): is what a required check has to score",
        ),
        (
            "[{name: build, command: a, after: {tets: 1}}]",
            "/evaluators/0/after/tets (line 2): names no check; ",
        ),
        (
            "[{name: build, command: a, after: {build: 1}}]",
            "/evaluators/0/after/build (line 2): waits for 'build' itself",
        ),
        (
            "[{name: heuristic_checks, options: {fast: true}}]",
            "/evaluators/0/options/fast (line 2): unknown key 'fast'",
        ),
        (
            "[{name: lint}]",
            "/evaluators/0 (line 2): needs a `command`, or a validation command named 'lin",
        ),
        (
            "[{name: lint, timeout: 5}]",
            "/evaluators/0/timeout (line 2): is for a `command` of the check",
        ),
        (
            "[{name: lint, command: x, level: A}]",
            "/evaluators/0/level (line 2): means nothing to the eval",
        ),
        (
            "[{name: oracle}]",
            "/evaluators/0 (line 2): checks expected values, but the oracle's file has",
        ),
        (
            "[{name: oracle, command: x}]",
            "/evaluators/0/command (line 2): means nothing to the evaluator",
        ),
        ("[{name: test}]", "/evaluators/0 (line 2): a test of level A needs `tests` or `command`"),
        (
            "[{name: test, level: B}]",
            "/evaluators/0 (line 2): a test of level B needs hidden/test_*.py",
        ),
        ("[{name: test, level: B, tests: [a]}]", "/evaluators/0/tests (line 2): is of level A"),
        ("[{name: test, level: A, tests: [a], report: r.xml}]", "is what a `command` writes"),
        ("[{name: test, tests: [../a]}]", "'../a' is not a relative path that does not climb"),
        (
            "[{name: test, tests: [a], fail_to_pass: [x], pass_to_pass: [x]}]",
            "'x' is in fail_to_pass as",
        ),
    ],
)
def test_an_evaluator_that_cannot_be_is_refused(project: Make, evaluators: str, said: str) -> None:
    errors = project(f"name: x\nevaluators: {evaluators}\n").errors()
    assert any(said in error for error in errors), errors


def test_hidden_tests_make_an_unlevelled_test_check_level_b(project: Make) -> None:
    made = project("name: x\nimage: {}\nevaluators: [{name: test}]\n")
    assert made.write({"hidden/test_x.py": ""}).load().checks[0].level is Level.B


def test_hidden_tests_and_expected_values_that_nobody_looks_at_are_noted(project: Make) -> None:
    made = project().write({"hidden/test_x.py": "", "oracle-answers.json": EXPECTED})
    assert [note.split(",")[0] for note in made.load().notes] == [
        "expected values are given",
        "hidden/test_*.py are there",
    ]


def test_an_evaluator_that_somebody_adds_is_known(project: Make) -> None:
    made = project("name: x\nevaluators: [{name: spelling, weight: 1, options: {lang: en}}]\n")
    loaded = load_scenario(made.root, "shop", "sums", (*KINDS, "spelling"))
    assert (loaded.checks[0].kind, loaded.checks[0].options) == ("spelling", {"lang": "en"})


def test_a_check_may_wait_for_others(project: Make) -> None:
    text = """\
name: x
evaluators:
  - {name: build, command: a}
  - {name: lint, command: b, required: true, threshold: 0.5, after: {build: 1}}
"""
    lint = project(text).load().checks[1]
    assert (lint.threshold, lint.after) == (0.5, (("build", 1.0),))


def test_options_are_checked_where_something_else_is_wrong_with_the_check(project: Make) -> None:
    made = project(
        "name: x\nevaluators:\n  - {name: lint, weight: x, options: {nope: 3}}\n"
        "  - {name: [lint], options: {nope: 3}}\n  - {name: lint, weight: x, options: 3}\n"
    )
    places = [error.split(":")[0] for error in made.errors()]
    assert places == [
        "/evaluators/0/weight (line 3)",
        "/evaluators/0/options/nope (line 3)",
        "/evaluators/1/name (line 4)",
        "/evaluators/2/weight (line 5)",
        "/evaluators/2/options (line 5)",
    ]


def test_a_check_that_waits_for_one_with_an_error_is_not_accused_of_it(project: Make) -> None:
    made = project(
        "name: x\nevaluators:\n  - {name: build, weight: x, command: make}\n"
        "  - {name: lint, command: pyflakes, after: {build: 1, biuld: 1}}\n"
    )
    places = [error.split(":")[0] for error in made.errors()]
    assert places == ["/evaluators/0/weight (line 3)", "/evaluators/1/after/biuld (line 4)"]


def test_a_check_with_a_mistake_is_not_said_to_be_missing(project: Make) -> None:
    made = project("name: x\nevaluators: [{name: test}, {name: oracle, weight: x}]\n")
    made.write({"oracle-answers.json": EXPECTED})
    assert not any("no evaluator `oracle`" in warning for warning in made.report().warnings)
