"""What all batches may use on one day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from harness.domain.ids import BatchId
from harness.domain.model import Budget, Usage
from harness.gateway.base import Refusal
from harness.gateway.budget import DayPurse, Drawn, Purse, midnight
from harness.testing.provider import Says
from tests.gateway.conftest import Start
from tests.gateway.rig import ask

BATCH = BatchId("b")
EVENING = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)
TODAY = datetime(2026, 3, 1, tzinfo=UTC)
SMALL = Says("ok", usage=Usage(input_tokens=90, output_tokens=10))


class Clock:
    def __init__(self) -> None:
        self.now = EVENING

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    "now", [EVENING, EVENING.astimezone(timezone(timedelta(hours=9))), TODAY], ids=str
)
def test_a_day_begins_at_midnight_in_utc(now: datetime) -> None:
    assert midnight(now) == TODAY


def test_a_running_agent_is_refused_when_the_day_is_spent(start: Start, clock: Clock) -> None:
    day = DayPurse(Budget(tokens=250), clock)
    day.at_least(Drawn(TODAY, 0.0, 100))
    one = start(SMALL, SMALL, SMALL, purses={BATCH: Purse(Budget(), day=day)})
    line = one.line(batch=BATCH)
    assert [ask(line).status_code for _ in range(3)] == [200, 200, 400]
    assert (line.spent, line.cut_by_batch) == (Refusal.BUDGET, True)
    why = (
        "the day's budget is spent: 300 of 250 tokens are used, by all batches;"
        " the next day begins at 2026-03-02 00:00 UTC"
    )
    assert (line.spent_why, one.gateway.stopped(BATCH)) == (why, why)
    # what the day refused, the run's own purse has back
    assert line.use().requests == 2


def test_answers_that_nobody_can_count_end_a_run_that_a_day_limits(
    start: Start, clock: Clock
) -> None:
    day = DayPurse(Budget(usd=1.0), clock)
    one = start(*[Says("ok", usage=None)] * 7, purses={BATCH: Purse(Budget(), day=day)})
    line = one.line(batch=BATCH)
    assert [ask(line).status_code for _ in range(6)] == [200] * 5 + [400]
    assert "money are limited" in line.spent_why


def test_a_new_day_begins_with_nothing_taken(clock: Clock) -> None:
    day = DayPurse(Budget(usd=1.0), clock)
    day.settle(Usage(5), 0.75)
    clock.now += timedelta(minutes=10)
    assert day.drawn == Drawn(TODAY + timedelta(days=1), 0.0, 0)
    day.settle(Usage(5), 0.75)
    assert day.empty() is None


def test_what_was_stopped_stays_stopped_after_midnight(clock: Clock) -> None:
    purse = Purse(Budget(), day=DayPurse(Budget(usd=1.0), clock))
    purse.settle(None, 1.0)
    why = purse.empty()
    clock.now += timedelta(minutes=10)
    assert why is not None
    assert purse.empty() == why


def test_what_is_heard_of_another_day_says_nothing_of_this_one(clock: Clock) -> None:
    day = DayPurse(Budget(usd=1.0), clock)
    clock.now += timedelta(minutes=10)
    day.at_least(Drawn(TODAY, 5.0, 5))
    assert day.empty() is None


def test_of_batch_and_day_whichever_is_spent_first_is_named(clock: Clock) -> None:
    purse = Purse(Budget(tokens=100), day=DayPurse(Budget(usd=1.0), clock))
    purse.settle(Usage(10), 2.0)
    assert str(purse.empty()).startswith("the day's budget")
    purse.settle(Usage(90), None)
    assert str(purse.empty()).startswith("the batch's budget")
