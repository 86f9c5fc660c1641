"""How long to wait, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_LONGEST_RETRY_AFTER_S = 86400.0
_TRANSIENT = {408, 425, 429}


@dataclass(frozen=True)
class RetryPolicy:
    """How often a delivery is tried, and how far apart."""

    max_attempts: int = 5
    base_s: float = 2.0
    factor: float = 2.0
    cap_s: float = 300.0

    def delay_after(self, attempt: int) -> float:
        """Seconds to wait after attempt number `attempt` failed; the first is 1."""
        try:
            return min(self.cap_s, self.base_s * self.factor ** (attempt - 1))
        except OverflowError:
            return self.cap_s


def is_success(status: int) -> bool:
    return 200 <= status < 300


def is_transient(status: int) -> bool:
    """Whether trying again can help."""
    return status in _TRANSIENT or 500 <= status < 600


def retry_after_s(headers: Mapping[str, str]) -> float:
    """The wait the receiver asks for; 0 if it asks for none that we understand."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return min(max(float(value), 0.0), _LONGEST_RETRY_AFTER_S)
            except ValueError:
                return 0.0
    return 0.0
