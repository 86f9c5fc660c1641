"""Cluster bootstrap: the second interval, which assumes no distribution and is too short for few.

Whole clusters are drawn again and never the runs inside them: the noise of the runs is in the
clusters' numbers already.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.stats.distributions import normal_cdf, normal_quantile
from harness.stats.estimate import ALPHA, Interval
from harness.stats.inputs import finite, probability
from harness.stats.moments import quantile
from harness.stats.streams import SEED, sha256_stream

RESAMPLES = 10_000
LABEL = "bench-bootstrap-v1"
_ONE = "one scenario cannot be drawn again"


def cluster_bootstrap(
    sums: Sequence[float],
    counts: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    alpha: float = ALPHA,
) -> Interval:
    """The percentile interval of the sum of `sums` over the sum of `counts`, by the SHA-256 stream.

    A cluster hands over its weighted sum and its weight, so that its size costs nothing.
    """
    probability(alpha, "alpha")
    if len(sums) < 2:  # noqa: PLR2004  # one of them has no spread
        return Interval(None, None, _ONE)
    drawn = sha256_stream(LABEL, seed).indices(resamples * len(sums), len(sums))
    return percentile(replicates(sums, counts, drawn), alpha=alpha)


def bca(
    sums: Sequence[float],
    counts: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    alpha: float = ALPHA,
) -> Interval:
    """The same draws, corrected for bias and skew: Efron's BCa, jackknifed over clusters."""
    probability(alpha, "alpha")
    if len(sums) < 2:  # noqa: PLR2004  # one of them has no spread
        return Interval(None, None, _ONE)
    drawn = sha256_stream(LABEL, seed).indices(resamples * len(sums), len(sums))
    values = replicates(sums, counts, drawn)
    total, weight = math.fsum(sums), math.fsum(counts)
    theta = total / weight
    below = (sum(v < theta for v in values) + sum(v <= theta for v in values)) / 2
    if not 0 < below < len(values):
        return Interval(None, None, "no draw lies on both sides of the mean: nothing varies")
    bias = normal_quantile(below / len(values))
    without = [(total - s) / (weight - n) for s, n in zip(sums, counts, strict=True)]
    centre = math.fsum(without) / len(without)
    squares = math.fsum((centre - each) ** 2 for each in without)
    if not squares:
        return Interval(theta, theta)
    skew = math.fsum((centre - each) ** 3 for each in without) / (6 * squares**1.5)

    def level(p: float) -> float:
        shifted = bias + normal_quantile(p)
        return normal_cdf(bias + shifted / (1 - skew * shifted))

    return Interval(quantile(values, level(alpha / 2)), quantile(values, level(1 - alpha / 2)))


def replicates(sums: Sequence[float], counts: Sequence[float], drawn: Sequence[int]) -> list[float]:
    """Sum over sum of every row of drawn clusters, sorted."""
    return sorted(ratios(sums, counts, drawn))


def ratios(sums: Sequence[float], counts: Sequence[float], drawn: Sequence[int]) -> list[float]:
    """The same in the order of the draws; each row is as long as there are clusters."""
    finite(sums, "cluster sums")
    finite(counts, "cluster weights")
    if len(sums) != len(counts) or min(counts) <= 0:
        raise ValueError("every cluster has a sum and a weight above 0")
    if not drawn or len(drawn) % len(sums):
        raise ValueError("the draws do not make whole rows")
    size = len(sums)
    rows = (drawn[at : at + size] for at in range(0, len(drawn), size))
    if min(counts) == max(counts):
        whole = counts[0] * size
        return [sum([sums[i] for i in row]) / whole for row in rows]
    return [sum([sums[i] for i in row]) / sum([counts[i] for i in row]) for row in rows]


def percentile(sorted_values: list[float], *, alpha: float = ALPHA) -> Interval:
    """Between the two quantiles that leave `alpha` outside."""
    return Interval(quantile(sorted_values, alpha / 2), quantile(sorted_values, 1 - alpha / 2))
