"""JUnit XML, the one language of test reports, read as data that may be hostile."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from harness.domain.record import TestOutcome, Verdict

MAX_MESSAGE = 400
_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


class BadReportError(Exception):
    """A report that is no JUnit XML."""


def parse(data: bytes) -> tuple[TestOutcome, ...]:
    """Every test case; of two with the same name the worse one counts."""
    if _DECLARATION.search(data):
        raise BadReportError("the report declares entities")
    try:
        root = ET.fromstring(data)  # noqa: S314  # without declarations nothing can expand
    except ET.ParseError as error:
        raise BadReportError(f"the report is not XML: {error}") from error
    outcomes: dict[str, TestOutcome] = {}
    for case in root.iter("testcase"):
        outcome = _outcome(case)
        known = outcomes.get(outcome.id)
        if known is None or known.verdict is Verdict.PASSED:
            outcomes[outcome.id] = outcome
    return tuple(outcomes[name] for name in sorted(outcomes))


def _outcome(case: ET.Element) -> TestOutcome:
    where, name = case.get("classname", ""), case.get("name", "")
    test = f"{where}::{name}" if where else name
    for tag in ("failure", "error"):
        found = case.find(tag)
        if found is not None:
            message = found.get("message") or (found.text or "").strip()
            return TestOutcome(test, Verdict.FAILED, message[:MAX_MESSAGE])
    if case.find("skipped") is not None:
        return TestOutcome(test, Verdict.SKIPPED)
    return TestOutcome(test, Verdict.PASSED)
