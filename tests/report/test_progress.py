"""How far a batch is: every planned run counted once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.ids import BatchId, RunId
from harness.domain.record import CheckResult, Fault, RunRecord
from harness.domain.session import Ending, Session
from harness.report.outcome import key_of
from harness.report.progress import (
    Command,
    Progress,
    Standing,
    UnderWay,
    progress_document,
    progress_of,
    rate,
    still_missing,
)
from harness.store.base import Planned
from harness.testing.store import NOON, a_cell, a_record

B = BatchId("b")
NOW = NOON + timedelta(minutes=10)
PLAN = [Planned(a_cell(), n, text_digest("spec")) for n in range(1, 7)]


def run(number: int, *, passed: bool = True, cause: Cause | None = None) -> RunRecord:
    fault = Fault(cause, "work", "gone") if cause else None
    checks = (CheckResult("test", "test", float(passed), 1.0, required=True),)
    return replace(
        a_record(f"run_{number}", minute=number),
        iteration=number,
        passed=passed and not cause,
        checks=() if cause else checks,
        total_score=None if cause else float(passed),
        fault=fault,
    )


def at_work(*iterations: int, ended: int = 0, runs: int = 6) -> Command:
    began = NOW - timedelta(minutes=4)
    return Command(
        "host/1/2", B, began, NOW, runs, 2, ended,
        under_way=tuple(UnderWay(RunId(f"run_u{n}"), a_cell(), n, began) for n in iterations),
    )  # fmt: skip


def seen(runs: list[RunRecord], *commands: Command) -> Progress:
    standing = Standing()
    standing.add(runs)
    missing = still_missing({key_of(plan): plan for plan in PLAN}, standing)
    return progress_of(B, standing, missing, commands, NOW)


def test_every_planned_run_is_in_one_state() -> None:
    runs = [run(1), run(2, passed=False), run(3, cause=Cause.SANDBOX)]
    found = seen(runs, at_work(4, ended=3))
    tally = found.tally
    assert (tally.passed, tally.failed, tally.faulted) == (1, 1, 1)
    assert (tally.under_way, tally.waiting) == (1, 2)
    assert (tally.done, tally.planned) == (3, 6)
    assert not found.finished


def test_a_run_that_is_made_again_is_under_way_and_no_fault() -> None:
    tally = seen([run(1, cause=Cause.SANDBOX)], at_work(1)).tally
    assert (tally.faulted, tally.under_way, tally.planned) == (0, 1, 6)


def test_a_run_that_was_interrupted_waits() -> None:
    tally = seen([run(1, cause=Cause.CANCELLED)]).tally
    assert (tally.faulted, tally.waiting) == (0, 6)


def test_a_run_that_was_stored_since_its_command_told_of_it_is_counted_once() -> None:
    tally = seen([run(1)], at_work(1)).tally
    assert (tally.passed, tally.under_way, tally.planned) == (1, 0, 6)


def test_a_bug_of_the_harness_is_settled_and_counted_as_a_fault() -> None:
    found = seen([run(n, cause=Cause.HARNESS) for n in range(1, 7)])
    assert found.finished
    assert found.tally.faulted == 6


def test_two_commands_are_as_fast_as_both() -> None:
    one, both = seen([], at_work(ended=4, runs=8)), seen([], *[at_work(ended=4, runs=8)] * 2)
    assert one.runs_per_min == pytest.approx(1.0)
    assert both.runs_per_min == pytest.approx(2.0)
    assert one.left_s == pytest.approx(4 * 60)
    # they may have set out to make the same: no more than is missing is left
    assert both.left_s == pytest.approx(6 * 30)


def test_runs_under_way_are_half_done_for_what_is_left_and_no_part_of_the_pace() -> None:
    found = seen([], at_work(1, 2, ended=4, runs=8))
    assert found.runs_per_min == pytest.approx(1.0)
    assert found.left_s == pytest.approx(3 * 4 * 60 / 5)


def test_nothing_is_foretold_before_a_run_has_ended() -> None:
    assert rate(10.0, 0, 3) is None
    assert seen([], at_work(1)).left_s is None


def test_every_try_was_paid_for() -> None:
    session = Session(Ending.FINISHED, 1.0, cost_usd=0.5)
    tries = [
        replace(run(1, cause=Cause.SANDBOX), session=session),
        replace(run(1), session=session),
    ]
    unpriced = replace(run(2), simulated=False)
    found = seen([*tries, unpriced])
    assert (found.cost_usd, found.unpriced) == (1.0, 1)
    assert found.tally.done == 2


def test_cells_that_fail_say_why_most_of_them_did() -> None:
    runs = [run(1, passed=False), run(2, passed=False), run(3, cause=Cause.SANDBOX)]
    (cell,) = seen(runs).failing
    assert cell.why.most_common(1) == [("score 0.00, needs 0.7; test 0.00", 2)]


def test_the_document_says_the_same() -> None:
    document = progress_document(seen([run(1)], at_work(2, ended=1)))
    assert document["states"] == {
        "planned": 6, "done": 1, "passed": 1, "failed": 0, "faulted": 0, "under_way": 1,
        "waiting": 4,
    }  # fmt: skip
    assert document["under_way"][0]["for_s"] == 240.0
    assert document["commands"][0]["jobs"] == 2
