"""Findings in the lines that tools print for people: no pattern here can backtrack far."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_LINE = 2_000
MAX_LINES = 200_000
_ESCAPES = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")

_PLACED = re.compile(r"([^:\s][^:]{0,500}):(\d{1,9})(?::(\d{1,9}))?(?::| -) ?(.+)")
"""flake8, pylint, pyflakes, mypy, ruff, eslint's unix, tsc's pretty: path:line[:col]: message."""
_TSC = re.compile(r"(\S.{0,500}?)\((\d{1,9}),\d{1,9}\): (?:error|warning) (TS\d+): (.+)")
_TSC_AT_LARGE = re.compile(r"error (TS\d+): (.+)")
_TSC_MESSAGE = re.compile(r"(?:error|warning) (TS\d+): (.+)")
_CODED = re.compile(r"([A-Z]{1,6}\d{2,5}|invalid-syntax|syntax-error)(?::| ) ?(?:\[\*\] )?(.+)")
"""F401 message; C0114: message."""
_ARROW = re.compile(r"\s{0,8}--> ([^:\s][^:]{0,500}):(\d{1,9}):\d{1,9}$")
_STYLISH = re.compile(r"\s{1,8}(\d{1,9}):\d{1,9}\s{1,4}(?:error|warning)\s{1,4}(\S.*)")
_LEVEL = re.compile(r"(error|warning|note|fatal error): ?(.+)")
_IN_BRACKETS = re.compile(r"(.*\S)\s{1,4}\[([\w/@-]{1,80})\]")
_IN_PARENTHESES = re.compile(r"(.*\S) \(([a-z][a-z0-9-]{1,60})\)")


class Line(NamedTuple):
    """A finding before it is made presentable."""

    rule: str
    path: str
    message: str
    line: int | None
    severity: str = "medium"


def read_lines(text: str) -> Iterator[Line]:
    """Every line that speaks of a place in a file."""
    header = waiting = ""
    for raw in text.splitlines()[:MAX_LINES]:
        line = _ESCAPES.sub("", raw[:MAX_LINE]).rstrip()
        arrow = _ARROW.fullmatch(line)
        stylish = _STYLISH.fullmatch(line)
        if arrow:
            rule, message = _rule(waiting)
            yield Line(rule, arrow[1], message, int(arrow[2]))
        elif stylish and header:
            message, _, rule = stylish[2].rpartition("  ")
            yield Line(rule.strip(), header, message.strip() or stylish[2], int(stylish[1]))
        elif found := _of_line(line):
            yield found
        if line and not line[0].isspace():
            header = waiting = line


def _of_line(line: str) -> Line | None:
    found = _TSC.fullmatch(line)
    if found:
        return Line(found[3], found[1], found[4], int(found[2]))
    found = _TSC_AT_LARGE.fullmatch(line)
    if found:
        return Line(found[1], "", found[2], None)
    found = _PLACED.fullmatch(line)
    if not found or not _is_path(found[1]):
        return None
    rule, message = _rule(found[4].strip())
    return Line(rule, found[1], message, int(found[2])) if rule != "note" else None


def _is_path(text: str) -> bool:
    return ("." in text or "/" in text) and any(c.isalpha() for c in text)


def _rule(message: str) -> tuple[str, str]:
    """The rule, wherever the tool names it, and the message without it."""
    for pattern, rule, text in ((_TSC_MESSAGE, 1, 2), (_CODED, 1, 2)):
        found = pattern.fullmatch(message)
        if found:
            return found[rule], found[text]
    level = _LEVEL.fullmatch(message)
    word, message = level.groups() if level else ("", message)
    for pattern in (_IN_BRACKETS, _IN_PARENTHESES):
        found = pattern.fullmatch(message)
        if found and word != "note":
            return found[2], found[1]
    return word, message
