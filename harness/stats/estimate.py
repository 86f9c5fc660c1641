"""A number with its uncertainty, or with the reason why it has none."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from harness.stats.distributions import normal_quantile, t_quantile, t_tail

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Interval:
    """Between what a value lies; `why` says why that is not known."""

    low: float | None
    high: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, its standard error, and the two-sided interval of `1 - alpha` around it.

    `se`, `df`, `low` and `high` are None together, and then `why` says why.
    """

    mean: float
    se: float | None
    df: float | None
    """Degrees of freedom of the t distribution: clusters - 1 where clusters are the evidence."""
    low: float | None
    high: float | None
    clusters: int
    """How many independent things the uncertainty was taken from."""
    why: str = ""
    least: float = -math.inf
    most: float = math.inf
    """What no mean of this kind lies beyond: intervals end there."""

    @property
    def t(self) -> float | None:
        """The mean in standard errors; None when nothing varied."""
        return self.mean / self.se if self.se else None

    @property
    def p_two_sided(self) -> float | None:
        """Of a mean at least this far from 0 if it were 0; None without t."""
        if self.t is None or self.df is None:
            return None
        return min(1.0, 2 * t_tail(abs(self.t), self.df))

    @property
    def p_greater(self) -> float | None:
        """Of a mean at least this far above 0 if it were 0 or less; None without t."""
        return None if self.t is None or self.df is None else t_tail(self.t, self.df)

    def interval(self, alpha: float = ALPHA) -> Interval:
        """The two-sided interval of `1 - alpha`."""
        if self.se is None or self.df is None:
            return Interval(None, None, self.why)
        half = t_quantile(1 - alpha / 2, self.df) * self.se
        return Interval(max(self.least, self.mean - half), min(self.most, self.mean + half))

    def within(self, least: float, most: float) -> Estimate:
        """The same of a mean that cannot lie beyond these; only its intervals may be shorter."""
        low, high = self.low, self.high
        return replace(
            self,
            low=None if low is None else max(least, low),
            high=None if high is None else min(most, high),
            least=least,
            most=most,
        )

    def lower_bound(self, alpha: float = ALPHA) -> float | None:
        """What the mean lies above with confidence `1 - alpha`, one-sided."""
        return self.interval(2 * alpha).low

    def upper_bound(self, alpha: float = ALPHA) -> float | None:
        """What the mean lies below with confidence `1 - alpha`, one-sided."""
        return self.interval(2 * alpha).high


def with_t(mean: float, se: float, df: float, clusters: int, alpha: float = ALPHA) -> Estimate:
    """An estimate whose interval is that of Student's t."""
    half = t_quantile(1 - alpha / 2, df) * se
    return Estimate(mean, se, df, mean - half, mean + half, clusters)


def without_error(mean: float, clusters: int, why: str) -> Estimate:
    """A mean that has no interval, and why."""
    return Estimate(mean, None, None, None, None, clusters, why)


def around(mean: float, se: float, alpha: float = ALPHA) -> Interval:
    """The interval of the normal distribution, for many independent observations."""
    half = normal_quantile(1 - alpha / 2) * se
    return Interval(mean - half, mean + half)
