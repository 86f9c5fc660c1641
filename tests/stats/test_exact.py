from __future__ import annotations

import math
from collections import Counter
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.exact import (
    clusters_for_p,
    mcnemar,
    permutation,
    ranks,
    sign_flip,
    smallest_p,
    wilcoxon,
)
from harness.stats.streams import pcg64_indices, sha256_stream
from harness.stats.validity import bounds, fisher

WHOLE = st.lists(st.integers(-9, 9), min_size=1, max_size=9)
FEW = st.lists(st.integers(-9, 9), min_size=1, max_size=6)


@settings(deadline=None)
@given(WHOLE)
def test_sign_flips_are_all_counted(totals: list[int]) -> None:
    sums = [
        sum(s * t for s, t in zip(signs, totals, strict=True))
        for signs in product((1, -1), repeat=len(totals))
    ]
    found = sign_flip([t / 7 for t in totals])
    assert found.is_exact
    assert found.p_two_sided == sum(abs(s) >= abs(sum(totals)) for s in sums) / len(sums)
    assert found.p_greater == sum(s >= sum(totals) for s in sums) / len(sums)


def test_a_random_sample_of_sign_flips_comes_near_all_of_them() -> None:
    totals = [3, -1, 4, 1, -5, 9, 2, -6, 5, 3, 5, -8, 9, 7, -9, 3, 2, 3, -8, 4, 6, -2, 6]
    ways = Counter({0: 1})
    for total in totals:
        ways = Counter({s: ways[s - total] + ways[s + total] for s in range(-200, 201)})
    beyond = sum(n for s, n in ways.items() if abs(s) >= sum(totals)) / 2 ** len(totals)
    found = sign_flip([float(total) for total in totals])
    assert not found.is_exact
    assert found.flips == 100_000
    assert found.p_two_sided == pytest.approx(beyond, abs=0.004)
    assert found == sign_flip([float(total) for total in totals])
    assert found != sign_flip([float(total) for total in totals], seed=2)


def test_a_random_sample_never_gives_a_p_of_nothing() -> None:
    assert sign_flip([1.0] * 60).p_two_sided == pytest.approx(1 / 100_001)


def test_fewer_than_six_scenarios_cannot_reach_five_percent() -> None:
    assert clusters_for_p(0.05) == 6
    assert smallest_p(5) > 0.05 > smallest_p(6)
    assert sign_flip([1.0] * 5).p_two_sided == smallest_p(5)


@settings(deadline=None)
@given(WHOLE)
def test_signed_ranks_are_all_counted(values: list[int]) -> None:
    sized = [v for v in values if v]
    if not sized:
        assert wilcoxon([float(v) for v in values]) is None
        return
    given_ranks = ranks([abs(v) for v in sized])
    observed = sum(r for r, v in zip(given_ranks, sized, strict=True) if v > 0)
    sums = [
        sum(r for r, up in zip(given_ranks, ups, strict=True) if up)
        for ups in product((False, True), repeat=len(sized))
    ]
    fewest = min(sum(s <= observed for s in sums), sum(s >= observed for s in sums))
    expected = min(1.0, 2 * fewest / len(sums))
    assert wilcoxon([float(v) for v in values]) == pytest.approx(expected)


def test_runs_of_one_scenario_are_split_in_every_way() -> None:
    assert permutation([0.1, 0.2, 0.3], [0.7, 0.8, 0.9]) == pytest.approx(2 / 20)
    assert permutation([0.5], [0.5]) == 1
    assert permutation([0.1] * 30, [0.2] * 30) is None


@settings(deadline=None, max_examples=60)
@given(FEW, FEW)
def test_no_split_is_forgotten(before: list[int], after: list[int]) -> None:
    pool, hand = [*before, *after], len(after)
    middle = sum(pool) * hand
    beyond = [
        abs(sum(some) * len(pool) - middle) >= abs(sum(after) * len(pool) - middle)
        for some in combinations(pool, hand)
    ]

    found = permutation([v / 7 for v in before], [v / 7 for v in after])

    assert found == pytest.approx(sum(beyond) / len(beyond))


def test_where_no_task_differs_there_is_nothing_to_test() -> None:
    found = mcnemar(both=4, before_only=0, after_only=0, neither=1)
    assert (found.delta, found.wald_se, found.p_exact, found.chi2) == (0, 0, 1, None)


def test_the_tea_tasting_lady() -> None:
    assert fisher((3, 4), (1, 4)) == pytest.approx(34 / 70)


def test_the_sides_of_fishers_test_can_change_places() -> None:
    assert fisher((2, 30), (9, 25)) == fisher((9, 25), (2, 30))


def test_runs_without_a_score_are_taken_as_0_and_as_1() -> None:
    found = bounds([1.0, None, 0.5], [2.0, 1.0, 1.0])
    assert (found.worst, found.best) == (0.625, 0.875)


def test_streams_cover_their_range_evenly() -> None:
    for drawn in (sha256_stream("any", 1).indices(9000, 9), pcg64_indices(1, 9000, 9)):
        counts = Counter(drawn)
        assert set(counts) == set(range(9))
        assert all(abs(n - 1000) < 5 * math.sqrt(1000) for n in counts.values())


def test_a_large_seed_of_numpys_stream_is_mixed_in_whole() -> None:
    assert pcg64_indices(2**200 + 1, 20, 100) != pcg64_indices(1, 20, 100)


@pytest.mark.parametrize(
    "refused",
    [
        lambda: sign_flip([]),
        lambda: sign_flip([math.nan]),
        lambda: sign_flip([1.0] * 30, flips=0),
        lambda: smallest_p(0),
        lambda: mcnemar(both=0, before_only=0, after_only=0, neither=0),
        lambda: mcnemar(both=1, before_only=-1, after_only=0, neither=0),
        lambda: permutation([], [0.5]),
        lambda: fisher((3, 2), (1, 1)),
        lambda: bounds([]),
        lambda: pcg64_indices(-1, 1, 1),
    ],
)
def test_what_has_no_meaning_is_refused(refused: object) -> None:
    assert callable(refused)
    with pytest.raises(ValueError, match=r"."):
        refused()
