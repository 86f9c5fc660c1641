"""What runs without a valid score do to the evidence: they are bounded, counted and compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.distributions import hypergeometric
from harness.stats.inputs import counted, positive

MOST_INVALID = 0.05
"""A side with a larger share of runs without a valid score supports no claim."""
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what a mean lies, whatever the missing values would have been."""

    worst: float
    best: float


def bounds(values: Sequence[float | None], weights: Sequence[float] | None = None) -> Bounds:
    """Manski's: a missing score of 0..1 is once taken as 0 and once as 1."""
    weights = [1.0] * len(values) if weights is None else weights
    whole = math.fsum(weights)
    positive(whole, "the sum of the weights")
    known = math.fsum(w * v for v, w in zip(values, weights, strict=True) if v is not None)
    open_ = math.fsum(w for v, w in zip(values, weights, strict=True) if v is None)
    return Bounds(known / whole, (known + open_) / whole)


def fisher(before: tuple[int, int], after: tuple[int, int]) -> float:
    """The exact two-sided p that two shares differ; each side is so many of so many."""
    counted(*before)
    counted(*after)
    (a, n), (b, m) = sorted((before, after))
    chances = hypergeometric(n + m, a + b, n)
    most = chances[a] * (1 + _SAME)
    return min(1.0, math.fsum(chance for chance in chances.values() if chance <= most))
