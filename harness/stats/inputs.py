"""What a formula refuses before it computes."""

from __future__ import annotations

import math
from collections.abc import Collection


def finite(values: Collection[float], what: str) -> None:
    """Raises `ValueError` when there are none, or one of them is no ordinary number."""
    if not values:
        raise ValueError(f"no {what}")
    if not all(map(math.isfinite, values)):
        value = next(value for value in values if not math.isfinite(value))
        raise ValueError(f"not a number among the {what}: {value!r}")


def probability(value: float, what: str) -> None:
    """Raises `ValueError` for what does not lie strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{what} lies between 0 and 1, not at {value!r}")


def share(value: float, what: str) -> None:
    """Raises `ValueError` for what does not lie from 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{what} lies from 0 to 1, not at {value!r}")


def positive(value: float, what: str) -> None:
    """Raises `ValueError` for what is not above 0, or has no end."""
    if not 0 < value < math.inf:
        raise ValueError(f"{what} is above 0, not {value!r}")


def binary(values: Collection[int], what: str) -> None:
    """Raises `ValueError` when there are none, or one of them is neither 0 nor 1."""
    if not values:
        raise ValueError(f"no {what}")
    for value in values:
        if value not in {0, 1}:
            raise ValueError(f"each of the {what} is 0 or 1, not {value!r}")


def counted(successes: float, trials: float) -> None:
    """Raises `ValueError` when so many of so many cannot be."""
    positive(trials, "the number of trials")
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes!r} of {trials!r} cannot have succeeded")
