"""What the runs of a batch cost, summed up without reading them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from harness.domain.ids import BatchId, RunId
from harness.domain.model import ModelUse, Usage
from harness.domain.record import CheckResult, Origin, RunRecord
from harness.domain.session import Ending, Session
from harness.store.base import Spent, Store
from harness.testing.store import NOON, a_record

B = BatchId("b")


def used(name: str, agent: ModelUse | None, *judges: ModelUse) -> RunRecord:
    checks = tuple(CheckResult(f"j{n}", "llm_judge", 1, 1, use=use) for n, use in enumerate(judges))
    session = Session(Ending.FINISHED, 1.0, model_use=agent)
    return replace(a_record(), id=RunId(name), session=session, checks=checks)


def test_the_agents_and_the_judges_of_all_runs_are_added_up(store: Store) -> None:
    store.save(used("run_1", ModelUse(Usage(1, 2, 4, 8, 2), 0.5), ModelUse(Usage(16), 0.25)))
    store.save(used("run_2", None, ModelUse(Usage(32), 1.0)))
    store.save(used("run_3", None))
    store.save(replace(used("run_4", ModelUse(Usage(64), 2.0)), batch=BatchId("other")))
    assert store.spent(B) == Spent(usd=1.75, least_usd=1.75, tokens=63)


def test_an_unknown_price_makes_the_sum_unknown_and_not_what_is_known_of_it(store: Store) -> None:
    store.save(used("run_1", ModelUse(Usage(1), 0.5), ModelUse(Usage(2), None, least_usd=0.125)))
    store.save(used("run_2", ModelUse(Usage(4), 1.0)))
    assert store.spent(B) == Spent(usd=None, least_usd=1.625, tokens=7)


def test_a_batch_that_asked_no_model_cost_nothing(store: Store) -> None:
    store.save(a_record())
    assert store.spent(B) == store.spent(BatchId("never")) == Spent(0, 0, 0)


def test_a_days_sum_is_of_all_batches_and_of_what_ended_on_it(store: Store) -> None:
    for name, batch, seconds in [("run_1", "b", -1), ("run_2", "b", 0), ("run_3", "other", 1)]:
        record = used(name, ModelUse(Usage(int(name[-1])), 0.5), ModelUse(Usage(16), 0.25))
        ended = NOON + timedelta(seconds=seconds)
        began = NOON - timedelta(days=1)
        store.save(replace(record, batch=BatchId(batch), started_at=began, finished_at=ended))
    assert store.spent_since(NOON) == Spent(usd=1.5, least_usd=1.5, tokens=37)
    assert store.spent_since(NOON + timedelta(seconds=2)) == Spent(0, 0, 0)


def test_what_is_reused_is_paid_on_no_day(store: Store) -> None:
    copy = used("run_1", ModelUse(Usage(1), 0.5))
    store.save(replace(copy, reused=Origin(RunId("run_0"), BatchId("other"))))
    assert store.spent_since(NOON) == Spent(0, 0, 0)


def test_what_a_cassette_answered_is_paid_on_no_day_and_a_simulated_agents_judge_is(
    store: Store,
) -> None:
    played = used("run_1", ModelUse(Usage(1), 0.5))
    store.save(replace(played, cell=replace(played.cell, model="gpt-x")))
    store.save(used("run_2", None, ModelUse(Usage(2), 0.25)))
    assert store.spent_since(NOON) == Spent(0.25, 0.25, 2)
    assert store.spent(B).tokens == 3


def test_more_tokens_than_fit_into_32_bits_are_counted(store: Store) -> None:
    for name in ("run_1", "run_2"):
        store.save(used(name, ModelUse(Usage(cached_tokens=3_000_000_000), 1.0)))
    assert store.spent(B).tokens == 6_000_000_000


def test_the_sum_is_what_the_records_say(store: Store) -> None:
    records = [
        used(f"run_{n}", ModelUse(Usage(n), n / 7), ModelUse(Usage(n), n / 11)) for n in range(20)
    ]
    for record in records:
        store.save(record)
    uses = [use for record in records for use in record.drawn]
    spent = store.spent(B)
    assert spent.usd == pytest.approx(sum(use.cost_usd or 0 for use in uses))
    assert spent.tokens == sum(use.usage.total for use in uses)
