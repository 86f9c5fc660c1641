from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.strata import allocate, is_held_out, ladder, post_stratified

SHARES = st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 1), min_size=1)


@settings(deadline=None)
@given(SHARES, st.integers(0, 3), st.integers(18, 500))
def test_every_case_is_given_out_and_every_stratum_gets_its_floor(
    shares: dict[str, float], floor: int, total: int
) -> None:
    found = allocate(total, shares, floor=floor)
    assert sum(found.values()) == total
    assert found.keys() == shares.keys()
    assert min(found.values()) >= floor


@settings(deadline=None)
@given(SHARES, st.integers(20, 500))
def test_a_stratum_gets_its_share_to_within_one_case(shares: dict[str, float], total: int) -> None:
    found = allocate(total, shares)
    whole = math.fsum(shares.values())
    assert all(abs(n - total * shares[name] / whole) < 1 for name, n in found.items())


def test_a_stratum_that_varies_more_gets_more() -> None:
    assert allocate(40, {"a": 0.5, "b": 0.5}, deviations={"a": 0.3, "b": 0.1}) == {"a": 30, "b": 10}


def test_what_was_sampled_too_often_does_not_move_the_mean() -> None:
    shares = {"a": 3.0, "b": 1.0}
    found = post_stratified({"a": [0.0, 1.0], "b": [1.0, 1.0, 1.0, 0.0] * 5}, shares)
    assert found.mean == pytest.approx(0.75 * 0.5 + 0.25 * 0.75)
    assert found.se is not None
    assert found.se**2 == pytest.approx(0.75**2 * 0.5 / 2 + 0.25**2 * (3.75 / 19) / 20)


def test_a_stratum_without_values_is_named_and_nothing_is_made_up() -> None:
    found = post_stratified({"a": [0.5, 0.6]}, {"a": 0.5, "b": 0.5})
    assert (found.mean, found.missing, found.interval.why) == (None, ("b",), "a stratum is empty")


def test_a_stratum_with_one_value_has_a_mean_and_no_error() -> None:
    found = post_stratified({"a": [0.5, 0.6], "b": [1.0]}, {"a": 0.5, "b": 0.5})
    assert (found.mean, found.se, found.thin) == (pytest.approx(0.775), None, ("b",))


def test_the_holdout_has_about_its_share_and_keeps_it() -> None:
    cases = [f"case-{n}" for n in range(2000)]
    held = [case for case in cases if is_held_out("salt", case, 0.3)]
    assert len(held) == pytest.approx(600, abs=60)
    assert {case for case in held if is_held_out("salt", case, 0.4)} == set(held)
    assert held != [case for case in cases if is_held_out("other", case, 0.3)]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.sampled_from((0.01, 0.05)))
def test_a_ladder_only_rises_and_only_by_whole_steps(scores: list[float], step: float) -> None:
    told = ladder(scores, step=step)
    assert told == sorted(told)
    assert all(abs(each / step - round(each / step)) < 1e-9 for each in told)
    assert max(told) <= max(scores) + step / 2 + 1e-12


@pytest.mark.parametrize(
    "refused",
    [
        lambda: allocate(3, {"a": 1, "b": 1}, floor=2),
        lambda: allocate(3, {}),
        lambda: allocate(3, {"a": -1, "b": 2}),
        lambda: allocate(3, {"a": 0}),
        lambda: post_stratified({"z": [1.0]}, {"a": 1}),
        lambda: post_stratified({"a": [1.0]}, {"a": 0}),
        lambda: is_held_out("salt", "case", 1.1),
        lambda: ladder([], step=0.1),
        lambda: ladder([0.5], step=0),
    ],
)
def test_what_has_no_meaning_is_refused(refused: object) -> None:
    assert callable(refused)
    with pytest.raises(ValueError, match=r"."):
        refused()
