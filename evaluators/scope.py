"""scope: whether the work stayed where the task is."""

from __future__ import annotations

from collections.abc import Iterator

import pathspec

from harness.domain.patch import FilePatch
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored

MOST_SHOWN = 10


class ScopeEvaluator:
    """Score = share of the changed files that lie inside; nothing changed scores 0."""

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Ask of every changed path where it lies."""
        allowed = check.options.get("allowed")
        outside = (*check.options.get("forbidden", ()), *evidence.scenario.protected)
        if not allowed and not outside:
            return not_run(check, "neither options nor protected paths say where the task is")
        inside = pathspec.GitIgnoreSpec.from_lines(allowed or ["*"])
        beyond = pathspec.GitIgnoreSpec.from_lines(outside)
        paths = sorted({path for file in evidence.work.patch.files for path in _paths(file)})
        if not paths:
            return scored(check, 0.0, "nothing changed")
        strays = [p for p in paths if not inside.match_file(p) or beyond.match_file(p)]
        shown = [f"outside: {path[:200]}" for path in strays[:MOST_SHOWN]]
        rest = len(strays) - len(shown)
        more = [f"… and {rest} more outside"] if rest > 0 else []
        kept = len(paths) - len(strays)
        details = (f"{kept} of {len(paths)} changed files are inside", *shown, *more)
        return scored(check, kept / len(paths), *details)


def _paths(file: FilePatch) -> Iterator[str]:
    """A file that moved was changed in both places."""
    yield file.path
    if file.was is not None:
        yield file.was
