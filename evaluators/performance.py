"""performance: a benchmark before against after, in one sandbox, in turns."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from statistics import median

from evaluators.figures import Figures
from evaluators.pinning import fresh_home
from harness.carrying import originals
from harness.domain.artifact import Artifact
from harness.domain.changes import Change, ChangeKind
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored, transcript_of
from harness.load.searching import UnreadableError
from harness.sandbox.base import Box, Completed
from harness.treefiles import above

ROUNDS = 5
TARGET = 1.0
WORST = 2.0
OUTPUT_BYTES = 64 * 1024
LISTING_BYTES = 16 * 1024 * 1024
LISTING_S = 60.0
LISTING = "find . -mindepth 1 -name .git -prune -o -print0"
_FIGURE = re.compile(r"[-+]?\d{1,18}(?:\.\d{0,18})?(?:[eE][-+]?\d{1,3})?")


class PerformanceEvaluator:
    """Score = 1 up to the target, falling in a line to 0 at the worst, of after ÷ before."""

    cost = Cost.SANDBOX

    def __init__(self, figures: Callable[[], Figures] = Figures) -> None:
        self._figures = figures

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Measure in turns and compare the pairs."""
        logs: list[Artifact] = []
        with self._figures() as figures:
            result = _result(_Contest(evidence, check, logs, figures))
        return replace(result, artifacts=tuple(logs))


def _result(contest: _Contest) -> CheckResult:
    evidence, check = contest.evidence, contest.check
    if "command" not in check.options:
        return not_run(check, "options.command names no benchmark")
    if evidence.untouched:
        return _untouched(contest)
    if evidence.control is not None and not _ran_before(evidence, check):
        before = evidence.before(check)
        why = before.reason.removeprefix("could not run: ") if before else "it is not graded"
        return not_run(check, f"on the untouched fixture: {why}")
    if not evidence.changes.items:
        return _graded(check, [1.0], "nothing was changed, so nothing is measured")
    return _compared(contest)


class _FailedError(Exception):
    """A run of the benchmark that gives no figure."""


@dataclass(frozen=True, slots=True)
class _Contest:
    evidence: Evidence
    check: CheckSpec
    logs: list[Artifact]
    figures: Figures

    def figure(self, title: str) -> float:
        """What one run of the benchmark costs; raises _FailedError."""
        box, options = self.evidence.box, self.check.options
        limit_s = self.check.timeout_s or self.evidence.scenario.limits.command_s
        # what the code of the other side leaves in its home or /tmp must not be found
        with fresh_home(box) as env:
            if "prepare" in options:
                self._ended(
                    f"{title}: prepare", box.run(options["prepare"], timeout_s=limit_s, env=env)
                )
            done = box.run(
                options["command"], timeout_s=limit_s, env=env, output_bytes=OUTPUT_BYTES
            )
            self._ended(title, done)
        if "metric" not in options:
            return max(done.duration_s, 1e-6)
        return self._printed(title, done, options["metric"])

    def _ended(self, title: str, done: Completed) -> None:
        if done.ok:
            return
        name = f"{self.check.name}.log"
        self.logs.append(self.evidence.keep(name, transcript_of(done)))
        how = "killed at its deadline" if done.timed_out else f"exit code {done.exit_code}"
        raise _FailedError(f"{title}: {how}")

    def _printed(self, title: str, done: Completed, metric: str) -> float:
        try:
            number = _FIGURE.fullmatch(self.figures.figure(metric, done.stdout))
        except UnreadableError as error:
            raise _FailedError(f"{title}: looking for {metric!r}: {error}") from error
        value = float(number[0]) if number else 0.0
        if not 0.0 < value < float("inf"):
            raise _FailedError(f"{title}: no figure above 0 where {metric!r} looks for one")
        return value


def _ran_before(evidence: Evidence, check: CheckSpec) -> bool:
    before = evidence.before(check)
    return before is not None and before.score is not None


def _untouched(contest: _Contest) -> CheckResult:
    try:
        _listing(contest.evidence.box)
        cost = contest.figure("the benchmark")
    except _FailedError as error:
        return not_run(contest.check, str(error))
    return _graded(contest.check, [1.0], f"the benchmark runs on the untouched fixture: {cost:.4g}")


