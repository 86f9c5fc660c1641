"""Tries an action until it works."""

import time
from collections.abc import Callable
from typing import TypeVar

__version__ = "1.1.0"

Result = TypeVar("Result")


def retry(
    action: Callable[[], Result],
    attempts: int = 3,
    pause: float = 0,
    *,
    on: type[Exception] | tuple[type[Exception], ...] = OSError,
    sleep: Callable[[float], object] = time.sleep,
) -> Result:
    """Make at most `attempts` attempts, `pause` milliseconds apart, as long as `on` is raised."""
    for _ in range(attempts - 1):
        try:
            return action()
        except on:
            sleep(pause / 1000)
    return action()
