from __future__ import annotations

import math
from random import Random

import pytest

from harness.stats.agreement import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    pabak,
    percent_agreement,
    unlike,
    weighted_kappa,
)
from harness.stats.calibration import (
    Skill,
    active_mean,
    brier,
    calibration_error,
    kendall,
    ppi_mean,
    ppi_weight,
    rogan_gladen,
    skill,
    spearman,
)
from harness.stats.costs import Case, Costs, alarm_threshold, cost_report, safety
from harness.stats.drift import burn_rate, cusum, fired, judge_drift
from harness.stats.ranking import bradley_terry, is_strongly_connected
from harness.stats.sequential import confidence_sequence, mixture_rho, mixture_width

OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 - - -",
    "1 2 3 3 2 2 4 1 2 5 - 3",
    "- 3 3 3 2 3 4 2 2 5 1 -",
    "1 2 3 3 2 4 4 1 2 5 1 -",
)
"""Krippendorff's own example (2011): four observers, twelve units, some marks missing."""


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_of_krippendorffs_example_is_what_he_says(level: str, alpha: float) -> None:
    rows = [[None if m == "-" else float(m) for m in row.split()] for row in OBSERVERS]
    units = list(zip(*rows, strict=True))
    assert krippendorff_alpha(units, level) == pytest.approx(alpha, abs=0.0005)  # type: ignore[arg-type]  # from a table


def test_marks_that_never_vary_agree_about_nothing() -> None:
    assert weighted_kappa([(3, 3)] * 12) is None
    assert cohen_kappa([(1, 1)] * 12) is None
    assert fleiss_kappa([(1, 1, 1)] * 5) is None
    assert krippendorff_alpha([(1, 1), (1, None)]) is None
    assert krippendorff_alpha([(1, None), (None, 2)]) is None


def test_a_weighted_kappa_of_names_is_the_plain_one() -> None:
    pairs = [(1, 1), (1, 2), (3, 3), (3, 1), (2, 2), (2, 2)]
    assert weighted_kappa(pairs, distance=unlike) == cohen_kappa(pairs)


def test_a_judge_without_skill_cannot_be_corrected() -> None:
    assert rogan_gladen(0.6, Skill(0.6, 0.6)) is None
    assert rogan_gladen(0.6, Skill(None, 0.9)) is None
    assert skill([1, 1], [1, 0]) == Skill(0.5, None)


def test_a_corrected_pass_rate_stays_a_rate() -> None:
    assert rogan_gladen(1.0, Skill(0.8, 0.9)) == 1
    assert rogan_gladen(0.0, Skill(0.8, 0.9)) == 0


def test_a_judge_who_is_always_right_is_leaned_on() -> None:
    human = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    found = ppi_mean(human, human, [1.0, 0.0] * 50, weight=1.0)
    assert found.value == 0.5
    assert found.se == pytest.approx(0.05)


def test_a_judge_who_says_always_the_same_is_not_leaned_on() -> None:
    human = [0.0, 1.0, 1.0, 0.0]
    assert ppi_weight(human, [1.0] * 4, [1.0] * 9) == 0
    assert ppi_mean(human, [1.0] * 4, [1.0] * 9).value == 0.5


def test_labels_of_everything_are_simply_the_labels() -> None:
    found = active_mean([1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1])
    assert found.value == 0.5


def test_what_does_not_vary_has_no_rank_correlation() -> None:
    assert spearman([1, 2, 3], [1, 1, 1]) is None
    assert kendall([1, 2, 3], [1, 1, 1]) is None
    assert kendall([1, 2, 3], [9, 8, 7]) == -1


def test_perfect_confidence_has_no_calibration_error() -> None:
    assert (brier([0.0, 1.0], [0, 1]), calibration_error([0.0, 1.0], [0, 1])) == (0, 0)


def test_costs_of_a_free_policy_are_no_unit() -> None:
    costs = Costs({"a": {"a": 0, "b": 2}, "b": {"a": 0, "b": 0}})
    found = cost_report([Case("a", "b"), Case("b", "b")], costs)
    assert (found.expected, found.utility_vs_worst, found.utility_vs_constant) == (1, 0, None)
    assert alarm_threshold(false_alarm=1, miss=9) == 0.1


