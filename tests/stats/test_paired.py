from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.clustered import clustered_mean
from harness.stats.estimate import Estimate
from harness.stats.paired import (
    PairedCell,
    effect_size,
    paired_difference,
    probability_of_improvement,
)

SCORES = st.floats(0, 1).map(lambda score: round(score, 6))
RUNS = st.lists(SCORES, min_size=1, max_size=4).map(tuple)
CELLS = st.lists(
    st.builds(
        PairedCell,
        cluster=st.sampled_from("abcdefg"),
        baseline=RUNS,
        specialist=RUNS,
        weight=st.sampled_from((0.5, 1.0, 2.0)),
    ),
    min_size=1,
    max_size=12,
)
GIVEN = (
    PairedCell("a", (0.2, 0.4), (0.5, 0.7)),
    PairedCell("a", (0.1, 0.1), (0.1, 0.5)),
    PairedCell("b", (0.6, 0.8), (0.6, 0.6)),
    PairedCell("c", (0.9, 0.9), (1.0, 0.9)),
)


def near(value: float | None) -> object:
    return value if value is None else pytest.approx(value, abs=1e-9)


def same(found: Estimate, expected: Estimate) -> bool:
    numbers = ("mean", "se", "df", "low", "high")
    return all(getattr(found, name) == near(getattr(expected, name)) for name in numbers)


