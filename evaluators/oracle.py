"""oracle: the values that the scenario's author expects in the finished files."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from typing import Any

from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec, Expectation
from harness.evaluate import Evidence, not_run, scored
from harness.load.yaml_text import parse_yaml
from harness.sandbox.base import Box, BoxError

FILE_BYTES = 4 * 1024 * 1024
_MISSING = object()


class OracleEvaluator:
    """Score = weight of the expectations that hold ÷ weight of all of them."""

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Look at each expected value."""
        expected = evidence.scenario.oracle.expected
        weight = sum(e.weight for e in expected)
        if not weight:
            return not_run(check, "oracle-answers.json has no expected values")
        findings = [(e, _holds(e, _read(evidence.box, e.file))) for e in expected]
        score = sum(e.weight for e, found in findings if found == "") / weight
        lines = (
            f"{'✗' if found else '✓'} {e.name}{found and f': {found}'}" for e, found in findings
        )
        return scored(check, score, *lines)


def _read(box: Box, path: str) -> str | None:
    try:
        return box.read(path, limit=FILE_BYTES).decode("utf-8", "replace")
    except BoxError:
        return None


def _holds(expected: Expectation, text: str | None) -> str:
    """Nothing when the expectation holds, else why it does not."""
    looks_inside = expected.matches is not None or expected.path is not None
    if text is None:
        if expected.absent and not looks_inside:
            return ""
        return f"no file {expected.file}"
    try:
        problem = _problem(expected, text)
    except Exception as error:  # noqa: BLE001  # an agent wrote the file, parsers raise anything
        # a file that cannot be read proves neither presence nor absence
        return f"{expected.file} cannot be read: {type(error).__name__} {error!s:.200}"
    if expected.absent:
        return "" if problem else f"is still in {expected.file}"
    return problem


def _problem(expected: Expectation, text: str) -> str:
    if expected.matches is not None:
        found = re.search(expected.matches, text, re.MULTILINE)
        return "" if found else f"nothing in {expected.file} matches {expected.matches!r}"
    if expected.path is None:
        return ""
    value = _at(_parse(expected.file, text), expected.path)
    if value is _MISSING:
        return f"nothing at {_dotted(expected.path)} of {expected.file}"
    if expected.equals is None or _canonical(value) == expected.equals:
        return ""
    return f"{_dotted(expected.path)} is {_canonical(value)[:200]}, not {expected.equals}"


def _parse(name: str, text: str) -> Any:  # noqa: ANN401  # whatever the file holds
    if name.endswith(".toml"):
        return tomllib.loads(text)
    if name.endswith((".yaml", ".yml")):
        parsed = parse_yaml(text)
        if parsed.problems:
            raise ValueError(parsed.problems[0].text)
        return parsed.value
    return json.loads(text)


def _at(value: Any, path: Sequence[str | int]) -> Any:  # noqa: ANN401  # as above
    for step in path:
        items = dict(enumerate(value)) if isinstance(value, list) else value
        if not isinstance(items, dict) or step not in items:
            return _MISSING
        value = items[step]
    return value


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(map(str, path))