def _compared(contest: _Contest) -> CheckResult:
    evidence, check = contest.evidence, contest.check
    sides = _Sides.of(evidence)
    ratios: list[float] = []
    known: frozenset[bytes] | None = None
    try:
        known = _listing(evidence.box)
        for turn in range(int(check.options.get("rounds", ROUNDS))):
            # first one side and then the other begins: what drifts does so for both
            order = ("before", "after") if turn % 2 == 0 else ("after", "before")
            costs: dict[str, float] = {}
            for side in order:
                sides.sweep(evidence.box, known)
                sides.lay(evidence.box, side)
                costs[side] = contest.figure(side)
            ratio = costs["after"] / costs["before"]
            ratios.append(1 / ratio if check.options.get("higher_is_better") else ratio)
    except _FailedError as error:
        if not _ran_before(evidence, check):
            return not_run(check, f"{error} (and the untouched fixture was not graded)")
        hint = "; if the work changed what is installed, `prepare` has to install it"
        return scored(check, 0.0, f"{error}{hint if str(error).startswith('before') else ''}")
    finally:
        with suppress(_FailedError):
            sides.sweep(evidence.box, known or _listing(evidence.box))
        sides.lay(evidence.box, "after")
    return _graded(check, ratios)


def _graded(check: CheckSpec, ratios: Sequence[float], *details: str) -> CheckResult:
    middle = median(ratios)
    best, worst = 1 / check.options.get("target", TARGET), check.options.get("worst", WORST)
    if middle <= best:
        score = 1.0
    else:
        score = max(0.0, (worst - middle) / (worst - best)) if worst > best else 0.0
    spread = f"median of {len(ratios)} pairs, {min(ratios):.3f} to {max(ratios):.3f}"
    lines = [f"after costs {middle:.3f} of before ({spread})"]
    lines.append(f"1 up to {best:.3g}, 0 from {max(best, worst):.3g}")
    if "metric" in check.options:
        lines.append("the figure is what the work's own code prints")
    return scored(check, score, *details, *lines)


@dataclass(frozen=True, slots=True)
class _Sides:
    """The two states of the workspace."""

    fixture: tuple[Change, ...]
    before: tuple[Change, ...]
    after: tuple[Change, ...]

    @classmethod
    def of(cls, evidence: Evidence) -> _Sides:
        scenario, after = evidence.scenario, evidence.changes.items
        restored = dict.fromkeys(
            original
            for change in after
            for place in (*_folders_above(evidence, change), change)
            for original in originals(scenario, place)
        )
        # the fixture whole: a benchmark may have run hostile code over any file of it
        everything = originals(scenario, Change(b"", ChangeKind.DELETE))
        changed = {change.path for change in after}
        fixture = tuple(c for c in everything if c.path not in changed and not _below(c, changed))
        return cls(fixture, tuple(restored), after)

    def sweep(self, box: Box, known: frozenset[bytes]) -> None:
        """Remove what runs have left beside the files that were there; raises _FailedError."""
        extra = _listing(box) - known - {c.path for c in (*self.before, *self.after)}
        tops: list[bytes] = []
        # folders come right before what they hold
        for path in sorted(extra, key=lambda path: path.replace(b"/", b"\0")):
            if not tops or not path.startswith(tops[-1] + b"/"):
                tops.append(path)
        box.apply([Change(path, ChangeKind.DELETE) for path in tops])

    def lay(self, box: Box, side: str) -> None:
        """Make the files those of the one side."""
        here, other = self.before, self.after
        if side == "after":
            here, other = other, here
        box.apply([Change(change.path, ChangeKind.DELETE) for change in other])
        box.apply([*self.fixture, *here])


def _folders_above(evidence: Evidence, change: Change) -> list[Change]:
    """A file of the fixture's that the work made a folder of."""
    paths = [os.fsdecode(up) for up in above(change.path)]
    files = [path for path in paths if evidence.original(path) is not None]
    return [Change(os.fsencode(path), ChangeKind.DELETE) for path in files]


def _below(change: Change, places: set[bytes]) -> bool:
    return any(up in places for up in above(change.path))


def _listing(box: Box) -> frozenset[bytes]:
    """Every path in the workspace, said by the image's own `find`."""
    done = box.run(LISTING, timeout_s=LISTING_S, output_bytes=LISTING_BYTES)
    if not done.ok or done.dropped_bytes:
        raise _FailedError("there are more files in the workspace than can be listed")
    names = done.stdout.split("\0")[:-1]
    return frozenset(name.removeprefix("./").encode() for name in names)
