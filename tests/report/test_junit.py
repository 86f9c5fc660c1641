"""JUnit XML: what CI systems read, whatever agents and scenarios put into it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.ids import BatchId, RunId
from harness.domain.record import CheckResult, Fault, RunRecord, SpecialistRef
from harness.report.junit import junit
from harness.store.base import Planned
from harness.testing.store import a_cell, a_record

B = BatchId("b")
SPEC = text_digest("spec")
TEXT = {"name", "type", "message", "classname", "timestamp"}
ALLOWED = {
    # element: what it must have, what it may have, which elements it may hold
    "testsuites": ({"tests"}, {"name", "time", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp"},
        {"testcase"},
    ),
    "testcase": ({"name"}, {"time", "classname"}, {"failure", "error", "skipped", "system-out"}),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}
"""What the schemas of Jenkins' readers have in common with what others take."""
VERDICTS = ("failure", "error", "skipped")
TIME = re.compile(r"[0-9]+\.[0-9]{3}")
NASTY = "a\0b \x1b[31m ]]> <x>&amp; \" ' \ud800 \ufffe \u202e \r\n 日本 \U0001f600"


def check(element: ET.Element) -> None:
    """Hold an element and all below it to that table."""
    must, may, below = ALLOWED[element.tag]
    assert must <= set(element.attrib) <= must | may, element.tag
    for name, value in element.attrib.items():
        if name == "time":
            assert TIME.fullmatch(value)
        elif name == "timestamp":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value)
        elif name not in TEXT:
            assert value.isdecimal(), name
    assert {child.tag for child in element} <= below, element.tag
    if element.tag == "testcase":
        assert sum(child.tag in VERDICTS for child in element) <= 1
    for child in element:
        check(child)


def counted(element: ET.Element) -> None:
    """The numbers of a suite, or of all, are those of its cases."""
    cases = [*element.iter("testcase")]
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        if name in element.attrib:
            assert int(element.attrib[name]) == sum(case.find(tag) is not None for case in cases)
    assert int(element.attrib["tests"]) == len(cases)


def read(runs: Sequence[RunRecord], missing: Sequence[Planned] = ()) -> ET.Element:
    root = ET.fromstring(junit(B, runs, missing))  # noqa: S314  # what we have just written
    check(root)
    for element in (root, *root):
        counted(element)
    names = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
    assert len(names) == len(set(names))
    return root


def verdicts(root: ET.Element) -> dict[str, str]:
    return {
        case.attrib["name"]: next((c.tag for c in case if c.tag in VERDICTS), "passed")
        for case in root.iter("testcase")
    }


def of(run: RunRecord, iteration: int, **changed: object) -> RunRecord:
    return replace(run, id=RunId(f"run_{iteration}"), iteration=iteration, **changed)  # type: ignore[arg-type]  # by name


def faulted(iteration: int, cause: Cause) -> RunRecord:
    fault = Fault(cause, "work", "the engine is gone")
    return of(a_record(), iteration, passed=False, total_score=None, checks=(), fault=fault)


FAILED = CheckResult(
    "test", "test", 0.0, 1.0, required=True, reason="2 of 3 failed", details=("t.py::test_a",)
)


def test_every_planned_run_is_one_case_with_its_verdict() -> None:
    runs = [
        of(a_record(), 1),
        of(a_record(), 2, passed=False, total_score=0.0, checks=(FAILED,)),
        faulted(3, Cause.SANDBOX),
        faulted(4, Cause.CANCELLED),
    ]
    missing = [Planned(a_cell(), n, SPEC) for n in (3, 4, 5)]
    assert verdicts(read(runs, missing)) == {
        "L1 echo #1": "passed",
        "L1 echo #2": "failure",
        "L1 echo #3": "error",
        "L1 echo #4": "skipped",
        "L1 echo #5": "skipped",
    }


def test_a_failure_says_which_checks_failed_and_why() -> None:
    run = of(a_record(), 1, passed=False, total_score=0.0, checks=(FAILED,))
    (failure,) = read([run]).iter("failure")
    assert failure.attrib["message"] == "score 0.00, needs 0.7; test 0.00 (2 of 3 failed)"
    assert failure.text == "test: 0.00, required: 2 of 3 failed\n  t.py::test_a"


def test_an_evaluator_that_broke_down_is_an_error_and_no_failure() -> None:
    broken = CheckResult("lint", "lint", None, 1.0, reason="the evaluator crashed", crashed=True)
    run = of(a_record(), 1, passed=False, checks=(broken,))
    (error,) = read([run]).iter("error")
    assert error.attrib["message"] == "an evaluator broke down: lint"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_try_that_a_later_one_made_good_is_no_case(order: tuple[int, int]) -> None:
    tries = [faulted(1, Cause.PROVIDER), of(replace(a_record(), id=RunId("run_b")), 1)]
    assert verdicts(read([tries[n] for n in order])) == {"L1 echo #1": "passed"}


def test_two_specialists_of_one_name_are_two_cases() -> None:
    cells = [
        replace(a_cell(), specialist=SpecialistRef("@a/b", "1.0.0", text_digest(text)))
        for text in ("one", "two")
    ]
    runs = [replace(a_record(f"run_{n}"), cell=cell) for n, cell in enumerate(cells)]
    assert len(verdicts(read(runs))) == 2


def test_an_empty_batch_is_a_document_too() -> None:
    assert read([]).attrib["tests"] == "0"


@pytest.mark.parametrize("text", [NASTY, "\n", "x" * 100_000])
def test_hostile_words_make_no_hole_in_the_document(text: str) -> None:
    _hostile(text)


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec=None)))
def test_any_words_make_no_hole_in_the_document(text: str) -> None:
    _hostile(text)


def _hostile(text: str) -> None:
    check = CheckResult(text, "test", 0.0, 1.0, reason=text, details=(text,) * 3)
    name = text[:200]
    cell = replace(a_cell(name, agent=name), model=name, suite=name)
    fault = Fault(Cause.HARNESS, "work", text)
    runs = [
        of(replace(a_record(), cell=cell, passed=False, checks=(check,)), 1),
        of(replace(a_record(), cell=cell, passed=False, fault=fault), 2),
    ]
    found = verdicts(read(runs, [Planned(cell, 3, SPEC)]))
    assert sorted(found.values()) == ["error", "failure", "skipped"]
    assert len(junit(B, runs, ())) < 50_000
