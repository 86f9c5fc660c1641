"""Normal, Student's t, beta and binomial, written here so that reading a number needs no scipy.

Tails are computed as tails, never as 1 minus the rest, so that small probabilities keep their
digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

from harness.stats.inputs import counted, positive, probability, share

_STIRLING_EXACT = 15
"""From here on the series below is exact to the last digit."""
_TINY = 1e-300
_STEPS = 400
_SIGMAS = 9.0
"""Farther out than this is nothing, to the last digit of a double."""
_STANDARD = NormalDist()


def normal_cdf(x: float) -> float:
    """P(Z <= x)."""
    return 0.5 * math.erfc(-x / math.sqrt(2))


def normal_quantile(p: float) -> float:
    """The x with P(Z <= x) = p."""
    probability(p, "a probability")
    return _STANDARD.inv_cdf(p)


def beta_cdf(x: float, a: float, b: float) -> float:
    """P(X <= x) of Beta(a, b): the regularised incomplete beta function."""
    share(x, "a value of a beta distribution")
    return _beta_lower(a, b, x, 1 - x)


@lru_cache(maxsize=1024)
def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with P(X <= x) = p of Beta(a, b)."""
    probability(p, "a probability")

    def density(x: float) -> float:
        return _beta_factor(a, b, x, 1 - x) / (x * (1 - x))

    return _root(lambda x: beta_cdf(x, a, b) - p, density, 0.0, 1.0)


def t_tail(t: float, df: float) -> float:
    """P(T > t) of Student's t."""
    positive(df, "degrees of freedom")
    if t < 0:
        return 1 - t_tail(-t, df)
    square = t * t
    return 0.5 * _beta_lower(df / 2, 0.5, df / (df + square), square / (df + square))


def t_cdf(t: float, df: float) -> float:
    """P(T <= t) of Student's t."""
    return t_tail(-t, df)


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: float) -> float:
    """The t with P(T <= t) = p of Student's t."""
    probability(p, "a probability")
    positive(df, "degrees of freedom")
    if p == 0.5:  # noqa: PLR2004  # the middle
        return 0.0
    if p < 0.5:  # noqa: PLR2004  # the lower half mirrors the upper
        return -_t_above(p, df)
    return _t_above(1 - p, df)


def binomial_tail(least: int, trials: int, p: float) -> float:
    """P(X >= least) of so many trials that each succeed with probability p."""
    counted(0, trials)
    share(p, "a probability")
    if least <= 0:
        return 1.0
    return 0.0 if least > trials else _beta_lower(least, trials - least + 1, p, 1 - p)


def binomial_mass(successes: int, trials: int, p: float) -> float:
    """P(X = successes)."""
    counted(successes, trials)
    share(p, "a probability")
    return math.comb(trials, successes) * p**successes * (1 - p) ** (trials - successes)


def hypergeometric(pool: int, marked: int, hand: int) -> dict[int, float]:
    """P(X = x) for every x: so many of the marked are in a hand that is drawn from the pool.

    From the likeliest x outwards by ratios, so that neither large numbers nor logarithms occur.
    """
    least, most = max(0, hand + marked - pool), min(hand, marked)
    top = (hand + 1) * (marked + 1) // (pool + 2)
    others = pool - marked - hand
    masses = {top: 1.0}
    for x in range(top, most):
        masses[x + 1] = masses[x] * ((marked - x) * (hand - x) / ((x + 1) * (others + x + 1)))
    for x in range(top, least, -1):
        masses[x - 1] = masses[x] * (x * (others + x) / ((marked - x + 1) * (hand - x + 1)))
    whole = math.fsum(masses.values())
    return {x: mass / whole for x, mass in masses.items()}


def chi_square_tail(x: float) -> float:
    """P(X > x) of chi-squared with one degree of freedom."""
    return math.erfc(math.sqrt(x / 2))


