"""How large a difference can be seen, and how many scenarios or runs it takes, before paying.

All of it goes by the power of the two-sided t test over clusters, that is by the noncentral t, so
that the difference, the scenarios and the iterations it names agree with each other.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from harness.stats.distributions import noncentral_t_tail, normal_quantile, t_quantile
from harness.stats.estimate import ALPHA
from harness.stats.inputs import positive, probability
from harness.stats.moments import mean, variance
from harness.stats.paired import PairedCell

POWER = 0.8
MOST = 1_000_000
"""More scenarios, or more iterations, than anybody will run."""
_EXACT = 1e-10
"""To what share of itself a solution is found."""


@dataclass(frozen=True, slots=True)
class Components:
    """Where the uncertainty of a difference comes from."""

    within: float
    """Variance of the runs of one cell."""
    between: float
    """Variance of the true differences of scenarios."""
    cells_per_cluster: float
    iterations: float
    assumed: bool = False
    """Nobody has run anything yet: the numbers are a guess and are to be called one."""

    def noise(self, iterations: float | None = None) -> float:
        """What the runs add to the variance of one scenario's difference."""
        return 2 * self.within / (self.cells_per_cluster * (iterations or self.iterations))

    def deviation(self, iterations: float | None = None) -> float:
        """Standard deviation of the scenarios' differences, with so many runs a cell."""
        return math.sqrt(self.between + self.noise(iterations))


def assumed(*, cells_per_cluster: float = 1, iterations: float = 3) -> Components:
    """What to plan with when there are no runs to learn from."""
    return Components(0.2**2, 0.08**2, cells_per_cluster, iterations, assumed=True)


def components(cells: Iterable[PairedCell]) -> Components | None:
    """The same from runs that were made; None for a single scenario or without repeated runs.

    Where cells differ in size, harmonic means stand for their numbers.
    """
    cells = tuple(cells)
    groups: dict[str, list[float]] = {}
    for cell in cells:
        groups.setdefault(cell.cluster, []).append(cell.difference)
    spreads = [
        variance(side)
        for cell in cells
        for side in (cell.baseline, cell.specialist)
        if len(side) > 1
    ]
    if len(groups) < 2 or not spreads:  # noqa: PLR2004  # one scenario has no spread
        return None
    within = mean(spreads)
    sides = [len(side) for cell in cells for side in (cell.baseline, cell.specialist)]
    iterations = len(sides) / math.fsum(1 / n for n in sides)
    per_cluster = len(groups) / math.fsum(1 / len(group) for group in groups.values())
    seen = variance([mean(group) for group in groups.values()])
    between = max(0.0, seen - 2 * within / (per_cluster * iterations))
    return Components(within, between, per_cluster, iterations)


def detection(
    difference: float, deviation: float, clusters: float, *, alpha: float = ALPHA, sides: int = 2
) -> float:
    """The chance that so many clusters with this deviation show the difference."""
    positive(deviation, "the deviation")
    probability(alpha, "alpha")
    if clusters <= 1:
        raise ValueError("one scenario says nothing about others")
    shift = difference / deviation * math.sqrt(clusters)
    df = clusters - 1
    bar = t_quantile(1 - alpha / sides, df)
    seen = noncentral_t_tail(bar, df, shift)
    return seen + noncentral_t_tail(bar, df, -shift) if sides == 2 else seen  # noqa: PLR2004  # both


