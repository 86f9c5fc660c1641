"""What linters, type checkers and security scanners say, read as data that may be hostile."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.dependencies.syntax import listed as list_of
from evaluators.dependencies.syntax import mapping
from evaluators.finding_lines import read_lines
from harness.domain.patch import Patch, PatchKind
from harness.domain.record import Finding
from harness.sandbox.base import WORKSPACE

OUTPUT_BYTES = 4 * 1024 * 1024
MAX_FINDINGS = 2_000
MAX_TEXT = 300
MAX_LISTED = 10
_LINE_NUMBERS = re.compile(r"\blines? \d{1,9}|\(\d{1,9} ?[>/] ?\d{1,9}( characters)?\)")
_JSON_BEGINS = re.compile(r"^[\[{]", re.MULTILINE)
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Report:
    """A finding, and how bad its tool takes it to be: low, medium or high."""

    finding: Finding
    severity: str = "medium"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is found now and was not before."""

    new: tuple[Report, ...]
    known: int
    cut: bool = False
    """There was so much before that only the first of it could be compared."""


def read_findings(stdout: str, stderr: str = "") -> tuple[Report, ...] | None:
    """The findings in a tool's output, by path; None when nothing in it is understood."""
    found = _read_json(stdout[:OUTPUT_BYTES])
    if found is None:
        text = f"{stdout[:OUTPUT_BYTES]}\n{stderr[:OUTPUT_BYTES]}"
        found = [_report(*line) for line in read_lines(text)] or None
    if found is None:
        return None
    return tuple(sorted(found, key=lambda report: _order(report.finding))[:MAX_FINDINGS])


def compare(
    now: Sequence[Report], before: Sequence[Finding], patch: Patch | None = None
) -> Comparison:
    """Multisets of rule, path and message; line numbers say nothing, renamed files are known."""
    files = patch.files if patch else ()
    moved = {f.was: f.path for f in files if f.was and f.kind is PatchKind.RENAMED}
    left = Counter(_key(finding, moved.get(finding.path)) for finding in before)
    cut = len(before) >= MAX_FINDINGS
    last = max(map(_order, before), default=None) if cut else None
    new = []
    for report in now:
        key = _key(report.finding)
        if left[key] > 0:
            left[key] -= 1
        elif last is None or _order(report.finding) <= last:
            new.append(report)
    return Comparison(tuple(new), len(now) - len(new), cut)


def listed(new: Sequence[Report]) -> list[str]:
    """The new findings as lines for people."""
    lines = [f"new: {_place(r.finding)} {r.finding.rule} {r.finding.message}" for r in new]
    rest = len(lines) - MAX_LISTED
    return lines[:MAX_LISTED] + ([f"… and {rest} more"] if rest > 0 else [])


def findings_of(reports: Sequence[Report]) -> tuple[Finding, ...]:
    """What is kept of them beside the score."""
    return tuple(report.finding for report in reports)


def _place(finding: Finding) -> str:
    return finding.path if finding.line is None else f"{finding.path}:{finding.line}"


def _key(finding: Finding, moved: str | None = None) -> tuple[str, str, str]:
    # "redefined on line 12" and "line too long (120 > 88)" change with the lines around them
    return (finding.rule, moved or finding.path, _LINE_NUMBERS.sub("line", finding.message))


def _order(finding: Finding) -> tuple[str, str, str]:
    return (finding.path, finding.rule, finding.message)


def _report(
    rule: object, path: object, message: object, line: object, severity: str = "medium"
) -> Report:
    number = line if isinstance(line, int) and not isinstance(line, bool) else None
    place = _cut(path).removeprefix(f"{WORKSPACE}/").removeprefix("./")
    return Report(Finding(_cut(rule), place, _cut(message), number), severity)


def _cut(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return " ".join(text[: 4 * MAX_TEXT].split())[:MAX_TEXT]


def _read_json(text: str) -> list[Report] | None:
    """The first JSON value in the output that is of a known tool."""
    for count, begin in enumerate(_JSON_BEGINS.finditer(text)):
        if count == _TRIES:
            break
        try:
            value, end = json.JSONDecoder().raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            continue
        found = _of_value(value)
        if found is not None:
            # a name of a file may hold such a value: what is told beside it counts as well
            beside = f"{text[: begin.start()]}\n{text[end:]}"
            return found + [_report(*line) for line in read_lines(beside)]
    return None


def _of_value(value: object) -> list[Report] | None:
    if isinstance(value, list):
        items = [item for item in value if isinstance(item, dict)]
        readers = [_LISTS[k] for k in _LISTS if items and all(k in item for item in items)]
        if readers:
            return list(readers[0](items))
        return None if value else []
    if isinstance(value, dict):
        for key, read in _TABLES.items():
            if isinstance(value.get(key), list):
                return list(read(value))
    return None


def _tables(value: object) -> Iterator[Mapping[str, Any]]:
    return (item for item in list_of(value) if isinstance(item, dict))


def _ruff(items: Sequence[Mapping[str, Any]]) -> Iterator[Report]:
    for item in items:
        rule = item.get("code") or "invalid-syntax"
        line = mapping(item.get("location")).get("row")
        yield _report(rule, item.get("filename"), item.get("message"), line)


def _eslint(items: Sequence[Mapping[str, Any]]) -> Iterator[Report]:
    for item in items:
        for each in _tables(item.get("messages")):
            rule = each.get("ruleId") or "parsing"
            severity = "high" if each.get("severity") == 2 else "medium"  # noqa: PLR2004  # an error, to eslint
            yield _report(
                rule, item.get("filePath"), each.get("message"), each.get("line"), severity
            )


def _pylint(items: Sequence[Mapping[str, Any]]) -> Iterator[Report]:
    for item in items:
        yield _report(item.get("symbol"), item.get("path"), item.get("message"), item.get("line"))


def _pyright(value: Mapping[str, Any]) -> Iterator[Report]:
    for item in _tables(value["generalDiagnostics"]):
        if item.get("severity") != "information":
            start = mapping(mapping(item.get("range")).get("start")).get("line")
            line = start + 1 if isinstance(start, int) else None
            rule = item.get("rule") or "error"
            yield _report(rule, item.get("file"), item.get("message"), line)


def _scanner(value: Mapping[str, Any]) -> Iterator[Report]:
    """Bandit and semgrep; a file that they cannot read is a finding, or it would hide some."""
    for item in _tables(value["results"]):
        extra = mapping(item.get("extra"))
        word = str(item.get("issue_severity") or extra.get("severity") or "").lower()
        start = mapping(item.get("start")).get("line")
        yield _report(
            item.get("test_id") or item.get("check_id"),
            item.get("filename") or item.get("path"),
            item.get("issue_text") or extra.get("message"),
            item.get("line_number", start),
            _SEVERITIES.get(word, "medium"),
        )
    for item in _tables(value.get("errors")):
        path = item.get("filename") or item.get("path")
        if path and item.get("level", "error") == "error":
            yield _report("unreadable", path, item.get("reason") or "cannot be read", None)


_SEVERITIES = {"low": "low", "info": "low", "high": "high", "error": "high", "critical": "high"}
_LISTS = {"filePath": _eslint, "message-id": _pylint, "location": _ruff}
_TABLES = {"generalDiagnostics": _pyright, "results": _scanner}