@settings(deadline=None, max_examples=50)
@given(CELLS, st.randoms())
def test_the_order_of_rows_changes_not_one_digit(cells: list[PairedCell], random: Random) -> None:
    def shuffled(runs: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(random.sample(runs, len(runs)))

    other = [
        replace(cell, baseline=shuffled(cell.baseline), specialist=shuffled(cell.specialist))
        for cell in random.sample(cells, len(cells))
    ]
    assert paired_difference(other) == paired_difference(cells)
    assert paired_difference(other).check == paired_difference(cells).check
    assert effect_size(other) == effect_size(cells)
    assert probability_of_improvement(other) == probability_of_improvement(cells)


@settings(deadline=None, max_examples=50)
@given(CELLS)
def test_repeating_every_iteration_proves_nothing_more(cells: list[PairedCell]) -> None:
    twice = [replace(c, baseline=c.baseline * 2, specialist=c.specialist * 2) for c in cells]
    assert paired_difference(twice).general == paired_difference(cells).general
    assert same(probability_of_improvement(twice), probability_of_improvement(cells))


@settings(deadline=None, max_examples=50)
@given(CELLS, st.dictionaries(st.sampled_from("abcdefg"), SCORES))
def test_what_both_sides_of_a_scenario_gain_is_no_difference(
    cells: list[PairedCell], gains: dict[str, float]
) -> None:
    def raised(runs: tuple[float, ...], cell: PairedCell) -> tuple[float, ...]:
        return tuple(score + gains.get(cell.cluster, 0.0) for score in runs)

    other = [
        replace(c, baseline=raised(c.baseline, c), specialist=raised(c.specialist, c))
        for c in cells
    ]
    before, after = paired_difference(cells), paired_difference(other)
    assert same(after.general, before.general)
    assert same(after.these, before.these)


@settings(deadline=None, max_examples=50)
@given(CELLS)
def test_changing_sides_changes_only_the_sign(cells: list[PairedCell]) -> None:
    turned = [replace(c, baseline=c.specialist, specialist=c.baseline) for c in cells]
    before, after = paired_difference(cells), paired_difference(turned)
    assert after.delta == near(-before.delta)
    assert after.general.se == near(before.general.se)
    assert after.check.p_two_sided == near(before.check.p_two_sided)
    assert probability_of_improvement(turned).mean == near(
        1 - probability_of_improvement(cells).mean
    )


@settings(deadline=None, max_examples=50)
@given(CELLS)
def test_nothing_is_ever_not_a_number(cells: list[PairedCell]) -> None:
    found, sizes = paired_difference(cells), effect_size(cells)
    for estimate in (found.general, found.these, probability_of_improvement(cells)):
        assert (estimate.se is None) is bool(estimate.why)
        numbers = (estimate.mean, estimate.se, estimate.df, estimate.low, estimate.high)
        tests = (estimate.t, estimate.p_two_sided, estimate.p_greater, estimate.lower_bound())
        assert all(number is None or math.isfinite(number) for number in (*numbers, *tests))
    assert (None in {sizes.d, sizes.d_z}) is bool(sizes.why)
    assert all(math.isfinite(size) for size in (sizes.d, sizes.g, sizes.d_z) if size is not None)


def test_more_runs_of_one_cell_do_not_weigh_more() -> None:
    many = (replace(GIVEN[0], baseline=(0.3,) * 50), *GIVEN[1:])
    assert paired_difference(many).delta == near(paired_difference(GIVEN).delta)


def test_weights_count_a_cell_as_so_many_equal_ones() -> None:
    heavy = [replace(GIVEN[0], weight=3.0), *GIVEN[1:]]
    thrice = [*[GIVEN[0]] * 3, *GIVEN[1:]]
    assert same(paired_difference(heavy).general, paired_difference(thrice).general)


def test_one_scenario_speaks_only_for_itself() -> None:
    found = paired_difference(GIVEN[:2])
    assert found.general.se is None
    assert found.general.why == "one scenario says nothing about others"
    assert found.these.se is not None


def test_one_run_a_cell_speaks_only_through_other_scenarios() -> None:
    found = paired_difference([replace(GIVEN[0], baseline=(0.3,)), *GIVEN[1:]])
    assert found.these.se is None
    assert found.these.why == "a cell with a single run has no spread"
    assert found.general.se is not None


def test_a_single_cell_is_welch() -> None:
    before, after = (0.1, 0.4, 0.2, 0.3), (0.5, 0.9, 0.4)
    found = paired_difference([PairedCell("a", before, after)]).these
    assert found.mean == near(0.35)
    assert found.se == near(math.sqrt(0.05 / 3 / 4 + 0.07 / 3))
    assert found.df == near(
        (0.05 / 12 + 0.07 / 3) ** 2 / ((0.05 / 12) ** 2 / 3 + (0.07 / 3) ** 2 / 2)
    )


def test_differences_that_are_all_the_same_have_no_t() -> None:
    cells = [PairedCell(name, (0.1, 0.2), (0.4, 0.5)) for name in "abcdef"]
    found = paired_difference(cells)
    assert (found.general.se, found.general.t, found.general.p_two_sided) == (0.0, None, None)
    assert not found.is_fragile()
    assert effect_size(cells).d_z is None
    assert effect_size(cells).why == "every scenario differs by the same"


def test_a_change_from_next_to_nothing_has_no_percentage() -> None:
    cells = [PairedCell(name, (0.0, 0.04), (0.5,)) for name in "abc"]
    assert paired_difference(cells).relative_pct is None
    assert paired_difference(GIVEN).relative_pct == near(100 * 0.1125 / 0.5)


def test_tests_that_fall_on_different_sides_of_alpha_are_called_fragile() -> None:
    deltas = (0.2, 0.21, 0.22, 0.2, 0.19)
    five = [PairedCell(str(n), (0.3,), (0.3 + d,)) for n, d in enumerate(deltas)]
    found = paired_difference(five)
    assert found.general.p_two_sided is not None
    assert found.general.p_two_sided < 0.001
    assert found.check.p_two_sided == 0.0625
    assert found.is_fragile()
    assert not found.is_fragile(0.1)


@pytest.mark.parametrize(
    ("baseline", "specialist", "weight", "what"),
    [
        ((), (0.5,), 1.0, "no baseline values"),
        ((0.5,), (), 1.0, "no specialist values"),
        ((0.5,), (math.nan,), 1.0, "not a number"),
        ((math.inf,), (0.5,), 1.0, "not a number"),
        ((0.5,), (0.5,), 0.0, "weight"),
    ],
)
def test_a_cell_without_a_meaning_is_refused(
    baseline: tuple[float, ...], specialist: tuple[float, ...], weight: float, what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        PairedCell("a", baseline, specialist, weight)


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(ValueError, match="no cell was done by both"):
        paired_difference([])


@pytest.mark.parametrize("scenarios", [6, 10, 20])
def test_an_interval_holds_the_truth_as_often_as_it_says(scenarios: int) -> None:
    """A against A, with scenarios that differ and tiers that share their scenario's luck."""
    random, draws = Random(20261121), 1500  # noqa: S311  # a simulation, seeded to be the same
    inside = 0
    for _ in range(draws):
        groups = {}
        for name in map(str, range(scenarios)):
            truth = random.gauss(0, 0.08)
            noise = 0.15 * math.sqrt(2 / 3)  # of the mean of three runs against three
            groups[name] = [truth + random.gauss(0, noise) for _ in range(2)]
        found = clustered_mean(groups)
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 0 <= found.high
    assert 0.93 <= inside / draws <= 0.97


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_clustered_mean_is_the_paired_difference_of_its_differences(seed: int) -> None:
    random = Random(seed)  # noqa: S311  # any numbers will do
    cells = [
        PairedCell(random.choice("abcd"), (random.random(),), (random.random(),)) for _ in range(9)
    ]
    groups: dict[str, list[float]] = {}
    for cell in cells:
        groups.setdefault(cell.cluster, []).append(cell.difference)
    assert same(clustered_mean(groups), paired_difference(cells).general)


def test_an_interval_ends_where_no_mean_can_lie_and_nothing_else_changes() -> None:
    wide = clustered_mean({"a": [0.0], "b": [1.0], "c": [1.0]})
    found = wide.within(0, 1)

    assert wide.low is not None
    assert wide.high is not None
    assert wide.low < 0
    assert wide.high > 1
    assert (found.low, found.high) == (0, 1)
    assert (found.interval(0.01).low, found.interval(0.01).high) == (0, 1)
    assert found.lower_bound(0.005) == 0
    assert found.interval(0.5) == wide.interval(0.5)
    assert (found.mean, found.se, found.p_two_sided) == (wide.mean, wide.se, wide.p_two_sided)


def test_what_has_no_interval_has_none_within_bounds_either() -> None:
    found = clustered_mean({"a": [0.5]}).within(0, 1)

    assert (found.low, found.high) == (None, None)
