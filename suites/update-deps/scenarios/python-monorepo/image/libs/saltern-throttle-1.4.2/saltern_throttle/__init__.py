"""Counts calls per key and says when there were too many. Every time is in seconds."""

__version__ = "1.4.2"


class Throttle:
    """At most `limit` calls per key in a window that opens with the key's first call."""

    def __init__(self, limit: int, window: float) -> None:
        if limit < 1 or window <= 0:
            raise ValueError("limit and window must be positive")
        self._limit = limit
        self._window = window
        self._open: dict[str, tuple[float, int]] = {}

    def allow(self, key: str, now: float) -> bool:
        """Whether the call may go through; a call that may is counted."""
        start, used = self._current(key, now)
        if used >= self._limit:
            return False
        self._open[key] = (start, used + 1)
        return True

    def retry_after(self, key: str, now: float) -> float:
        """Seconds until a call would be allowed, 0.0 when it would be now; counts nothing."""
        start, used = self._current(key, now)
        return max(0.0, start + self._window - now) if used >= self._limit else 0.0

    def reset(self, key: str) -> None:
        """Forget the key's calls."""
        self._open.pop(key, None)

    def _current(self, key: str, now: float) -> tuple[float, int]:
        start, used = self._open.get(key, (now, 0))
        return (now, 0) if now - start >= self._window else (start, used)
