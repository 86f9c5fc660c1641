"""Tries an action until it works."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def retry(
    action: Callable[[], Result],
    times: int,
    delay: float = 0.0,
    *,
    sleep: Callable[[float], object] = time.sleep,
) -> Result:
    """Try once, and again after any exception up to `times` times, `delay` seconds apart."""
    for _ in range(times):
        try:
            return action()
        except Exception:
            sleep(delay)
    return action()
