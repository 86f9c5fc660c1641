"""What all runs of a batch may use together, and all batches on one day: what is left, and on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness import wiring
from harness.cli.lookup import has_store
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelUse
from harness.domain.record import RunRecord
from harness.errors import UsageError
from harness.gateway.budget import DayPurse, Drawn, Purse
from harness.report.limits import Left, Limits
from harness.settings import Settings
from harness.store.base import Store


def purses_of(
    settings: Settings, batch: BatchId, budget: Budget, day: Budget
) -> Mapping[BatchId, Purse]:
    """The batch's common purse, with what its earlier runs took already gone, and the day's in it.

    Raises UsageError when nothing is left in one of them.
    """
    of_day = day_purse(settings, day)
    if budget == Budget() and of_day is None:
        return {}
    uses = _drawn(wiring.open_store(settings).runs(batch)) if budget != Budget() else ()
    purse = Purse(
        budget,
        usd=sum(use.least_usd if use.cost_usd is None else use.cost_usd for use in uses),
        tokens=sum(use.usage.total for use in uses),
        day=of_day,
    )
    refuse_empty({batch: purse})
    return {batch: purse}


def day_purse(settings: Settings, budget: Budget) -> DayPurse | None:
    """What all batches may use today, with what they took already gone."""
    if budget == Budget():
        return None
    purse = DayPurse(budget, wiring.utc_now)
    if has_store(settings):
        _look_at_day(wiring.open_store(settings), purse)
    return purse


def refuse_empty(purses: Mapping[BatchId, Purse]) -> None:
    """Raise UsageError where nothing is left."""
    larger = "give a larger --max-{0}-cost or --max-{0}-tokens"
    for batch, purse in purses.items():
        if purse.day and (why := purse.day.empty()):
            raise UsageError(f"{why}; before that, {larger.format('day')}")
        if why := purse.empty():
            raise UsageError(f"batch {batch}: {why}; {larger.format('batch')}")


def count_others(store: Store, batch: BatchId, purse: Purse) -> None:
    """What other commands have stored is gone from the purses here, too."""
    if purse.budget != Budget():
        spent = store.spent(batch)
        purse.at_least(usd=spent.least_usd, tokens=spent.tokens)
    if purse.day:
        _look_at_day(store, purse.day)


def further(batch: BatchId, why: str) -> str:
    """How to go on with a batch that was stopped."""
    command = f"bench resume {batch}"
    limit = "tokens N" if "tokens" in why else "cost USD"
    if "day's budget is spent" in why:
        return f"{command} then, or now with a larger --max-day-{limit}"
    return f"{command} --max-batch-{limit}" if "budget is spent" in why else command


def limits_of(purse: Purse | None, seconds: float | None) -> Limits:
    """What is left of a batch's limits, and of the day's."""
    batch = _left(purse.budget, purse.usd, purse.tokens) if purse else Left()
    day = purse.day if purse else None
    return Limits(
        batch, _left(day.budget, day.drawn.usd, day.drawn.tokens) if day else Left(), seconds
    )


def _left(budget: Budget, usd: float, tokens: int) -> Left:
    return Left(
        usd=None if budget.usd is None else max(0.0, budget.usd - usd),
        tokens=None if budget.tokens is None else max(0, budget.tokens - tokens),
        spent_usd=usd,
        spent_tokens=tokens,
    )


def _look_at_day(store: Store, purse: DayPurse) -> None:
    since = purse.drawn.since
    spent = store.spent_since(since)
    purse.at_least(Drawn(since, spent.least_usd, spent.tokens))


def _drawn(runs: Sequence[RunRecord]) -> Sequence[ModelUse]:
    """What runs took, and what choosing the words of their specialists did."""
    worn = [(run.cell, run.application.choice) for run in runs if run.application]
    # the iterations of a cell were told the same, and it was asked for once
    choices = [choice for _, choice in dict.fromkeys(worn) if choice]
    return [use for run in runs for use in run.drawn] + [each.use for each in choices if each.use]
