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

from evaluators.tampering.places import SOURCES, is_generated, suffix_of
from harness.domain.changes import ChangeKind
from harness.domain.patch import FilePatch, PatchKind
from harness.domain.record import CheckResult, Finding
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored

DEFAULT_MOST = 15
MOST_BYTES = 512 * 1024
MOST_FILES = 400
DEADLINE_S = 30.0
NO_TOOL = 3
MOST_SHOWN = 10
_UNREAD = frozenset({".sh", ".bash", ".zsh", ".sql", ".ps1", ".pyi"})
"""Sources that lizard does not read, or that hold no code."""


class Function(NamedTuple):
    """A function as it was measured."""

    name: str
    complexity: int
    begin: int
    end: int


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
        # what did not reach grading is as it was
        after = {c.path: c.data for c in evidence.changes if c.kind is ChangeKind.FILE}
        files = [
            file
            for file in evidence.work.patch.files
            if _is_measured(file, ignored) and os.fsencode(file.path) in after
        ][:MOST_FILES]
        now = [after[os.fsencode(file.path)] for file in files]
        deleted = _deleted(evidence, ignored)
        was = [evidence.original(f.was or f.path) or b"" for f in (*files, *deleted)]
        suffixes = [suffix_of(file.path) for file in (*files, *deleted)]
        try:
            new, old = measure(now, suffixes[: len(files)]), measure(was, suffixes)
        except NoToolError:
            return not_run(check, "lizard is not installed beside the harness")
        findings: list[Finding] = []
        total = 0
        for file, functions, before in zip(files, new, old, strict=False):
            count, bad = _judged(file, functions, before or (), most)
            total += count
            findings += bad
        if not total:
            return _untouched(check, new, old)
        score = 1.0 - len(findings) / total
        details = [f"{total - len(findings)} of {total} new or changed functions are simple enough"]
        details += [f"{f.path[:200]}:{f.line}: {f.message}" for f in findings[:MOST_SHOWN]]
        return replace(scored(check, score, *details), findings=tuple(findings[:2000]))


class NoToolError(Exception):
    """There is no lizard."""


def measure(
    texts: Sequence[bytes], suffixes: Sequence[str], deadline_s: float = DEADLINE_S
) -> list[Measured]:
    """The functions of each text; None for one that is too long, or that the tool gave up on."""
    asked = [
        (f"source{suffix}", text.decode("utf-8", "replace") if len(text) <= MOST_BYTES else "")
        for text, suffix in zip(texts, suffixes, strict=True)
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
    answers += [None] * (len(texts) - len(answers))
    return [
        None if answer is None or len(text) > MOST_BYTES else [Function(*row) for row in answer]
        for text, answer in zip(texts, answers, strict=True)
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


def _deleted(evidence: Evidence, ignored: pathspec.GitIgnoreSpec) -> list[FilePatch]:
    """Sources that are gone from what is graded."""
    gone = {change.path for change in evidence.changes if change.kind is ChangeKind.DELETE}
    return [
        file
        for file in evidence.work.patch.files
        if file.kind is PatchKind.DELETED
        and os.fsencode(file.path) in gone
        and _is_source(file, ignored)
    ][:MOST_FILES]


def _is_measured(file: FilePatch, ignored: pathspec.GitIgnoreSpec) -> bool:
    return file.kind is not PatchKind.DELETED and _is_source(file, ignored)


def _is_source(file: FilePatch, ignored: pathspec.GitIgnoreSpec) -> bool:
    return (
        suffix_of(file.path) in SOURCES - _UNREAD
        and file.mode != "120000"
        and not is_generated(file.path)
        and not ignored.match_file(file.path)
    )


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
