"""What may still be spent: by one run, and by all runs of a batch together."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from harness.domain.model import Budget, Usage
from harness.gateway.base import Refusal


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
    _lock: threading.Lock = field(default_factory=threading.Lock)

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

    def set_to(self, *, usd: float, tokens: int) -> None:
        """What was taken, where others take and count."""
        with self._lock:
            self.usd, self.tokens = usd, tokens

    def at_least(self, *, usd: float, tokens: int) -> None:
        """What is known to be taken by all together; less than what is taken here says nothing."""
        with self._lock:
            self.usd, self.tokens = max(self.usd, usd), max(self.tokens, tokens)

    def _empty(self, *, turn: bool) -> tuple[Refusal, str] | None:
        has = self.budget
        if turn and has.turns is not None and self.turns >= has.turns:
            return Refusal.TURNS, f"all {has.turns} turns are used"
        if has.requests is not None and self.requests >= has.requests:
            return Refusal.BUDGET, f"all {has.requests} requests are used"
        if has.tokens is not None and self.tokens >= has.tokens:
            return Refusal.BUDGET, f"{self.tokens:,} of {has.tokens:,} tokens are used"
        if has.usd is not None and self.usd >= has.usd:
            return Refusal.BUDGET, f"${self.usd:.4f} of ${has.usd:.4f} are spent"
        return None
