"""What may still be spent: by one run, by all runs of a batch, and by all batches on one day."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from harness.domain.model import Budget, Usage
from harness.gateway.base import Refusal


class Drawn(NamedTuple):
    """What was taken on the day that began then, at midnight in UTC."""

    since: datetime
    usd: float
    tokens: int


class DayPurse:
    """What all batches have in common on one day, UTC; the next begins with nothing taken.

    Once it was found empty it stays so: what it stopped is not begun anew at midnight by whichever
    threads are still at work.
    """

    def __init__(self, budget: Budget, now: Callable[[], datetime]) -> None:
        self.budget = budget
        self._now = now
        self._drawn = Drawn(midnight(now()), 0.0, 0)
        self._empty: str | None = None
        self._lock = threading.Lock()

    @property
    def drawn(self) -> Drawn:
        """What was taken today."""
        with self._lock:
            return self._today()

    def empty(self) -> str | None:
        """Why nothing more can be asked at all."""
        with self._lock:
            day = self._today()
            why = _used_up(self.budget, day.usd, day.tokens)
            if why and not self._empty:
                ends = day.since + timedelta(days=1)
                self._empty = (
                    f"the day's budget is spent: {why}, by all batches;"
                    f" the next day begins at {ends:%Y-%m-%d %H:%M} UTC"
                )
            return self._empty

    def settle(self, usage: Usage | None, cost_usd: float | None) -> None:
        """Book an answer; what is unknown cannot be booked."""
        with self._lock:
            since, usd, tokens = self._today()
            tokens += usage.total if usage else 0
            self._drawn = Drawn(since, usd + (cost_usd or 0.0), tokens)

    def at_least(self, known: Drawn) -> None:
        """What is known to be taken by all together; of another day it says nothing."""
        with self._lock:
            since, usd, tokens = self._today()
            if since == known.since:
                self._drawn = Drawn(since, max(usd, known.usd), max(tokens, known.tokens))

    def _today(self) -> Drawn:
        since = midnight(self._now())
        if since != self._drawn.since:
            self._drawn = Drawn(since, 0.0, 0)
        return self._drawn


def midnight(now: datetime) -> datetime:
    """When the day began, in UTC."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(slots=True)
class Purse:
    """A budget and what was taken from it; threads may share one.

    Requests and turns are taken before they are made, so that a budget of N ends at N. What an
    answer costs is known when it is there: money and tokens may be overdrawn by the answers that
    were under way.
    """

    budget: Budget
    usd: float = 0.0
    tokens: int = 0
    requests: int = 0
    turns: int = 0
    whose: str = "batch's budget"
    day: DayPurse | None = None
    """What is taken here is taken there, too."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def limits_usd(self) -> bool:
        """Whether money is limited here, or by the day."""
        return self.budget.usd is not None or bool(self.day and self.day.budget.usd is not None)

    @property
    def limits_tokens(self) -> bool:
        """The same of tokens."""
        return self.budget.tokens is not None or bool(
            self.day and self.day.budget.tokens is not None
        )

    def take(self, *, turn: bool) -> tuple[Refusal, str] | None:
        """Take a request, and a turn if it is one; or why there is nothing left."""
        with self._lock:
            empty = self._empty(turn=turn)
            if empty is None:
                self.requests += 1
                self.turns += turn
            return empty

    def empty(self) -> str | None:
        """Why nothing more can be asked at all."""
        with self._lock:
            empty = self._empty(turn=False)
        return empty[1] if empty else None

    def give_back(self, *, request: bool, turn: bool) -> None:
        """Undo a take; a request that was made stays made, whatever came of it."""
        with self._lock:
            self.requests -= request
            self.turns -= turn

    def settle(self, usage: Usage | None, cost_usd: float | None) -> None:
        """Book an answer; what is unknown cannot be booked."""
        with self._lock:
            self.tokens += usage.total if usage else 0
            self.usd += cost_usd or 0.0
        if self.day:
            self.day.settle(usage, cost_usd)

    def at_least(self, *, usd: float, tokens: int) -> None:
        """What is known to be taken by all together; less than what is taken here says nothing."""
        with self._lock:
            self.usd, self.tokens = max(self.usd, usd), max(self.tokens, tokens)

    def _empty(self, *, turn: bool) -> tuple[Refusal, str] | None:
        has = self.budget
        if turn and has.turns is not None and self.turns >= has.turns:
            return Refusal.TURNS, self._spent(f"all {has.turns} turns are used")
        if has.requests is not None and self.requests >= has.requests:
            return Refusal.BUDGET, self._spent(f"all {has.requests} requests are used")
        if why := _used_up(has, self.usd, self.tokens):
            return Refusal.BUDGET, self._spent(why)
        if self.day and (why := self.day.empty()):
            return Refusal.BUDGET, why
        return None

    def _spent(self, why: str) -> str:
        return f"the {self.whose} is spent: {why}"


def _used_up(has: Budget, usd: float, tokens: int) -> str | None:
    if has.tokens is not None and tokens >= has.tokens:
        return f"{tokens:,} of {has.tokens:,} tokens are used"
    if has.usd is not None and usd >= has.usd:
        return f"${usd:.4f} of ${has.usd:.4f} are spent"
    return None
