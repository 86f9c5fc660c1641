"""Means, variances and quantiles whose last digit does not depend on the order of the values."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.stats.inputs import share


def mean(values: Sequence[float]) -> float:
    """The sum over the number."""
    if not values:
        raise ValueError("no values")
    return math.fsum(values) / len(values)


def variance(values: Sequence[float], *, ddof: int = 1) -> float:
    """Mean squared distance from the mean, with `n - ddof` below."""
    if len(values) <= ddof:
        raise ValueError(f"{len(values)} values have no spread")
    middle = mean(values)
    squares = math.fsum([(apart := x - middle) * apart for x in values])
    return squares / (len(values) - ddof)


def covariance(a: Sequence[float], b: Sequence[float], *, ddof: int = 1) -> float:
    """Mean product of the distances from the means, with `n - ddof` below."""
    if len(a) <= ddof:
        raise ValueError(f"{len(a)} values have no spread")
    mean_a, mean_b = mean(a), mean(b)
    products = math.fsum([(x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True)])
    return products / (len(a) - ddof)


def correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's; None when a side does not vary."""
    spread = variance(a) * variance(b)
    return covariance(a, b) / math.sqrt(spread) if spread > 0 else None


def quantile(sorted_values: Sequence[float], p: float) -> float:
    """Of values in rising order, with linear interpolation: type 7 of Hyndman and Fan."""
    if not sorted_values:
        raise ValueError("no values")
    share(p, "a probability")
    place = (len(sorted_values) - 1) * p
    below = math.floor(place)
    above = min(below + 1, len(sorted_values) - 1)
    low, high = sorted_values[below], sorted_values[above]
    return low + (place - below) * (high - low)
