"""Means of observations that lean on each other: the unit of evidence is the cluster."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from itertools import chain

from harness.stats.estimate import ALPHA, Estimate, with_t, without_error
from harness.stats.inputs import finite, positive

Clustered = Mapping[str, Sequence[float]]
"""Values by the cluster they belong to, which is the scenario unless something else binds more."""
NOISE = 1e-12
"""Standard errors below this share of the values are rounding, and nothing varied."""


def clustered_mean(
    values: Clustered, weights: Clustered | None = None, *, alpha: float = ALPHA
) -> Estimate:
    """The weighted mean with the CR1 error over clusters and the t of clusters - 1.

    Every value weighs the same unless `weights`, of the same shape, says otherwise.
    """
    weights = _checked(values, weights)
    total = math.fsum(chain.from_iterable(weights.values()))
    positive(total, "the sum of the weights")
    sums = {
        name: math.fsum(map(operator.mul, weights[name], group)) for name, group in values.items()
    }
    mean = math.fsum(sums.values()) / total
    # a cluster that weighs nothing is no evidence, and no degree of freedom
    heard = [name for name in values if any(weights[name])]
    leans = [sums[name] - mean * math.fsum(weights[name]) for name in heard]
    scale = max(max(map(abs, group), default=0.0) for group in values.values())
    return from_influence(mean, [lean / total for lean in leans], scale=scale, alpha=alpha)


def from_influence(
    mean: float, influence: Sequence[float], *, scale: float = 1.0, alpha: float = ALPHA
) -> Estimate:
    """An estimate from what each cluster contributes to it beyond its share; they sum to 0."""
    clusters = len(influence)
    if clusters < 2:  # noqa: PLR2004  # one of them has no spread
        return without_error(mean, clusters, "one scenario says nothing about others")
    squares = math.fsum(lean * lean for lean in influence)
    se = math.sqrt(clusters / (clusters - 1) * squares)
    if se <= NOISE * scale:
        se = 0.0
    return with_t(mean, se, clusters - 1, clusters, alpha)


def clustered_ratio(
    numerators: Clustered, denominators: Clustered, *, alpha: float = ALPHA
) -> Estimate | None:
    """Sum over sum, such as cost per success; None when the denominators come to nothing."""
    denominators = _checked(numerators, denominators)
    below = math.fsum(chain.from_iterable(denominators.values()))
    if below <= 0:
        return None
    ratio = math.fsum(chain.from_iterable(numerators.values())) / below
    influence = [
        (math.fsum(group) - ratio * math.fsum(denominators[name])) / below
        for name, group in numerators.items()
        if group
    ]
    return from_influence(ratio, influence, scale=abs(ratio), alpha=alpha)


def design_effect(clustered: Estimate, naive_variance: float) -> float | None:
    """How many times the clusters widen the variance that independent values would have."""
    if clustered.se is None or naive_variance <= 0:
        return None
    return clustered.se**2 / naive_variance


def effective_size(n: int, effect: float | None) -> float:
    """How many independent observations `n` clustered ones are worth; never more than `n`."""
    positive(n, "the number of observations")
    return n / max(1.0, effect or 1.0)


def _checked(values: Clustered, weights: Clustered | None) -> Clustered:
    finite(list(chain.from_iterable(values.values())), "values")
    if weights is None:
        return {name: [1.0] * len(group) for name, group in values.items()}
    if {name: len(group) for name, group in values.items()} != {
        name: len(group) for name, group in weights.items()
    }:
        raise ValueError("the weights are not of the same shape as the values")
    finite(list(chain.from_iterable(weights.values())), "weights")
    if min(chain.from_iterable(weights.values())) < 0:
        raise ValueError("a weight is below 0")
    return weights
