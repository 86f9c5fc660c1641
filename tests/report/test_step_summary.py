from __future__ import annotations

from dataclasses import replace

from harness.domain.failures import Cause
from harness.domain.ids import BatchId, RunId
from harness.domain.record import Batch, CheckResult, Fault, RunRecord
from harness.report.step_summary import MOST_RUNS, step_summary
from harness.testing.store import NOON, a_cell, a_record

BATCH = Batch(BatchId("night"), NOON, 4, finished=False)
MISSED = CheckResult("test", "test", 0.0, 1.0, required=True, reason="2 of 3 failed")


def failed(number: int) -> RunRecord:
    return replace(
        a_record(f"run_{number}"),
        iteration=number,
        passed=False,
        total_score=0.0,
        checks=(MISSED,),
    )


def test_the_page_says_how_many_passed_what_did_not_and_what_is_missing() -> None:
    fault = Fault(Cause.SANDBOX, "work", "no engine")
    gone = replace(failed(3), fault=fault, total_score=None)
    page = step_summary(BATCH, [a_record(), failed(2), gone], "the batch's budget is spent")
    assert "### Mintmark batch `night`" in page
    assert "**1 of 4 runs passed, 1 failed, 1 faulted, 1 not run**" in page
    assert "> the batch's budget is spent" in page
    assert "| core/slots | L1 | echo | 3 | 1/2 | 0.38 | – |" in page
    assert "score 0.00, needs 0.7; test 0.00 (2 of 3 failed)" in page
    assert "work: no engine" in page
    assert "their scores say nothing about any model" in page
    assert "`bench resume night`" in page


def test_a_batch_of_which_all_passed_has_no_list_of_others() -> None:
    page = step_summary(replace(BATCH, planned=1, finished=True), [a_record()])
    assert "Not passed" not in page
    assert "resume" not in page


def test_nothing_that_an_agent_is_called_is_markdown() -> None:
    name = "<img src=x> | [a](b) `c`\n# d \x1b[31m\u202e"
    run = replace(failed(1), cell=replace(a_cell(agent=name), model="*m*"))
    page = step_summary(BATCH, [run])
    assert "<img" not in page.replace("\\<img", "")
    assert "[a]" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    rows = [line for line in page.splitlines() if line.startswith("| core")]
    assert all(len(row.replace("\\|", "").split("|")) in {6, 9} for row in rows)


def test_a_large_batch_stays_below_what_github_takes() -> None:
    long = "x" * 100_000
    runs = [
        replace(failed(n), id=RunId(f"run_{n}"), cell=a_cell(f"s{n}"), checks=(
            replace(MISSED, name=long, reason=long),))
        for n in range(3 * MOST_RUNS)
    ]  # fmt: skip
    page = step_summary(BATCH, runs)
    assert len(page.encode()) < 2**20
    assert f"and {2 * MOST_RUNS} runs more" in page
