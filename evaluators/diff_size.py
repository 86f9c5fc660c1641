"""diff_size: whether the change is as small as it could be."""

from __future__ import annotations

from difflib import SequenceMatcher

import pathspec

from evaluators.tampering.places import is_generated
from harness.agents.oracle import PATCH
from harness.carrying import originals
from harness.domain.changes import ChangeKind
from harness.domain.patch import FilePatch
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec, Scenario
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.load.overlays import read_overlay
from harness.patches import parse_patch

SLACK, LEAST_EXPECTED = 1.5, 20
"""Next to the reference solution so much more is as good, and so few lines always are."""
SPAN = 4
"""How many times the expected size is worth nothing."""


class DiffSizeEvaluator:
    """Score = 1 up to the expected size, then falling in a line to 0 at `most`."""

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Count changed lines of what people write."""
        exclude = check.options.get("exclude", ())
        left_out = pathspec.GitIgnoreSpec.from_lines(exclude)
        all_of_it = bool(check.options.get("generated"))
        expected, most = _bounds(evidence.scenario, check, left_out, all_of_it=all_of_it)
        if not 0 < expected < most:
            return not_run(
                check, "neither options.expected, options.most nor a solution says how big"
            )
        files = [
            file
            for file in evidence.work.patch.files
            if _counts(file.path, left_out, all_of_it=all_of_it)
        ]
        if not files:
            return scored(check, 0.0, "nothing changed")
        if any(file.cut for file in files):
            return scored(check, 0.0, "a change too long to be counted")
        size = sum(map(_size, files))
        score = min(1.0, max(0.0, (most - size) / (most - expected)))
        largest = sorted(files, key=_size, reverse=True)[:3]
        return scored(
            check,
            score,
            f"{size} lines changed in {len(files)} files; {expected:g} are expected,"
            f" {most:g} are worth nothing",
            *(f"{_size(file)} in {file.path[:200]}" for file in largest),
        )


def _counts(path: str, left_out: pathspec.GitIgnoreSpec, *, all_of_it: bool) -> bool:
    return not left_out.match_file(path) and (all_of_it or not is_generated(path))


def _size(file: FilePatch) -> int:
    """A binary file, a new name and a new mode are a line each."""
    return max(1, len(file.added) + len(file.removed))


def _bounds(
    scenario: Scenario, check: CheckSpec, left_out: pathspec.GitIgnoreSpec, *, all_of_it: bool
) -> tuple[float, float]:
    """What is expected and what is too much; zeros when nobody says."""
    expected = float(check.options.get("expected", 0))
    most = float(check.options.get("most", 0))
    if not expected and most:
        expected = most / SPAN
    if not expected and scenario.solution is not None:
        size = _reference(scenario, left_out, all_of_it=all_of_it)
        expected = max(float(LEAST_EXPECTED), SLACK * size)
    return expected, most or SPAN * expected


def _reference(scenario: Scenario, left_out: pathspec.GitIgnoreSpec, *, all_of_it: bool) -> int:
    """Changed lines of the reference solution, which is files, a patch, or both."""
    if scenario.solution is None:
        return 0
    total = 0
    patch = scenario.solution / PATCH
    if patch.is_file():
        files = parse_patch(patch.read_bytes()).files
        total += sum(_size(f) for f in files if _counts(f.path, left_out, all_of_it=all_of_it))
    for change in read_overlay(scenario.solution):
        if _counts(change.display, left_out, all_of_it=all_of_it):
            for before in originals(scenario, change):
                was = before.data if before.kind is ChangeKind.FILE else b""
                total += _distance(was, change.data)
    return total


def _distance(before: bytes, after: bytes) -> int:
    was, now = before.splitlines(), after.splitlines()
    blocks = SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    return sum((b - a) + (d - c) for tag, a, b, c, d in blocks if tag != "equal")
