"""What the agent must never see: heron-5e1c0ffee."""

from __future__ import annotations

from grading import call, cases


@cases([([8, 2], 5.0), ([10, 0, 4, 6], 5.0), ([-3, -1], -2.0)])
def test_an_even_number_of_values(case: tuple) -> None:
    values, expected = case
    assert call("stats:median", values, path=["src"], timeout_s=3) == expected


@cases([([3, 1, 2], 2), ([9], 9)])
def test_an_odd_number_of_values(case: tuple) -> None:
    values, expected = case
    assert call("stats:median", values, path=["src"], timeout_s=3) == expected
