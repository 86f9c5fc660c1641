from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.distributions import (
    beta_cdf,
    beta_quantile,
    binomial_tail,
    hypergeometric,
    noncentral_t_tail,
    normal_cdf,
    normal_quantile,
    t_cdf,
    t_quantile,
    t_tail,
)

CHANCES = st.floats(1e-6, 1 - 1e-6)
SHAPES = st.floats(0.5, 500)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6))
def test_t_with_one_degree_of_freedom_is_cauchy(t: float) -> None:
    expected = math.atan2(1, t) / math.pi
    assert t_tail(t, 1) == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(st.floats(-1e4, 1e4))
def test_t_with_two_degrees_of_freedom_has_its_closed_form(t: float) -> None:
    # written as a tail on the far side, so that it keeps its digits there
    far = 1 / (math.sqrt(t * t + 2) * (math.sqrt(t * t + 2) + abs(t)))
    expected = far if t > 0 else 1 - far
    assert t_tail(t, 2) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("p", "df", "t"),
    [
        (0.975, 1, 12.706204736174705),
        (0.975, 5, 2.5705818356363141),
        (0.975, 8, 2.3060041352041662),
        (0.95, 19, 1.7291328115213698),
        (0.995, 3, 5.8409093097333571),
    ],
)
def test_quantiles_of_t_are_those_of_the_tables(p: float, df: float, t: float) -> None:
    assert t_quantile(p, df) == pytest.approx(t, rel=1e-12)
    assert t_quantile(1 - p, df) == pytest.approx(-t, rel=1e-12)


@settings(deadline=None)
@given(CHANCES, st.floats(0.3, 1e4))
def test_a_quantile_of_t_is_where_the_distribution_reaches_its_chance(p: float, df: float) -> None:
    assert t_cdf(t_quantile(p, df), df) == pytest.approx(p, rel=1e-11)


@settings(deadline=None)
@given(CHANCES, SHAPES, SHAPES)
def test_a_quantile_of_beta_is_where_the_distribution_reaches_its_chance(
    p: float, a: float, b: float
) -> None:
    assert beta_cdf(beta_quantile(p, a, b), a, b) == pytest.approx(p, rel=1e-9)


@settings(deadline=None)
@given(st.integers(0, 1024).map(lambda n: n / 1024), SHAPES, SHAPES)
def test_beta_mirrors_itself(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(1 - beta_cdf(1 - x, b, a), abs=1e-11)


@settings(deadline=None)
@given(st.integers(1, 60), st.data(), st.fractions(0, 1, max_denominator=1000))
def test_a_binomial_tail_is_the_sum_of_its_terms(
    trials: int, data: st.DataObject, p: Fraction
) -> None:
    least = data.draw(st.integers(0, trials))
    terms = (
        math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(least, trials + 1)
    )
    assert binomial_tail(least, trials, float(p)) == pytest.approx(float(sum(terms)), rel=1e-11)


def test_t_becomes_normal_with_many_degrees_of_freedom() -> None:
    assert t_quantile(0.975, 1e9) == pytest.approx(normal_quantile(0.975), rel=1e-8)
    assert t_tail(3, 1e9) == pytest.approx(normal_cdf(-3), rel=1e-7)


def test_a_small_tail_keeps_its_digits() -> None:
    assert normal_cdf(-10) == pytest.approx(7.61985302416052e-24, rel=1e-12)
    assert t_tail(1e8, 3) == pytest.approx(2 / (math.pi * math.sqrt(3)) * 3**2 / 3e24, rel=1e-6)


@pytest.mark.parametrize("df", [4, 8, 29, 200])
@pytest.mark.parametrize(("t", "shift"), [(0, 1.5), (2.3, 0), (2.3, 3), (2.3, -3), (8, 20)])
def test_a_shifted_t_is_the_normal_part_over_every_spread(
    t: float, df: float, shift: float
) -> None:
    # P(Z + shift > t S) over the density of S, chi over the root of its degrees of freedom
    steps = 2000
    width = 10 / math.sqrt(df)
    low = max(1e-12, 1 - width)
    high = 1 + width
    step = (high - low) / steps
    log_scale = math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2)
    total = 0.0
    for n in range(steps + 1):
        s = low + n * step
        density = math.exp(log_scale + (df - 1) * math.log(s) - df * s * s / 2)
        ends = 1 if n in {0, steps} else 4 if n % 2 else 2
        total += ends * density * normal_cdf(shift - t * s)
    assert noncentral_t_tail(t, df, shift) == pytest.approx(total * step / 3, abs=1e-9)


@pytest.mark.parametrize("p", [0, 1, -0.1, 1.1, math.nan])
def test_no_chance_has_a_quantile_outside_0_and_1(p: float) -> None:
    for quantile in (normal_quantile, lambda q: t_quantile(q, 3), lambda q: beta_quantile(q, 2, 2)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            quantile(p)


@pytest.mark.parametrize("df", [0, -1, math.inf, math.nan])
def test_no_t_is_without_degrees_of_freedom(df: float) -> None:
    with pytest.raises(ValueError, match="degrees of freedom"):
        t_quantile(0.9, df)
    with pytest.raises(ValueError, match="degrees of freedom"):
        t_tail(1, df)


def test_a_shift_beyond_all_noise_is_seen_at_once() -> None:
    assert noncentral_t_tail(12.7, 1, 1e200) == 1
    assert noncentral_t_tail(2.3, 8, -1e200) == 0
    assert noncentral_t_tail(2.3, 8, 17.9) == pytest.approx(1, abs=1e-12)


@settings(deadline=None)
@given(st.integers(1, 3_000), st.data())
def test_hands_are_hypergeometric(pool: int, data: st.DataObject) -> None:
    marked, hand = data.draw(st.integers(0, pool)), data.draw(st.integers(0, pool))

    masses = hypergeometric(pool, marked, hand)

    x = data.draw(st.sampled_from(sorted(masses)))
    ways = math.comb(marked, x) * math.comb(pool - marked, hand - x)
    assert masses[x] == pytest.approx(float(Fraction(ways, math.comb(pool, hand))), rel=1e-11)
    assert set(masses) == set(range(max(0, hand + marked - pool), min(hand, marked) + 1))
