"""Coverage reports of several tools, read as data that may be hostile: which lines ran."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evaluators.dependencies.syntax import listed, mapping
from evaluators.junit import BadReportError, read_xml
from harness.sandbox.base import WORKSPACE

Lines = Mapping[int, bool]
"""Executable lines by number, and whether they ran."""
Covered = Mapping[str, Lines]
"""By path within the workspace."""

MAX_LINES = 2_000_000
_DECLARED = re.compile(rb"<!DOCTYPE coverage [^\[<>]{0,200}>")


def parse_coverage(data: bytes) -> Covered:
    """coverage.py's JSON, istanbul's JSON, Cobertura XML or lcov; raises BadReportError."""
    text = data.lstrip()
    if text.startswith(b"<"):
        # the doctype that Cobertura's own writers put there; every other one is refused
        return _made(_cobertura(_DECLARED.sub(b"", text, count=1)))
    if text.startswith(b"{"):
        return _made(_json(text))
    if b"SF:" in text:
        return _made(_lcov(text.decode("utf-8", "replace")))
    raise BadReportError("the report is none of coverage.py, istanbul, Cobertura and lcov")


def _made(found: Iterable[tuple[str, int, bool]]) -> Covered:
    """A line counts as run when any entry of it says so."""
    files: dict[str, dict[int, bool]] = {}
    for count, (path, number, ran) in enumerate(found):
        if count >= MAX_LINES:
            raise BadReportError(f"the report speaks of more than {MAX_LINES} lines")
        lines = files.setdefault(_within(path), {})
        if number > 0:
            lines[number] = lines.get(number, False) or ran
    return files


def _within(path: str) -> str:
    return posixpath.normpath(path.replace("\\", "/").removeprefix(f"{WORKSPACE}/"))


def _json(text: bytes) -> Iterator[tuple[str, int, bool]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadReportError(f"the report is not JSON: {type(error).__name__}") from error
    files = value.get("files") if isinstance(value, dict) else None
    if isinstance(files, dict):
        for path, each in files.items():
            yield from _coverage_py(path, mapping(each))
        return
    for path, each in mapping(value).items():
        if "statementMap" not in mapping(each):
            raise BadReportError("the report is JSON of no known coverage tool")
        yield from _istanbul(str(each.get("path") or path), each)


def _coverage_py(path: str, file: Mapping[str, Any]) -> Iterator[tuple[str, int, bool]]:
    yield path, 0, False
    # what the code itself excludes was not run: a comment must not hide it
    for key, ran in (("executed_lines", True), ("missing_lines", False), ("excluded_lines", False)):
        for number in listed(file.get(key)):
            yield path, _whole(number), ran


def _istanbul(path: str, file: Mapping[str, Any]) -> Iterator[tuple[str, int, bool]]:
    yield path, 0, False
    hits = mapping(file.get("s"))
    for key, where in mapping(file.get("statementMap")).items():
        number = mapping(mapping(where).get("start")).get("line")
        yield path, _whole(number), _whole(hits.get(key)) > 0


def _cobertura(data: bytes) -> Iterator[tuple[str, int, bool]]:
    root = read_xml(data)
    if root.tag != "coverage":
        raise BadReportError(f"the report's root is <{root.tag[:40]}>, not <coverage>")
    sources = [(s.text or "").strip() for s in root.iter("source")][:20]
    inside = [s for s in sources if f"{s}/".startswith(f"{WORKSPACE}/")]
    # several sources leave it open which one a name belongs to
    prefix = inside[0] if len(inside) == 1 else ""
    for file in root.iter("class"):
        name = file.get("filename", "")
        path = name if name.startswith("/") else posixpath.join(prefix, name)
        yield path, 0, False
        # no deeper: classes within classes would be gone through again and again
        for line in file.iterfind("lines/line"):
            yield path, _number(line.get("number")), _number(line.get("hits")) > 0


def _lcov(text: str) -> Iterator[tuple[str, int, bool]]:
    path = ""
    for line in text.splitlines():
        if line.startswith("SF:"):
            path = line[3:].strip()
            yield path, 0, False
        elif line.startswith("DA:") and path:
            number, _, hits = line[3:].partition(",")
            yield path, _number(number), _number(hits.partition(",")[0]) > 0


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _number(text: str | None) -> int:
    short = (text or "").strip()
    return int(short) if short.isascii() and short.isdigit() and len(short) < 16 else 0  # noqa: PLR2004  # longer than any file or count
