"""Runs that several batches count as their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.domain.ids import BatchId
from harness.domain.model import ModelUse, Usage
from harness.domain.record import Batch, Origin, RunRecord
from harness.domain.session import Ending, Session
from harness.report.documents import batch_summary, run_document
from harness.report.forecast import Wish, forecast
from harness.report.progress import Standing
from harness.report.reused import apart, each_once, made
from harness.store.codec import decode, encode
from harness.testing.store import NOON
from tests.report.records import a_run, a_task, with_id

USE = ModelUse(Usage(100), 0.5, 1)
PAID = Session(Ending.FINISHED, 1.0, cost_usd=0.5, usage=USE.usage, model_use=USE)


def a_copy(run: RunRecord, name: str, batch: str = "new") -> RunRecord:
    origin = Origin(run.id, run.batch)
    return replace(with_id(run, name), batch=BatchId(batch), reused=origin)


@pytest.fixture
def run() -> RunRecord:
    return a_run(0.5, batch="old", session=PAID)


def test_the_same_run_is_shown_once_and_where_it_was_made(run: RunRecord) -> None:
    other = a_run(0.7)
    one, two = a_copy(run, "one"), a_copy(run, "two", "newer")
    assert each_once([one, run, other, two]) == (run, other)
    assert each_once([one, other, two]) == (one, other)
    assert made([one, run, other]) == (run, other)


def test_no_run_is_on_both_sides_of_a_comparison(run: RunRecord) -> None:
    new = a_run(0.7, batch="new")
    copy, again = a_copy(run, "copy"), a_copy(run, "again", "newer")
    assert apart([run], [copy, new]) == ((run,), (new,))
    assert apart([copy, new], [run]) == ((new,), (run,))
    assert apart([copy, new], [again]) == ((copy, new), ())


def test_a_copy_is_not_paid_again(run: RunRecord) -> None:
    copy = a_copy(run, "copy")
    assert run.drawn == (USE,)
    assert copy.drawn == ()
    found = batch_summary(Batch(BatchId("new"), NOON, 2, finished=True), [copy, a_run(1.0)])
    assert (found["cost_usd"], found["usage"], found["reused"], found["runs"]) == (0.25, None, 1, 2)
    assert found["mean_total_score"] == 0.75


def test_a_copy_says_whose_it_is_and_stays_so_in_the_store(run: RunRecord) -> None:
    copy = a_copy(run, "copy")
    assert run_document(copy)["reused"] == {"run_id": run.id, "batch_id": "old"}
    assert run_document(run)["reused"] is None
    assert decode(RunRecord, encode(copy)) == copy


def test_a_copy_is_no_second_sample_of_what_a_run_takes(run: RunRecord) -> None:
    wish = Wish(a_task(), 5, is_simulated=False, reused=2)
    found = forecast([wish], [run, a_copy(run, "copy")])
    assert found.cells[0].samples == 1
    assert found.total("cost_usd").value == 1.5
    assert (found.planned, found.made) == (5, 3)


def test_nobody_who_looks_on_is_told_of_a_cost_that_was_not_paid(run: RunRecord) -> None:
    standing = Standing()
    standing.add([a_copy(run, "copy"), a_run(1.0)])
    assert standing.cost_usd == 0.25
    assert len(standing.tries) == 2
