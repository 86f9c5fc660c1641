"""JUnit XML, the one language of test reports, read as data that may be hostile."""

from __future__ import annotations

import re
from itertools import islice
from xml.etree import ElementTree as ET

from harness.domain.record import TestOutcome, Verdict

MAX_MESSAGE = 400
MAX_CASES = 50_000
_DECLARATION = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


class BadReportError(Exception):
    """A report that is no JUnit XML."""


def parse(data: bytes) -> tuple[TestOutcome, ...]:
    """Every test case; of two with the same name the worse one counts."""
    root = read_xml(data)
    outcomes: dict[str, TestOutcome] = {}
    for case in islice(root.iter("testcase"), MAX_CASES):
        outcome = _outcome(case)
        known = outcomes.get(outcome.id)
        if known is None or known.verdict is Verdict.PASSED:
            outcomes[outcome.id] = outcome
    return tuple(outcomes[name] for name in sorted(outcomes))


def read_xml(data: bytes) -> ET.Element:
    """The root of an XML report in which nothing expands; raises BadReportError."""
    try:
        # one encoding only: in another one a declaration would not be seen
        if _DECLARATION.search(data.decode("utf-8")):
            raise BadReportError("the report declares entities")
        parser = ET.XMLParser(encoding="utf-8")  # noqa: S314  # nothing can expand in it
        return ET.fromstring(data, parser)  # noqa: S314  # as above
    except (ET.ParseError, LookupError, ValueError) as error:
        raise BadReportError(f"the report is not XML in UTF-8: {error}") from error


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
