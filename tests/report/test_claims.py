"""What may be said, and what may not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from harness.domain.record import RunRecord
from harness.report.claims import Claim, Context, Scope, Verdict, claim
from harness.report.effects import effect
from harness.report.inference import Question, report_batches, report_specialist
from harness.stats.paired import PairedCell
from tests.report.records import DEBUGGER, a_session, a_task, runs_of


def claimed(
    pairs: list[tuple[list[float], list[float]]], wanted: float = 0.05, about: str = "score"
) -> Claim:
    """Of scenarios with these runs without and with the specialist."""
    records = [
        run
        for n, (before, after) in enumerate(pairs)
        for scores, worn in ((before, None), (after, DEBUGGER))
        for run in runs_of(a_task(f"s{n}", specialist=worn), *scores)
    ]
    question = Question(declared=(about,), wanted=wanted)
    return report_specialist(records, DEBUGGER.name, DEBUGGER.version, question).claim


def around(gains: list[float], noise: float = 0.01) -> list[tuple[list[float], list[float]]]:
    """Two runs of each side about a middle; the specialist's is higher by the gain."""
    return [
        ([0.5 - noise, 0.5 + noise], [0.5 + gain - noise, 0.5 + gain + noise]) for gain in gains
    ]


EIGHT = [0.12, 0.2, 0.16, 0.24, 0.1, 0.18, 0.22, 0.14]


def test_an_improvement_is_claimed_with_its_interval() -> None:
    found = claimed(around(EIGHT))

    # mean 0.17, deviation 0.0490, error 0.0173, t(7) 2.3646: 0.129 to 0.211, rounded outwards
    assert found.sentence == (
        "The specialist improves the score by 0.12 to 0.22 on these 8 scenarios and on others"
        " like them."
    )
    assert (found.verdict, found.scope) == (Verdict.BETTER, Scope.GENERAL)


def test_a_decline_is_claimed_as_plainly() -> None:
    found = claimed(around([-gain for gain in EIGHT]))

    assert found.sentence.startswith("The specialist lowers the score by 0.12 to 0.22 on these 8")
    assert found.verdict is Verdict.WORSE


def test_a_difference_can_be_excluded() -> None:
    found = claimed(around([0.01, -0.01, 0.02, -0.02, 0.015, -0.015, 0.005, -0.005]))

    assert found.sentence == (
        "The specialist makes no difference larger than 0.02 on these 8 scenarios and on others"
        " like them: anything larger is excluded."
    )
    assert (found.verdict, found.scope) == (Verdict.NO_LARGER, Scope.GENERAL)


def test_the_same_numbers_exclude_nothing_where_less_would_matter() -> None:
    found = claimed(around([0.01, -0.01, 0.02, -0.02, 0.015, -0.015, 0.005, -0.005]), wanted=0.01)

    assert found.verdict is Verdict.UNDECIDED
    assert "between -0.02 and +0.02" in found.sentence


def test_scenarios_that_disagree_call_for_more_scenarios_not_more_iterations() -> None:
    found = claimed(around([0.3, -0.2, 0.25, -0.1, 0.2, -0.25, 0.15, -0.05]), wanted=0.1)

    assert found.verdict is Verdict.UNDECIDED
    assert "too few scenarios to tell a difference of 0.1" in found.sentence
    assert "more iterations would not help" in found.sentence


def test_runs_that_disagree_call_for_more_iterations_or_scenarios() -> None:
    found = claimed(around([0.3, -0.2, 0.25, -0.1, 0.2, -0.25, 0.15, -0.05], 0.3), wanted=0.1)

    assert found.verdict is Verdict.UNDECIDED
    assert "more iterations of every cell would help, or " in found.sentence


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_fewer_than_six_scenarios_speak_for_themselves_alone(count: int) -> None:
    found = claimed(around([0.2] * count))

    assert (found.verdict, found.scope) == (Verdict.BETTER, Scope.THESE)
    missing = f"{6 - count} more scenario{'s' if count < 5 else ''}"
    assert f"on these {count} scenarios only; nothing is said of others" in found.sentence
    assert found.sentence.endswith(f"more iterations would not help, {missing} would.")


def test_six_scenarios_are_enough_for_more() -> None:
    assert claimed(around(EIGHT[:6])).scope is Scope.GENERAL


def test_one_run_of_each_of_few_cells_proves_nothing() -> None:
    found = claimed([([0.5], [0.9])] * 3)

    assert (found.verdict, found.scope) == (Verdict.NOTHING, Scope.NONE)
    assert "+0.40 was measured on these 3 scenarios only" in found.sentence
    assert "a cell with a single run has no spread" in found.sentence
    assert "2 iterations or more" in found.sentence


def test_one_run_of_each_of_many_scenarios_can_prove_something() -> None:
    found = claimed([([0.5], [0.5 + gain]) for gain in EIGHT])

    assert (found.verdict, found.scope) == (Verdict.BETTER, Scope.GENERAL)


