"""oracle: the values that the scenario's author expects in the finished files.

Files are looked at as the agent left them: what commands make of them later does not count.
"""

from __future__ import annotations

from collections.abc import Callable

from evaluators.reading import Reader
from evaluators.structured import dotted, same
from evaluators.tree import NoTextError, Tree
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec, Expectation
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.load.patterns import Dialect
from harness.load.searching import UnreadableError

SHOWN_CHARS = 200


class OracleEvaluator:
    """Score = weight of the expectations that hold ÷ weight of all of them."""

    cost = Cost.DATA

    def __init__(self, reader: Callable[[], Reader] = Reader) -> None:
        self._reader = reader

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Look at each expected value."""
        expected = evidence.scenario.oracle.expected
        weight = sum(e.weight for e in expected)
        if not weight:
            return not_run(check, "oracle-answers.json has no expected values")
        tree = Tree(evidence.scenario.fixture, evidence.changes)
        with self._reader() as reader:
            findings = [(e, _holds(e, tree, reader)) for e in expected]
        score = sum(e.weight for e, found in findings if found == "") / weight
        lines = (
            f"{'✗' if found else '✓'} {e.name}{found and f': {found}'}" for e, found in findings
        )
        return scored(check, score, *lines)


def _holds(expected: Expectation, tree: Tree, reader: Reader) -> str:
    """Nothing when the expectation holds, else why it does not."""
    file = expected.file
    if expected.matches is None and expected.path is None:
        there = tree.find(file) == (file,)
        if there is not expected.absent:
            return ""
        return f"is still there: {file}" if there else f"no file {file}"
    try:
        problem = _problem(expected, tree.text(file), reader)
    except NoTextError as error:
        # a file that cannot be read proves neither presence nor absence
        return str(error)
    except UnreadableError as error:
        return f"{file} cannot be read: {error}"
    if expected.absent:
        return "" if problem else f"is still in {file}"
    return problem


def _problem(expected: Expectation, text: str, reader: Reader) -> str:
    if expected.matches is not None:
        found = reader.find(Dialect.PYTHON, expected.matches, [text], flags="m")
        return "" if found else f"nothing in {expected.file} matches /{expected.matches}/"
    path = expected.path or ()
    value = reader.value(expected.file, text, path)
    if value is None:
        return f"nothing at {dotted(path)} of {expected.file}"
    if expected.equals is None or same(value, expected.equals):
        return ""
    return f"{dotted(path)} is {value[:SHOWN_CHARS]}, not {expected.equals}"
