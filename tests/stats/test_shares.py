from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.bayes import probability_better
from harness.stats.bootstrap import bca, cluster_bootstrap, ratios
from harness.stats.clustered import clustered_mean, clustered_ratio, design_effect, effective_size
from harness.stats.distributions import binomial_tail
from harness.stats.estimate import Interval
from harness.stats.multiplicity import benjamini_hochberg, bonferroni, hochberg, holm
from harness.stats.passk import Tries, mean_pass_at_k, mean_pass_hat_k, pass_at_k, pass_hat_k
from harness.stats.proportions import clopper_pearson, jeffreys, wilson

COUNTS = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
PS = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@settings(deadline=None, max_examples=50)
@given(COUNTS)
def test_every_interval_of_a_share_lies_in_0_to_1_around_it(counts: tuple[int, int]) -> None:
    share = counts[0] / counts[1]
    for way in (wilson, clopper_pearson, jeffreys):
        found = way(*counts)
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= share <= found.high <= 1
        mirrored = way(counts[1] - counts[0], counts[1])
        assert mirrored.low == pytest.approx(1 - found.high, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(COUNTS)
def test_the_exact_interval_ends_where_what_was_seen_becomes_rare(counts: tuple[int, int]) -> None:
    found = clopper_pearson(*counts)
    assert found.low is not None
    if counts[0]:
        assert binomial_tail(*counts, found.low) == pytest.approx(0.025, rel=1e-7)


@settings(deadline=None, max_examples=50)
@given(COUNTS, COUNTS)
def test_one_rate_is_above_the_other_or_below(a: tuple[int, int], b: tuple[int, int]) -> None:
    assert probability_better(*a, over=b) + probability_better(*b, over=a) == pytest.approx(1)


@settings(deadline=None, max_examples=50)
@given(COUNTS, st.integers(1, 6))
def test_all_tries_pass_more_seldom_than_one_of_them(counts: tuple[int, int], k: int) -> None:
    passed, trials = counts
    one, every = pass_at_k(trials, passed, k), pass_hat_k(trials, passed, k)
    if one is None or every is None:
        assert k > trials
        return
    assert 0 <= every <= passed / trials + 1e-12 <= one + 2e-12 <= 1 + 3e-12
    assert pass_hat_k(trials, trials - passed, k) == pytest.approx(1 - one)


def test_a_task_with_too_few_tries_leaves_the_mean_open() -> None:
    tasks = [Tries("a", 5, 2), Tries("b", 3, 3), Tries("b", 5, 0)]
    assert mean_pass_at_k(tasks, 4) is None
    at, hat = mean_pass_at_k(tasks, 2), mean_pass_hat_k(tasks, 2)
    assert at is not None
    assert hat is not None
    assert at.mean == pytest.approx((0.7 + 1 + 0) / 3)
    assert hat.mean == pytest.approx((0.1 + 1 + 0) / 3)
    assert at.clusters == 2


@settings(deadline=None, max_examples=50)
@given(PS)
def test_an_adjusted_p_is_never_smaller_and_holm_lies_below_bonferroni(ps: list[float]) -> None:
    raised = zip(ps, benjamini_hochberg(ps), hochberg(ps), holm(ps), bonferroni(ps), strict=True)
    assert all(p <= bh + 1e-12 <= a + 2e-12 <= b + 3e-12 <= c + 4e-12 for p, bh, a, b, c in raised)


@settings(deadline=None, max_examples=50)
@given(PS, st.randoms())
def test_an_adjusted_p_stays_with_its_question(ps: list[float], random: object) -> None:
    order = sorted(range(len(ps)), key=lambda _: random.random())  # type: ignore[attr-defined]  # as hypothesis hands it over
    for way in (holm, benjamini_hochberg, hochberg):
        whole = way(ps)
        assert way([ps[i] for i in order]) == pytest.approx([whole[i] for i in order])


def test_nothing_asked_is_nothing_adjusted() -> None:
    assert holm([]) == benjamini_hochberg([]) == []


def test_a_cluster_with_more_values_weighs_more() -> None:
    found = clustered_mean({"a": [1.0, 1.0, 1.0], "b": [0.0]})
    assert found.mean == 0.75
    even = clustered_mean({"a": [1.0] * 3, "b": [0.0]}, {"a": [1 / 3] * 3, "b": [1.0]})
    assert even.mean == pytest.approx(0.5)


def test_a_cluster_that_weighs_nothing_is_no_evidence() -> None:
    found = clustered_mean({"a": [0.2, 0.4], "b": [0.5]})
    assert clustered_mean({"a": [0.2, 0.4], "b": [0.5], "c": []}) == found
    weights = {"a": [1.0, 1.0], "b": [1.0], "c": [0.0]}
    assert clustered_mean({"a": [0.2, 0.4], "b": [0.5], "c": [0.9]}, weights).df == 1
    spent = clustered_ratio({"a": [0.2], "b": [0.5], "c": []}, {"a": [1], "b": [1], "c": []})
    assert spent is not None
    assert spent.clusters == 2


def test_cost_per_success_is_open_when_nothing_succeeded() -> None:
    assert clustered_ratio({"a": [0.1], "b": [0.2]}, {"a": [0], "b": [0]}) is None


def test_clusters_never_make_more_of_what_was_seen() -> None:
    found = clustered_mean({"a": [0.4, 0.6], "b": [0.6, 0.4], "c": [0.5, 0.5]})
    effect = design_effect(found, 0.01)
    assert effect == 0
    assert effective_size(6, effect) == 6
    assert design_effect(clustered_mean({"a": [0.4, 0.6]}), 0.01) is None


def test_one_scenario_cannot_be_drawn_again() -> None:
    why = "one scenario cannot be drawn again"
    assert cluster_bootstrap([0.3], [1]) == bca([0.3], [1]) == Interval(None, None, why)


def test_clusters_of_unequal_size_are_drawn_with_their_weight() -> None:
    assert ratios([1.0, 6.0], [1, 3], [0, 0, 0, 1, 1, 1]) == [1.0, 7 / 4, 2.0]


def test_what_never_varies_has_no_corrected_interval() -> None:
    assert bca([0.5, 0.5, 0.5], [1, 1, 1]).low == 0.5


@pytest.mark.parametrize(
    "refused",
    [
        lambda: clustered_mean({}),
        lambda: clustered_mean({"a": [math.nan], "b": [1.0]}),
        lambda: clustered_mean({"a": [1.0]}, {"a": [1.0, 2.0]}),
        lambda: clustered_mean({"a": [1.0]}, {"a": [-1.0]}),
        lambda: clustered_mean({"a": [1.0]}, {"a": [0.0]}),
        lambda: wilson(3, 2),
        lambda: wilson(0, 0),
        lambda: clopper_pearson(-1, 2),
        lambda: jeffreys(1, math.nan),
        lambda: pass_at_k(3, 4, 1),
        lambda: pass_hat_k(3, 2, 0),
        lambda: mean_pass_at_k([], 1),
        lambda: probability_better(3, 2, over=(1, 2)),
        lambda: holm([0.5, 1.2]),
        lambda: benjamini_hochberg([math.nan]),
        lambda: cluster_bootstrap([1.0, 2.0], [1.0, 0.0]),
        lambda: cluster_bootstrap([1.0, math.inf], [1.0, 1.0]),
        lambda: cluster_bootstrap([1.0, 2.0], [1.0, 1.0], alpha=0),
        lambda: cluster_bootstrap([1.0, 2.0], [1.0, 1.0], resamples=0),
        lambda: effective_size(0, 1.0),
    ],
)
def test_what_has_no_meaning_is_refused(refused: object) -> None:
    assert callable(refused)
    with pytest.raises(ValueError, match=r"."):
        refused()
