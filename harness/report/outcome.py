"""How a run ended and why, in words that are the same wherever they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TypeVar

from harness.domain.failures import Cause
from harness.domain.record import CheckResult, RunRecord
from harness.report.words import line
from harness.store.base import RETRIED, Planned
from harness.store.codec import cell_key

T = TypeVar("T")

WHY = 300
"""Characters of a reason that is told in a line."""

Key = tuple[str, int]
"""A planned run: its cell and its iteration."""


class Outcome(StrEnum):
    """How a planned run came out."""

    PASSED = "passed"
    FAILED = "failed"
    FAULTED = "faulted"
    """It has no whole grade: the world failed, an evaluator broke down, or nothing could run."""
    INTERRUPTED = "interrupted"


def outcome(run: RunRecord) -> Outcome:
    """One of four, so that everything is counted once."""
    if run.fault is not None:
        return Outcome.INTERRUPTED if run.fault.cause is Cause.CANCELLED else Outcome.FAULTED
    if run.passed:
        return Outcome.PASSED
    if run.partly_graded or run.total_score is None:
        return Outcome.FAULTED
    return Outcome.FAILED


def key_of(run: RunRecord | Planned) -> Key:
    """Which planned run a record, or a plan, is of."""
    return cell_key(run.cell), run.iteration


def missed(run: RunRecord) -> tuple[CheckResult, ...]:
    """The checks that the run did not reach, the required ones first."""
    found = [
        check
        for check in run.checks
        if check.score is not None and (check.score == 0 or (check.required and not check.reached))
    ]
    return tuple(sorted(found, key=lambda check: not check.required))


def why(run: RunRecord) -> str:
    """Why a run did not pass, on one line."""
    if run.fault is not None:
        return line(f"{run.fault.stage}: {run.fault.message}", WHY)
    if run.partly_graded:
        broken = ", ".join(check.name for check in run.checks if check.crashed)
        return line(f"an evaluator broke down: {broken}", WHY)
    if run.total_score is None:
        return "no check could run"
    said = [f"score {run.total_score:.2f}, needs {run.threshold:g}"]
    said += [_of_check(check) for check in missed(run)]
    return line("; ".join(said), WHY)


def _of_check(check: CheckResult) -> str:
    reason = f" ({line(check.reason, WHY // 3)})" if check.reason else ""
    return f"{check.name} {check.score:.2f}{reason}"


def latest(runs: Iterable[RunRecord]) -> dict[Key, RunRecord]:
    """Of each planned run the try that stands."""
    found: dict[Key, RunRecord] = {}
    for run in runs:
        let_stand(found, key_of(run), run, is_settled)
    return found


def let_stand(found: dict[Key, T], key: Key, item: T, is_settled: Callable[[T], bool]) -> None:
    """Put a further try in its place: a settled one, else the last, is what stands."""
    before = found.setdefault(key, item)
    if is_settled(item) or not is_settled(before):
        found[key] = item


def is_settled(run: RunRecord) -> bool:
    """It is not to be made again."""
    return run.cause not in RETRIED