def test_of_one_scenario_the_exact_test_has_the_last_word() -> None:
    # by Welch p = 0.001; but of 20 ways to deal out six runs, 2 are as far apart: p = 0.1
    few = claimed([([0.1, 0.11, 0.12], [0.9, 0.91, 0.92])])
    many = claimed([([0.1, 0.11, 0.12, 0.13], [0.9, 0.91, 0.92, 0.93])])

    assert (few.verdict, few.scope) == (Verdict.UNDECIDED, Scope.THESE)
    assert "exact p = 0.10" in few.sentence
    assert (many.verdict, many.scope) == (Verdict.BETTER, Scope.THESE)
    assert "on this one scenario only" in many.sentence


def test_runs_that_never_vary_are_told_and_not_tested() -> None:
    found = claimed([([0.0, 0.0], [1.0, 1.0])] * 3)

    assert found.verdict is Verdict.UNDECIDED
    assert "+1.00 was measured on these 3 scenarios only, the same in every iteration" in (
        found.sentence
    )


def test_a_gain_that_every_one_of_enough_scenarios_shows_needs_no_spread() -> None:
    found = claimed([([0.0, 0.0], [1.0, 1.0])] * 6)

    assert (found.verdict, found.scope) == (Verdict.BETTER, Scope.GENERAL)
    assert found.sentence == (
        "The specialist improves the score by 1.00 on every one of these 6 scenarios, and on others"
        " like them by an amount that cannot be told where nothing varies; it rests on all 6 having"
        " changed the same way (p = 0.031 by signs)."
    )


def test_two_sides_that_are_the_same_everywhere_exclude_nothing() -> None:
    found = claimed([([0.5, 0.5], [0.5, 0.5])] * 8)

    assert found.verdict is Verdict.UNDECIDED
    assert "no difference was seen" in found.sentence


def test_a_result_on_which_the_tests_disagree_is_fragile() -> None:
    # t(6) = 2.53, p = 0.045; of 128 patterns of signs 8 are as far out, p = 0.0625
    found = claimed([([0.5], [0.5 + gain]) for gain in (0.3, 0.4, 0.5, 0.35, 0.45, -0.2, 0.0)])

    assert found.verdict is Verdict.UNDECIDED
    assert "the tests disagree" in found.sentence
    assert "fragile" in found.sentence


def test_several_declared_questions_raise_the_bar() -> None:
    records = [
        run
        for n, gain in enumerate([0.3, 0.02, 0.25, 0.03, 0.2, 0.04, 0.28, -0.05])
        for worn in (None, DEBUGGER)
        for run in runs_of(a_task(f"s{n}", specialist=worn), *([0.5 + gain] if worn else [0.5]))
    ]

    def verdict(*declared: str) -> Verdict:
        question = Question(declared=declared)
        return report_specialist(records, DEBUGGER.name, DEBUGGER.version, question).claim.verdict

    assert verdict("score") is Verdict.BETTER
    assert verdict("score", "success", "seconds") is Verdict.UNDECIDED


def with_sessions(cost_usd: float, seconds: float) -> list[RunRecord]:
    return [
        replace(
            run,
            session=a_session(cost_usd=1.0 + n / 100, duration_s=100 + n)
            if worn is None
            else a_session(cost_usd=cost_usd, duration_s=seconds),
        )
        for n in range(8)
        for worn in (None, DEBUGGER)
        for run in runs_of(a_task(f"s{n}", specialist=worn), 0.5, 0.6)
    ]


def test_less_cost_and_time_are_better() -> None:
    question = Question(declared=("cost_usd", "seconds"))
    found = report_specialist(with_sessions(0.5, 160.0), DEBUGGER.name, DEBUGGER.version, question)

    cost, time = found.claims
    assert cost.sentence.startswith("The specialist lowers the cost of a run by 0.51 to 0.56 USD")
    assert cost.verdict is Verdict.BETTER
    assert time.sentence.startswith("The specialist lengthens a run by 54 to 59 seconds")
    assert time.verdict is Verdict.WORSE


def test_success_is_told_in_percentage_points() -> None:
    pairs = [([0.5] * 4, [0.9] * (n % 3 + 1) + [0.5] * (3 - n % 3)) for n in range(8)]

    found = claimed(pairs, about="success")

    assert found.sentence.startswith("The specialist raises the success rate by ")
    assert "percentage points on these 8 scenarios" in found.sentence


def test_a_batch_is_called_by_its_letter() -> None:
    before = [run for n in range(8) for run in runs_of(a_task(f"s{n}"), 0.5, 0.52)]
    after = [
        run for n, g in enumerate(EIGHT) for run in runs_of(a_task(f"s{n}"), 0.5 + g, 0.52 + g)
    ]

    assert report_batches(before, after).claim.sentence.startswith("B improves the score by 0.12")


def test_a_small_gain_keeps_the_digits_that_tell_it_from_none() -> None:
    found = claimed(around([gain / 40 for gain in EIGHT], 0.0001))

    assert "improves the score by 0.003 to 0.006 on" in found.sentence


