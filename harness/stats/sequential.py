"""Intervals that stay true however often somebody looks before stopping."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.stats.estimate import ALPHA, Interval
from harness.stats.inputs import finite, positive, probability, share

_TRUNCATION = 0.5


def confidence_sequence(values: Sequence[float], *, alpha: float = ALPHA) -> list[Interval]:
    """After each value of 0..1 the interval of their mean: empirical Bernstein, never widening.

    Differences of -1..1 go in as (d + 1) / 2. When the mean itself moves, this is slow to see it;
    `drift.cusum` is made for that. Predictable plug-in of Waudby-Smith and Ramdas (2024).
    """
    finite(values, "values")
    probability(alpha, "alpha")
    for value in values:
        share(value, "a score")
    lows = _lower_bounds(values, alpha / 2)
    highs = _lower_bounds([1 - value for value in values], alpha / 2)
    return [Interval(low, 1 - high) for low, high in zip(lows, highs, strict=True)]


def mixture_width(deviation: float, n: int, *, rho: float, alpha: float = ALPHA) -> float:
    """Half the width of the asymptotic sequence after n values: Waudby-Smith et al. (2021)."""
    positive(n, "the number of values")
    positive(rho, "rho")
    probability(alpha, "alpha")
    spread = n * rho * rho + 1
    return deviation * math.sqrt(2 * spread / (n * rho) ** 2 * math.log(math.sqrt(spread) / alpha))


def mixture_rho(n: int, *, alpha: float = ALPHA) -> float:
    """The rho that makes the sequence narrowest after n values."""
    positive(n, "the number of values")
    probability(alpha, "alpha")
    log = -2 * math.log(alpha)
    return math.sqrt((log + math.log(log + 1)) / n)


def _lower_bounds(values: Sequence[float], alpha: float) -> Iterator[float]:
    bar = -math.log(alpha)
    total, squares, spread = 0.0, 0.25, 0.25
    bets, gains, losses = 0.0, 0.0, 0.0
    best = 0.0
    for t, x in enumerate(values, start=1):
        bet = min(_TRUNCATION, math.sqrt(2 * bar / (spread * t * math.log(1 + t))))
        plain = total / (t - 1) if t > 1 else 0.0
        bets += bet
        gains += bet * x
        losses += (x - plain) ** 2 * (-math.log(1 - bet) - bet)
        total += x
        squares += (x - (0.5 + total) / (t + 1)) ** 2
        spread = squares / (t + 1)
        best = max(best, (gains - bar - losses) / bets)
        yield best
