"""Runs made of numbers, for tests of what is computed from them."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.ids import BatchId, RunId
from harness.domain.record import Cell, CheckResult, Fault, RunRecord, SpecialistRef, TreeRef
from harness.domain.session import Ending, Session, ToolCount
from harness.testing.store import NOON, a_record

DEBUGGER = SpecialistRef("@acme/debugger", "1.0.0", text_digest("debugger"))

MANY = 1000
"""More iterations than any test has of one cell."""

_numbers = count(1)


def a_task(
    scenario: str = "slots",
    tier: str = "L1",
    *,
    agent: str = "tool-loop",
    model: str | None = "acme:one",
    specialist: SpecialistRef | None = None,
) -> Cell:
    """A cell."""
    return Cell("core", scenario, tier, agent, model, specialist)


def a_session(*, cost_usd: float | None = 0.25, duration_s: float = 10.0) -> Session:
    """A session that finished and called one tool."""
    calls = (ToolCount("run_command", 1),)
    return Session(Ending.FINISHED, duration_s, calls=calls, cost_usd=cost_usd)


def a_run(
    score: float | None,
    cell: Cell | None = None,
    *,
    fault: Cause | None = None,
    batch: str = "b",
    **changes: object,
) -> RunRecord:
    """A run with one check of that score; a fault takes its grade away.

    Each is the try of another planned run, unless `changes` say which.
    """
    number = next(_numbers)
    cell = cell or a_task()
    check = CheckResult("test", "test", score, 1.0, required=True, reason="" if score else "no")
    record = replace(
        a_record(f"run_{number:04}", minute=number),
        batch=BatchId(batch),
        cell=cell,
        iteration=MANY + number,
        simulated=False,
        session=a_session(),
        tree=TreeRef(f"fixture of {cell.scenario}", f"commit{number}", 1, 2, 3),
        checks=() if fault else (check,),
        total_score=None if fault else score,
        passed=not fault and score is not None and score >= 0.7,
        fault=Fault(fault, "work", "the engine said no") if fault else None,
    )
    return replace(record, **changes)  # type: ignore[arg-type]  # a record's own fields


def runs_of(cell: Cell, *scores: float | None, batch: str = "b") -> list[RunRecord]:
    """One run per score, iteration by iteration."""
    return [a_run(s, cell, batch=batch, iteration=n) for n, s in enumerate(scores, 1)]


def scenarios(before: list[float], after: list[float], count: int = 8) -> list[RunRecord]:
    """The same runs in every scenario, but for a step that differs from one to the next."""
    step = [0.01 * n for n in range(count)]
    return [
        run
        for n in range(count)
        for scores, worn in ((before, None), ([each + step[n] for each in after], DEBUGGER))
        for run in runs_of(a_task(f"s{n}", specialist=worn), *scores)
    ]


def with_id(record: RunRecord, run: str) -> RunRecord:
    """The same run under another id."""
    return replace(record, id=RunId(run))


__all__ = ["DEBUGGER", "NOON", "a_run", "a_session", "a_task", "runs_of", "scenarios", "with_id"]