def noncentral_t_tail(t: float, df: float, shift: float) -> float:
    """P(T > t) for t >= 0, of a t whose normal part is shifted: the power of a t test.

    The series of Lenth (1989, AS 243), summed from its far end down so that nothing cancels.
    """
    positive(df, "degrees of freedom")
    if not t >= 0:
        raise ValueError(f"the power of a test is looked for above 0, not at {t!r}")
    if shift <= -_SIGMAS:
        return 0.0
    if shift - _SIGMAS >= t * (1 + _SIGMAS / math.sqrt(df)):
        return 1.0
    rate = shift * shift / 2
    if not rate:
        return t_tail(t, df)
    x, y = t * t / (t * t + df), df / (t * t + df)
    reach = 10 * math.sqrt(rate) + 30
    first, last = max(0, int(rate - reach)), int(rate + reach)
    half = df / 2
    even = _beta_lower(last + 0.5, half, x, y)
    odd = _beta_lower(last + 1.0, half, x, y)
    below = 0.0
    for j in range(last, first - 1, -1):
        log_rate = j * math.log(rate) - rate
        below += math.exp(log_rate - math.lgamma(j + 1)) * even
        weight = math.exp(log_rate - math.lgamma(j + 1.5)) / math.sqrt(2)
        below += shift * weight * odd
        if j:
            even += _beta_factor(j - 0.5, half, x, y) / (j - 0.5)
            odd += _beta_factor(float(j), half, x, y) / j
    return min(1.0, max(0.0, normal_cdf(shift) - below / 2))


def _t_above(tail: float, df: float) -> float:
    """The t > 0 that is exceeded with probability `tail` < 0.5."""

    def density(t: float) -> float:
        square = t * t
        return _beta_factor(df / 2, 0.5, df / (df + square), square / (df + square)) / t

    top = 1.0
    while t_tail(top, df) > tail:
        top *= 2
    return _root(lambda t: tail - t_tail(t, df), density, 0.0, top)


def _root(
    rising: Callable[[float], float], slope: Callable[[float], float], low: float, high: float
) -> float:
    """Where a rising function crosses 0: Newton's steps, halving whenever one leads outside."""
    x = (low + high) / 2
    for _ in range(_STEPS):
        value = rising(x)
        if value == 0:
            return x
        low, high = (x, high) if value < 0 else (low, x)
        steep = slope(x)
        step = x - value / steep if steep > _TINY else low
        following = step if low < step < high else (low + high) / 2
        if abs(following - x) <= 1e-16 * abs(x) or following in {low, high}:
            return following
        x = following
    return x


def _beta_lower(a: float, b: float, x: float, y: float) -> float:
    """P(X <= x) of Beta(a, b), given y = 1 - x with all its digits."""
    positive(a, "a shape")
    positive(b, "a shape")
    if x <= 0:
        return 0.0
    if y <= 0:
        return 1.0
    if x <= (a + 1) / (a + b + 2):
        return _beta_factor(a, b, x, y) / a * _fraction(a, b, x)
    return 1 - _beta_factor(b, a, y, x) / b * _fraction(b, a, y)


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:  # noqa: PLR2004  # the last digits of a double
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _beta_factor(a: float, b: float, x: float, y: float) -> float:
    """x^a y^b / B(a, b), by Loader's saddle point, which keeps its digits for large a and b."""
    if x <= 0 or y <= 0:
        return 0.0
    n = a + b
    log = _stirling(n) - _stirling(a) - _stirling(b) - _deviance(a, n * x) - _deviance(b, n * y)
    return math.exp(log) * math.sqrt(a * b / (2 * math.pi * n))


def _stirling(n: float) -> float:
    """What Stirling's approximation of log Γ(n + 1) is short of."""
    if n < _STIRLING_EXACT:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - 0.5 * math.log(2 * math.pi)
    square = n * n
    series = 1 / 1680 - (1 / 1188 - 691 / 360360 / square) / square
    return (1 / 12 - (1 / 360 - (1 / 1260 - series / square) / square) / square) / n


def _deviance(x: float, mean: float) -> float:
    """How far x is from its mean: x log(x / mean) + mean - x, with all digits when it is near."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    v = (x - mean) / (x + mean)
    total, term = (x - mean) * v, 2 * x * v
    for j in range(1, 1000):
        term *= v * v
        following = total + term / (2 * j + 1)
        if following == total:
            break
        total = following
    return total
