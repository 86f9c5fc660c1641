from __future__ import annotations

import math
from random import Random

import pytest

from harness.stats.clustered import clustered_mean
from harness.stats.gate import Segment, judge_segments
from harness.stats.proportions import none_failed
from harness.stats.shrinkage import shrink

GOOD, BAD, OPEN = (
    Segment("good", 0.01, 0.01, 20),
    Segment("bad", -0.10, 0.01, 20),
    Segment("open", -0.02, 0.02, 20),
)


@pytest.mark.parametrize(
    ("segments", "strict", "lenient"),
    [
        ([GOOD], "ALLOW", "ALLOW"),
        ([GOOD, OPEN], "INCONCLUSIVE", "ALLOW"),
        ([GOOD, OPEN, BAD], "BLOCK", "BLOCK"),
    ],
)
def test_strict_allows_what_is_proved_and_lenient_blocks_what_is_proved(
    segments: list[Segment], strict: str, lenient: str
) -> None:
    found = judge_segments(segments, margin=0.03)
    assert (found.strict, found.lenient) == (strict, lenient)


def test_nothing_changed_is_seldom_blocked() -> None:
    random, draws = Random(20261121), 300  # noqa: S311  # a simulation, seeded to be the same
    blocked = 0
    for _ in range(draws):
        segments = []
        for tenant in map(str, range(10)):
            found = clustered_mean({str(n): [random.gauss(0, 0.12)] for n in range(10)})
            assert found.se is not None
            assert found.df is not None
            segments.append(Segment(tenant, found.mean, found.se, found.df))
        blocked += judge_segments(segments, margin=0.03).strict == "BLOCK"
    assert blocked / draws <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / draws)


def test_segments_that_differ_by_noise_are_one() -> None:
    found = shrink([0.01, -0.01, 0.0], [0.05, 0.05, 0.05])
    assert found.between == 0
    assert found.values == pytest.approx([0, 0, 0], abs=1e-12)


def test_segments_that_surely_differ_stay_where_they_are() -> None:
    deltas = [-0.3, 0.0, 0.3]
    found = shrink(deltas, [0.01, 0.01, 0.01])
    assert found.between == pytest.approx(0.09 - 0.0001)
    assert found.values == pytest.approx(deltas, abs=0.001)


def test_the_worst_segment_is_drawn_in_the_more_the_less_is_known_of_it() -> None:
    worst, other = (
        shrink([-0.2, 0.1, 0.05, 0.0], [error, 0.03, 0.03, 0.03]) for error in (0.1, 0.02)
    )
    assert -0.2 < other.values[0] < worst.values[0]


def test_no_failure_in_few_trials_promises_little() -> None:
    assert none_failed(1) == pytest.approx(0.95)
    assert none_failed(10**12) == pytest.approx(-math.log(0.05) / 10**12)


@pytest.mark.parametrize("margin", [0, -0.1, math.nan])
def test_a_margin_is_above_0(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        judge_segments([GOOD], margin=margin)


@pytest.mark.parametrize("se", [0, math.nan, -0.1])
def test_a_segment_without_an_error_cannot_be_judged(se: float) -> None:
    with pytest.raises(ValueError, match="standard error of 'x'"):
        judge_segments([Segment("x", 0.1, se, 5)], margin=0.1)


def test_no_segments_are_no_pass() -> None:
    with pytest.raises(ValueError, match="no segments"):
        judge_segments([], margin=0.03)