def detectable(
    deviation: float, clusters: int, *, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The least difference that so many clusters show with this power; 0 when nothing varies."""
    if deviation < 0:
        raise ValueError(f"a deviation is not below 0: {deviation!r}")
    return deviation * _detectable(clusters, alpha, power) if deviation else 0.0


@lru_cache(maxsize=256)
def _detectable(clusters: int, alpha: float, power: float) -> float:
    """In standard deviations of a cluster's difference."""
    _attainable(alpha, power)
    high = 1 / math.sqrt(clusters) if clusters > 0 else 0.0
    while detection(high, 1.0, clusters, alpha=alpha) < power:
        high *= 2
    low = 0.0
    while high - low > _EXACT * high:
        middle = (low + high) / 2
        seen = detection(middle, 1.0, clusters, alpha=alpha) >= power
        low, high = (low, middle) if seen else (middle, high)
    return high


def detectable_roughly(
    deviation: float, clusters: int, *, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The same by the normal distribution, which is too hopeful for few clusters."""
    z = normal_quantile(1 - alpha / 2) + normal_quantile(power)
    return z * deviation / math.sqrt(clusters)


def clusters_for(
    difference: float,
    deviation: float,
    *,
    alpha: float = ALPHA,
    power: float = POWER,
    sides: int = 2,
) -> float | None:
    """The clusters, not rounded, that show a difference with this power; None above a million."""
    positive(difference, "the difference to be seen")
    _attainable(alpha, power)

    def is_enough(clusters: float) -> bool:
        return detection(difference, deviation, clusters, alpha=alpha, sides=sides) >= power

    high = 2.0
    if is_enough(high):
        return high
    while not is_enough(high):
        if high >= MOST:
            return None
        high = min(2 * high, MOST)
    low = high / 2
    while high - low > _EXACT * high:
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def scenarios_needed(
    known: Components,
    difference: float,
    *,
    iterations: float | None = None,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int | None:
    """The fewest scenarios, with so many runs a cell, that show it; None above a million."""
    deviation = known.deviation(iterations)
    if not deviation:
        return 2
    positive(difference, "the difference to be seen")
    _attainable(alpha, power)

    def is_enough(clusters: int) -> bool:
        # a rounding short of enough is enough
        clusters_and_slack = clusters * (1 + 2 * _EXACT)
        return detection(difference, deviation, clusters_and_slack, alpha=alpha) >= power

    low, high = 1, 2
    while not is_enough(high):
        if high >= MOST:
            return None
        low, high = high, min(2 * high, MOST)
    return bisect_left(range(high), x=True, lo=low + 1, key=is_enough)


def iterations_needed(
    known: Components,
    difference: float,
    clusters: int,
    *,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int | None:
    """The fewest runs a cell that let so many scenarios show the difference.

    None when no number of runs can: what scenarios differ by is not made smaller by repeating.
    """
    positive(difference, "the difference to be seen")
    widest = difference / detectable(1.0, clusters, alpha=alpha, power=power)
    left = widest**2 - known.between
    if left <= 0:
        return None
    needed = math.ceil(2 * known.within / (known.cells_per_cluster * left) - 1e-9)
    return max(1, needed) if needed <= MOST else None


def pairs_for(
    difference: float, discordance: float, *, alpha: float = ALPHA, power: float = POWER
) -> float:
    """Pairs of single pass-or-fail runs for McNemar's test, not rounded: Connor (1987)."""
    positive(difference, "the difference to be seen")
    if not difference <= discordance <= 1:
        raise ValueError(f"runs that differ in {discordance!r} cannot differ by {difference!r}")
    under_null = normal_quantile(1 - alpha / 2) * math.sqrt(discordance)
    spread = math.sqrt(discordance - difference**2)
    return (under_null + normal_quantile(power) * spread) ** 2 / difference**2


def pairs_for_margin(
    margin: float,
    discordance: float,
    *,
    segments: int = 1,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int:
    """Pairs a segment for an unchanged candidate to pass within a margin in all segments."""
    positive(margin, "the margin")
    positive(discordance, "the share of runs that differ")
    z = normal_quantile(1 - alpha) + normal_quantile(1 - (1 - power) / segments)
    return math.ceil(discordance * (z / margin) ** 2)


def _attainable(alpha: float, power: float) -> None:
    probability(alpha, "alpha")
    probability(power, "the power")
    if power <= alpha:
        raise ValueError(
            f"a power of {power!r} is there without any difference: alpha is {alpha!r}"
        )
