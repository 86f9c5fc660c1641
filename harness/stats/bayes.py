"""The chance that one pass rate is above another, given few runs: Bayesian, and never a gate."""

from __future__ import annotations

import math

from harness.stats.inputs import counted


def probability_better(successes: int, trials: int, *, over: tuple[int, int]) -> float:
    """P(rate > other rate) with a uniform prior on both; `over` is the other's successes, trials.

    Miller's finite sum, in which every term is positive.
    """
    counted(successes, trials)
    counted(*over)
    a, b = successes + 1, trials - successes + 1
    c, d = over[0] + 1, over[1] - over[0] + 1
    terms = (
        math.exp(_log_beta(c + i, b + d) - math.log(b + i) - _log_beta(1 + i, b) - _log_beta(c, d))
        for i in range(a)
    )
    return min(1.0, math.fsum(terms))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