def test_without_a_dangerous_case_nothing_is_known_of_safety() -> None:
    found = safety([Case("a", "a")], {"b"})
    assert (found.cases, found.score, found.lower) == (0, None, None)
    assert safety([Case("b", "a")], {"b"}).lower == 0


def test_a_sequence_never_widens_and_holds_the_mean() -> None:
    random = Random(7)  # noqa: S311  # a simulation, seeded to be the same
    held = 0
    for _ in range(60):
        path = confidence_sequence([float(random.random() < 0.7) for _ in range(150)])
        lows, highs = [each.low or 0.0 for each in path], [each.high or 0.0 for each in path]
        assert lows == sorted(lows)
        assert highs == sorted(highs, reverse=True)
        held += lows[-1] <= 0.7 <= highs[-1]
    assert held >= 57


def test_the_mixture_is_narrowest_where_it_is_tuned() -> None:
    best = mixture_width(1, 200, rho=mixture_rho(200))
    assert all(best <= mixture_width(1, 200, rho=mixture_rho(n)) * 1.01 for n in (50, 800))


def test_a_calm_stream_raises_no_alarm() -> None:
    found = cusum([0] * 500, usual=0.05, alarming=0.1, bar=math.log(100))
    assert (found.alarm_at, max(found.path)) == (None, 0)


def test_a_window_without_events_does_not_burn() -> None:
    assert burn_rate(0, 0, slo=0.99) is None
    assert fired({"1h": 20.0, "5m": None}) == []


def test_a_judge_that_changes_its_mind_is_seen_though_it_is_as_often_right() -> None:
    found = judge_drift([1, 1, 0, 0], [1, 0, 0, 1], [0, 1, 1, 0])
    assert (found.before, found.after, found.flip_rate) == (0.5, 0.5, 1)


def test_strengths_give_back_the_odds_of_two() -> None:
    found = bradley_terry([[0, 3], [1, 0]])
    assert found is not None
    assert found[0] - found[1] == pytest.approx(math.log(3))


def test_who_was_never_beaten_has_no_strength() -> None:
    assert bradley_terry([[0, 3, 1], [0, 0, 2], [0, 1, 0]]) is None
    assert bradley_terry([[0]]) is None
    assert is_strongly_connected([[0, 1, 0], [0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize(
    "refused",
    [
        lambda: cohen_kappa([]),
        lambda: percent_agreement([]),
        lambda: gwet_ac1([(1, 1)], [1]),
        lambda: pabak([(1, 1)], 1),
        lambda: fleiss_kappa([]),
        lambda: fleiss_kappa([(1, 1), (1,)]),
        lambda: skill([0.5], [1]),  # type: ignore[list-item]  # that is the mistake
        lambda: ppi_mean([], [], [1.0]),
        lambda: ppi_mean([1.0], [1.0, 0.0], [1.0]),
        lambda: active_mean([1.0], [1.0], [0.0]),
        lambda: brier([1.2], [1]),
        lambda: calibration_error([0.5], [2]),
        lambda: cost_report([], Costs({"a": {"a": 0}})),
        lambda: cost_report([Case("a", "z")], Costs({"a": {"a": 0}})),
        lambda: Costs({"a": {"a": 0}, "b": {"b": 0}}),
        lambda: confidence_sequence([1.5]),
        lambda: confidence_sequence([]),
        lambda: mixture_width(1, 0, rho=0.1),
        lambda: cusum([0], usual=0.2, alarming=0.1, bar=1),
        lambda: burn_rate(3, 2, slo=0.9),
        lambda: judge_drift([], [], []),
        lambda: bradley_terry([[0, 1]]),
        lambda: bradley_terry([[0, -1], [1, 0]]),
    ],
)
def test_what_has_no_meaning_is_refused(refused: object) -> None:
    assert callable(refused)
    with pytest.raises(ValueError, match=r"."):
        refused()
