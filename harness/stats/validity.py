"""What runs without a valid score do to the evidence: they are bounded, counted and compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.inputs import counted, positive

MOST_INVALID = 0.05
"""A side with a larger share of runs without a valid score supports no claim."""


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
    (a, n), (b, m) = before, after
    total = a + b
    ways = {
        x: math.comb(n, x) * math.comb(m, total - x)
        for x in range(max(0, total - m), min(n, total) + 1)
    }
    return sum(way for way in ways.values() if way <= ways[a]) / sum(ways.values())