@pytest.mark.parametrize(
    ("count", "runs"), [(1, 4), (2, 3), (3, 3), (5, 2), (6, 2), (10, 1), (20, 3)]
)
def test_chance_is_seldom_taken_for_a_difference(count: int, runs: int) -> None:
    # nothing changes on average: scenarios differ by 0.05, runs by 0.15, and scores are cut at 0, 1
    chance = random.Random(count)  # noqa: S311  # a simulation, no secret

    def side(middle: float) -> tuple[float, ...]:
        return tuple(min(1.0, max(0.0, chance.gauss(middle, 0.15))) for _ in range(runs))

    def is_claimed() -> bool:
        shifts = [chance.gauss(0, 0.05 if count >= 6 else 0.0) for _ in range(count)]
        cells = [
            PairedCell(f"s{n}", side(0.5), side(0.5 + shift)) for n, shift in enumerate(shifts)
        ]
        found = effect("measure", "score", cells)
        assert found
        return claim(found, Context("B")).verdict in {Verdict.BETTER, Verdict.WORSE}

    assert sum(is_claimed() for _ in range(400)) <= 32  # 5 % are 20, and 32 three deviations more


def test_six_scenarios_say_what_they_rest_on_and_more_need_not() -> None:
    # of 64 patterns of signs only the two in which all six agree are below 5 %
    six = claimed([([0.5], [0.5 + gain]) for gain in EIGHT[:6]])
    seven = claimed([([0.5], [0.5 + gain]) for gain in EIGHT[:7]])

    assert six.sentence.endswith(
        "on these 6 scenarios and on others like them; it rests on all 6 having changed the same"
        " way (p = 0.031 by signs)."
    )
    assert seven.sentence.endswith("on these 7 scenarios and on others like them.")


def test_no_difference_at_all_comes_with_how_large_a_one_would_have_been_found() -> None:
    found = claimed([([0.4, 0.6], [0.4, 0.6])] * 8)

    # deviation sqrt(2 * 0.02 / 2) = 0.1414 of each difference; 8 of them show 0.165
    assert found.sentence == (
        "Undecided: no difference was seen, every one of these 8 scenarios came out the same on"
        " both sides; one of 0.17 is found four times in five."
    )


@pytest.mark.parametrize(("count", "share"), [(6, 40), (8, 32), (59, 5)])
def test_where_nothing_varied_that_is_not_known(count: int, share: int) -> None:
    # 0.05 ** (1 / n): so many scenarios are all alike one time in twenty
    found = claimed([([0.5, 0.5], [0.5, 0.5])] * count)

    assert found.sentence.endswith(
        "how small a one would have been found cannot be told, and up to"
        f" {share}% of others like them may differ."
    )


def test_of_few_scenarios_without_a_difference_it_is_not_known_either() -> None:
    found = claimed([([0.5, 0.5], [0.5, 0.5])] * 3)

    assert "Undecided: no difference was seen on these 3 scenarios only" in found.sentence
    assert "how small a one would have been found cannot be told; nothing is said of others" in (
        found.sentence
    )


def test_a_claim_reaches_no_further_than_scores_do() -> None:
    found = claimed([([0.0], [gain]) for gain in (1.0, 1.0, 1.0, 1.0, 1.0, 0.9)])

    assert found.sentence.startswith("The specialist improves the score by 0.94 to 1.00 on these 6")


def test_an_undecided_difference_says_of_what() -> None:
    pairs = [([0.5] * 2, [0.9, 0.5] if n % 2 else [0.5] * 2) for n in range(8)]

    assert (
        "the difference of the success rate lies between"
        in claimed(
            [
                (after, before) if n < 4 else (before, after)
                for n, (before, after) in enumerate(pairs)
            ],
            about="success",
        ).sentence
    )
    assert (
        "no difference of the check 'test' was seen"
        in claimed([([0.5], [0.5])] * 8, about="check test").sentence
    )


def test_rounding_is_no_difference() -> None:
    # both means are 1.91 / 3, and in floating point 1e-16 apart, the same way in every scenario
    found = claimed([([0.6, 0.83, 0.48], [0.63, 0.64, 0.64])] * 8)

    assert found.verdict is Verdict.UNDECIDED
    assert "no difference was seen" in found.sentence
    scores = (0.6, 0.83, 0.48), (0.63, 0.64, 0.64)
    assert report_batches(*(runs_of(a_task(), *each) for each in scores)).cells[0].difference == 0


def test_what_was_measured_was_measured_on_these_scenarios_alone() -> None:
    records = [
        run
        for n in range(6)
        for worn in (None, DEBUGGER)
        for run in runs_of(a_task(f"s{n}", specialist=worn), 1.0 if worn else 0.0)
    ]
    question = Question(declared=("score", "success"))

    found = report_specialist(records, DEBUGGER.name, DEBUGGER.version, question).claim

    assert found.sentence.startswith(
        "Undecided: +1.00 was measured on every one of these 6 scenarios (p = 0.062 by signs for 2"
        " questions)"
    )
