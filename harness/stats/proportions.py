"""Intervals of a share of successes: what passed out of how many."""

from __future__ import annotations

import math

from harness.stats.distributions import beta_quantile, normal_quantile
from harness.stats.estimate import ALPHA, Interval
from harness.stats.inputs import counted, positive, probability


def wilson(successes: float, trials: float, *, alpha: float = ALPHA) -> Interval:
    """Wilson's score interval; both may be fractions, as effective sizes are."""
    counted(successes, trials)
    z = normal_quantile(1 - alpha / 2)
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = share * (1 - share) / trials + z * z / (4 * trials * trials)
    half = z * math.sqrt(spread) / (1 + z * z / trials)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    return Interval(low, 1.0 if successes == trials else min(1.0, centre + half))


def clopper_pearson(successes: float, trials: float, *, alpha: float = ALPHA) -> Interval:
    """The exact interval, never too short: for claims about safety."""
    counted(successes, trials)
    failures = trials - successes
    low = beta_quantile(alpha / 2, successes, failures + 1) if successes else 0.0
    high = beta_quantile(1 - alpha / 2, successes + 1, failures) if failures else 1.0
    return Interval(low, high)


def jeffreys(successes: float, trials: float, *, alpha: float = ALPHA) -> Interval:
    """The equal-tailed interval of Beta(1/2, 1/2), for fewer than 30 trials."""
    counted(successes, trials)
    a, b = successes + 0.5, trials - successes + 0.5
    low = beta_quantile(alpha / 2, a, b) if successes else 0.0
    return Interval(low, beta_quantile(1 - alpha / 2, a, b) if successes < trials else 1.0)


def success_interval(
    successes: int, trials: int, effective: float, *, alpha: float = ALPHA
) -> Interval:
    """Wilson's at the number of independent trials that clustered ones are worth."""
    counted(successes, trials)
    positive(effective, "the effective number of trials")
    return wilson(successes / trials * effective, effective, alpha=alpha)


def none_failed(trials: int, *, alpha: float = ALPHA) -> float:
    """What the failure rate lies below when no trial failed: exact and one-sided."""
    positive(trials, "the number of trials")
    probability(alpha, "alpha")
    # expm1: the rate of many trials is a small number next to 1
    return -math.expm1(math.log(alpha) / trials)
