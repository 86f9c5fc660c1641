"""Counts calls per key and says when there were too many. Every time is in whole milliseconds."""

from collections import deque
from dataclasses import dataclass

__version__ = "2.1.0"


@dataclass(frozen=True)
class Decision:
    """What became of a call; `wait` is how long until one would be allowed."""

    allowed: bool
    wait: int


class Throttle:
    """At most `limit` calls per key in any `window`, or with sliding=False in each window.

    A window that does not slide opens with the key's first call.
    """

    def __init__(self, limit: int, window: int, *, sliding: bool = True) -> None:
        self._limit = int(limit)
        self._window = int(window)
        if self._limit < 1 or self._window < 1:
            raise ValueError("limit and window must be positive")
        self._sliding = sliding
        self._calls: dict[str, deque[int]] = {}

    def check(self, key: str, now: int) -> Decision:
        """Decide on a call and count it when it is allowed."""
        decision = self.peek(key, now)
        if decision.allowed:
            self._calls.setdefault(key, deque()).append(int(now))
        return decision

    def peek(self, key: str, now: int) -> Decision:
        """Decide on a call without counting it."""
        now = int(now)
        calls = self._calls.get(key, deque())
        while calls and now - calls[0] >= self._window:
            calls.popleft() if self._sliding else calls.clear()
        if len(calls) < self._limit:
            return Decision(True, 0)
        return Decision(False, max(0, calls[0] + self._window - now))

    def forget(self, key: str) -> None:
        """Forget the key's calls."""
        self._calls.pop(key, None)
