"""complexity: whether new and changed functions can still be followed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pathspec

from evaluators.tampering.places import SOURCES, is_generated, language_of
from evaluators.unmeasured import unmeasured
from harness.domain.changes import ChangeKind
from harness.domain.patch import LINK, FilePatch, PatchKind
from harness.domain.record import CheckResult, Finding
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored

DEFAULT_MOST = 15
MOST_BYTES = 512 * 1024
MOST_FILES = 400
DEADLINE_S = 30.0
NO_TOOL = 3
MOST_SHOWN = 10
_UNREAD = frozenset(
    {".sh", ".bash", ".zsh", ".sql", ".ps1", ".pyi", ".dart", ".ex", ".exs", ".groovy"}
)
"""Sources that lizard does not read, or that hold no code."""
_READ = SOURCES - _UNREAD
_READ_AS = {".pyw": ".py", ".mts": ".ts", ".cts": ".ts", ".svelte": ".vue"}
"""Names that lizard does not know, of languages that it does: it would read them as C."""


class Function(NamedTuple):
    """A function as it was measured."""

    name: str
    complexity: int
    begin: int
    end: int


class Source(NamedTuple):
    """A file on one side of the patch, and the suffix of its language."""

    file: FilePatch
    text: bytes
    suffix: str


Measured = Sequence[Function] | None


class ComplexityEvaluator:
    """Score = share of the new and changed functions that are simple, or no worse than before."""

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Measure both sides of every changed source in a process that can be killed."""
        ignored = pathspec.GitIgnoreSpec.from_lines(check.options.get("ignore", ()))
        most = int(check.options.get("most", DEFAULT_MOST))
        if not evidence.work.patch.files or not evidence.changes:
            return scored(check, 0.0, "nothing changed")
        there = _reached(evidence, ignored)
        sources = _largest([each for each in there if each.suffix in _READ])
        read = {each.file.path for each in sources}
        unread = unmeasured(each.file for each in there if each.file.path not in read)
        was = [_before(evidence, each.file) for each in sources]
        try:
            new, old = measure(sources), measure([*was, *_deleted(evidence, ignored)])
        except NoToolError:
            return not_run(check, "lizard is not installed beside the harness")
        findings: list[Finding] = []
        total = 0
        for source, functions, before in zip(sources, new, old, strict=False):
            count, bad = _judged(source.file, functions, before or (), most)
            total += count
            findings += bad
        if not total:
            result = _untouched(check, new, old)
            return replace(result, details=(*result.details, *unread))
        score = 1.0 - len(findings) / total
        details = [f"{total - len(findings)} of {total} new or changed functions are simple enough"]
        details += [f"{f.path[:200]}:{f.line}: {f.message}" for f in findings[:MOST_SHOWN]]
        result = scored(check, score, *details, *unread)
        return replace(result, findings=tuple(findings[:2000]))


class NoToolError(Exception):
    """There is no lizard."""


def measure(sources: Sequence[Source], deadline_s: float = DEADLINE_S) -> list[Measured]:
    """The functions of each text; None for one that is too long, or that the tool gave up on."""
    asked = [
        (
            f"source{_READ_AS.get(suffix, suffix)}",
            text.decode("utf-8", "replace") if len(text) <= MOST_BYTES else "",
        )
        for _, text, suffix in sources
    ]
    script = Path(__file__).with_name("measuring.py")
    with subprocess.Popen(
        [sys.executable, "-I", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            out, _ = process.communicate(json.dumps(asked).encode(), timeout=deadline_s)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
    if process.returncode == NO_TOOL:
        raise NoToolError
    answers = [json.loads(line) for line in out.split(b"\n")[:-1]]
    answers += [None] * (len(sources) - len(answers))
    return [
        None if answer is None or len(text) > MOST_BYTES else [Function(*row) for row in answer]
        for (_, text, _), answer in zip(sources, answers, strict=True)
    ]


def _untouched(check: CheckSpec, new: Sequence[Measured], old: Sequence[Measured]) -> CheckResult:
    """No function is new or changed: taking them away is no way to make them simple."""
    left = {each.name for functions in new for each in functions or ()}
    gone = sorted({each.name for functions in old for each in functions or ()} - left)
    if not gone:
        return not_run(check, "no function is new or changed")
    shown = ", ".join(name[:200] for name in gone[:MOST_SHOWN])
    more = f" and {len(gone) - MOST_SHOWN} more" if len(gone) > MOST_SHOWN else ""
    return scored(check, 0.0, f"functions were taken away, none is new or changed: {shown}{more}")


def _reached(evidence: Evidence, ignored: pathspec.GitIgnoreSpec) -> list[Source]:
    """Files with what of them reached grading: the rest is as it was."""
    after = {c.path: c.data for c in evidence.changes if c.kind is ChangeKind.FILE}
    named = ((file, os.fsencode(file.path)) for file in evidence.work.patch.files)
    return [
        _source(file, after[path])
        for file, path in named
        if file.kind is not PatchKind.DELETED and path in after and _is_looked_at(file, ignored)
    ]


def _largest(sources: Sequence[Source]) -> list[Source]:
    """As many as are measured: hundreds of small ones must not push a tangled one out."""
    return sorted(sources, key=lambda each: len(each.file.added), reverse=True)[:MOST_FILES]


def _deleted(evidence: Evidence, ignored: pathspec.GitIgnoreSpec) -> list[Source]:
    """Sources that are gone from what is graded."""
    gone = {change.path for change in evidence.changes if change.kind is ChangeKind.DELETE}
    files = [
        _before(evidence, file)
        for file in evidence.work.patch.files
        if file.kind is PatchKind.DELETED
        and os.fsencode(file.path) in gone
        and _is_looked_at(file, ignored)
    ]
    return [each for each in files if each.suffix in _READ][:MOST_FILES]


def _before(evidence: Evidence, file: FilePatch) -> Source:
    return _source(file, evidence.original(file.was or file.path) or b"")


def _source(file: FilePatch, text: bytes) -> Source:
    return Source(file, text, language_of(file.path, text))


def _is_looked_at(file: FilePatch, ignored: pathspec.GitIgnoreSpec) -> bool:
    return not (file.mode == LINK or is_generated(file.path) or ignored.match_file(file.path))


def _judged(
    file: FilePatch, functions: Measured, before: Sequence[Function], most: int
) -> tuple[int, list[Finding]]:
    """How many functions changed, and those that are not simple."""
    if functions is None:
        what = "too long, or too tangled to be measured"
        return 1, [Finding("complexity", file.path[:1000], what, 1)]
    lines = [line.number for line in file.added]
    worst: dict[str, int] = {}
    for each in before:
        worst[each.name] = max(worst.get(each.name, 0), each.complexity)
    changed = [each for each in functions if _touches(each, lines)]
    if file.binary or file.cut:
        changed = list(functions)
    bad = [f for f in changed if f.complexity > max(most, worst.get(f.name, 0))]
    return len(changed), [
        Finding(
            "complexity",
            file.path[:1000],
            f"{f.name[:200]} has a complexity of {f.complexity}; {max(most, worst.get(f.name, 0))}"
            " is the most",
            f.begin,
        )
        for f in bad
    ]


def _touches(function: Function, lines: Sequence[int]) -> bool:
    """Lines are in order: the first that is not before the function may be in it."""
    at = bisect_left(lines, function.begin)
    return at < len(lines) and lines[at] <= function.end
