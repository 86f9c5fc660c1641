"""Segments drawn towards their common mean, because the worst of many is mostly bad luck."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.inputs import finite, positive


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Every segment's difference as it is best guessed, in the order given."""

    values: tuple[float, ...]
    centre: float
    """The mean of all, each by what it says."""
    between: float
    """Variance of the true differences; 0 when the segments differ by no more than noise."""


def shrink(deltas: Sequence[float], errors: Sequence[float]) -> Shrunk:
    """Empirical Bayes with the variance of DerSimonian and Laird (1986)."""
    finite(deltas, "differences")
    for error in errors:
        positive(error, "a standard error")
    weights = [1 / error**2 for error in errors]
    whole = math.fsum(weights)
    fixed = _centre(deltas, weights)
    spread = math.fsum(w * (d - fixed) ** 2 for d, w in zip(deltas, weights, strict=True))
    scale = whole - math.fsum(w * w for w in weights) / whole
    between = max(0.0, (spread - (len(deltas) - 1)) / scale) if len(deltas) > 1 else 0.0
    centre = _centre(deltas, [1 / (error**2 + between) for error in errors])
    pulled = tuple(
        centre + between / (between + e**2) * (d - centre)
        for d, e in zip(deltas, errors, strict=True)
    )
    return Shrunk(pulled, centre, between)


def _centre(deltas: Sequence[float], weights: Sequence[float]) -> float:
    return math.fsum(w * d for d, w in zip(deltas, weights, strict=True)) / math.fsum(weights)
