from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.domain.digests import text_digest
from harness.domain.record import CheckResult, RunRecord
from harness.report.agreement import (
    FEWEST,
    PEOPLE,
    Couple,
    Figures,
    Rater,
    agreement,
    counting,
    figures,
    gwet_ac1,
    level,
    weighted_kappa,
)
from harness.testing.store import a_record, a_review

BINARY = (0, 1)
VERDICTS = {
    "A": "110111110110111011111011011011111011111101101001011111011111",
    "B": "010111111111111011111011011011101011011111100011011111011111",
    "C": "110010111111011011111011011011100011011101101101011011110011",
    "human": "110111111111111011111011011011111011111101101001011111011111",
}
"""Three judges and a person about the same 60 pieces of work."""
FIRST = (5, 3, 3, 5, 1, 4, 2, 1, 2, 1, 3, 4, 2, 4, 5, 1, 5, 2, 1, 2,
         4, 3, 2, 4, 2, 1, 2, 5, 5, 4, 2, 2, 1, 1, 2, 2, 2, 2, 3, 3)  # fmt: skip
SECOND = (5, 4, 5, 5, 1, 4, 4, 1, 2, 1, 2, 4, 2, 4, 5, 1, 4, 2, 1, 3,
          5, 2, 3, 5, 4, 1, 1, 5, 5, 4, 2, 4, 1, 1, 2, 2, 4, 2, 2, 3)  # fmt: skip
"""Marks from 1 to 5; their kappa is that of two independent libraries."""


def coupled(first: str, second: str) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in zip(VERDICTS[first], VERDICTS[second], strict=True)]


def couples(first: Sequence[float], second: Sequence[float]) -> list[Couple]:
    """Each about a run of its own."""
    pairs = zip(first, second, strict=True)
    return [Couple(f"run_{n}", a, b) for n, (a, b) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("pair", "kappa", "error", "low", "high", "ac1"),
    [
        ("A B", 0.6273291925465838, 0.11983279055296228, 0.39246123889584617,
         0.8621971461973217, 0.7923875432525952),
        ("A C", 0.4613259668508287, 0.12511936710991292, 0.21609651354695383,
         0.7065554201547034, 0.6396396396396397),
        ("A human", 0.9019607843137255, 0.06783064632149909, 0.769015160475513,
         1.0349064081519381, 0.949537426408747),
        ("B human", 0.7058823529411764, 0.11178686313965984, 0.48678412724273507,
         0.9249805786396179, 0.8486122792262407),
        ("C human", 0.5299145299145298, 0.11981996004124927, 0.2950717236046528,
         0.7647573362244069, 0.7027696464760189),
    ],
)  # fmt: skip
def test_kappa_with_its_interval_and_ac1_are_those_of_the_reference(
    pair: str, kappa: float, error: float, low: float, high: float, ac1: float
) -> None:
    pairs = coupled(*pair.split())
    found = weighted_kappa(pairs, range(len(pairs)))
    assert (found.kappa, found.error) == (pytest.approx(kappa), pytest.approx(error))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert gwet_ac1(pairs, BINARY) == pytest.approx(ac1)


def test_a_level_that_nearly_everybody_gives_lowers_kappa_and_not_ac1() -> None:
    pairs = [(1, 1)] * 96 + [(1, 0)] * 2 + [(0, 1)] * 2
    assert weighted_kappa(pairs, range(100)).kappa == pytest.approx(-0.020408163265306145)
    assert gwet_ac1(pairs, BINARY) == pytest.approx(0.9583680266444629)


def test_a_wide_miss_weighs_more_than_a_near_one() -> None:
    found = weighted_kappa(list(zip(FIRST, SECOND, strict=True)), range(len(FIRST)))
    assert found.kappa == pytest.approx(0.8157248157248157)
    assert found.error == pytest.approx(0.058982919922505817)
    far = [(a, 1 if a == 5 else b) for a, b in zip(FIRST, FIRST, strict=True)]
    near = [(a, 4 if a == 5 else b) for a, b in zip(FIRST, FIRST, strict=True)]
    apart, close = (weighted_kappa(pairs, range(len(FIRST))).kappa for pairs in (far, near))
    assert apart < 0.5 < close


def test_marks_of_one_run_count_as_one_when_the_interval_is_made() -> None:
    pairs = list(zip(FIRST, SECOND, strict=True))
    alone = weighted_kappa(pairs, range(len(pairs)))
    thrice = weighted_kappa(pairs * 3, [*range(len(pairs))] * 3)
    assert (thrice.kappa, thrice.error) == (
        pytest.approx(alone.kappa), pytest.approx(alone.error),
    )  # fmt: skip


def test_the_figures_of_marks_by_hand() -> None:
    found = figures(couples([1, 2, 3, 4, 5] * 4, [1, 2, 3, 5, 3] * 4))
    assert (found.n, found.runs) == (20, 20)
    assert (found.exact, found.within_one) == (0.6, 0.8)
    assert found.bias == pytest.approx(-0.2)
    # mean squared miss 1; by chance 2 + 1.76 + 0.04, from the variances and the means
    assert found.kappa
    assert found.kappa.kappa == pytest.approx(1 - 1 / 3.8)


def test_marks_that_are_all_the_same_have_no_kappa_instead_of_a_perfect_one() -> None:
    found = figures(couples([4] * 20, [4] * 20))
    assert (found.exact, found.kappa, found.ac1) == (1.0, None, None)
    assert found.why == "no variation: every mark is 4"


def test_one_side_without_variation_has_no_kappa_instead_of_a_certain_nought() -> None:
    found = figures(couples([4] * 20, [4, 5] * 10))
    assert (found.exact, found.kappa) == (0.5, None)
    assert found.why == "no variation: one side gives 4 every time"
    assert found.ac1 == pytest.approx((0.5 - 0.09375) / (1 - 0.09375))


def test_few_runs_have_no_kappa_however_many_marks_they_have() -> None:
    few = [Couple(f"run_{n % (FEWEST - 1)}", n % 5 + 1, n % 5 + 1) for n in range(100)]
    found = figures(few)
    assert (found.n, found.runs, found.exact) == (100, FEWEST - 1, 1.0)
    assert (found.kappa, found.ac1) == (None, None)
    assert found.why == f"too few runs: {FEWEST - 1}, and {FEWEST} are the least"


def test_no_marks_have_no_figures() -> None:
    found = figures([])
    assert found == Figures(0, 0, why=found.why)


@pytest.mark.parametrize(("mark", "whole"), [(1.0, 1), (2.5, 3), (3.4, 3), (4.5, 5), (5.0, 5)])
def test_a_mark_between_two_levels_counts_as_the_nearer_and_half_way_as_the_upper(
    mark: float, whole: int
) -> None:
    assert level(mark) == whole


def judged(record: RunRecord, by: str, scores: Sequence[float]) -> RunRecord:
    """The run with a panel's verdict among its checks."""
    judgement = a_review(by=by, scores=scores).judgement
    check = CheckResult("llm_judge", "llm_judge", 0.5, 1.0, judgement=judgement)
    return replace(record, checks=(check,))


def test_the_run_s_own_judges_are_compared_with_all_people_together() -> None:
    runs = [judged(a_record(f"run_{n}"), "openai:m", (3, 4)) for n in (1, 2)]
    people = [a_review("run_1", "ann", scores=(3, 5)), a_review("run_2", "bob", scores=(1, 4))]
    (match,) = agreement(runs, people).matches
    assert (match.a, match.b, match.against_people) == (PEOPLE, "openai:m", True)
    assert match.overall.n == 4
    assert [(name, f.exact, f.bias) for name, f in match.categories] == [
        ("A", 0.5, 1.0), ("B", 0.5, -0.5),
    ]  # fmt: skip


def test_judges_are_compared_with_each_other_and_people_too() -> None:
    reviews = [a_review(by=by) for by in ("ann", "bob", "openai:m", "anthropic:n")]
    found = agreement([a_record()], reviews)
    assert [(m.a, m.b) for m in found.matches] == [
        (PEOPLE, "anthropic:n"),
        (PEOPLE, "openai:m"),
        ("anthropic:n", "openai:m"),
        ("ann", "bob"),
    ]
    assert found.raters[0] == (Rater("anthropic:n", is_human=False), 1)


def test_the_last_of_several_judgements_by_one_rater_counts() -> None:
    run = judged(a_record(), "openai:m", (1, 1))
    reviews = [
        a_review(scores=(1, 1)),
        a_review(minute=1, scores=(5, 5)),
        a_review(by="openai:m", scores=(5, 4)),
    ]
    (match,) = agreement([run], reviews).matches
    assert (match.overall.n, match.overall.exact, match.overall.bias) == (2, 0.5, -0.5)
    assert counting(reviews) == tuple(reviews[1:])


def test_marks_by_another_rubric_are_compared_with_nothing() -> None:
    person, judge = a_review(), a_review(by="openai:m")
    other = replace(judge, judgement=replace(judge.judgement, rubric=text_digest("another")))
    assert agreement([a_record()], [person, other]).matches == ()
    assert counting([judge, other]) == (judge, other)


def test_a_category_that_a_person_left_out_is_no_disagreement() -> None:
    found = agreement([a_record()], [a_review(scores=(4,)), a_review(by="openai:m", scores=(4, 1))])
    assert [name for name, _ in found.matches[0].categories] == ["A"]


def test_a_verdict_that_no_model_was_asked_for_agrees_with_nobody() -> None:
    nobody = a_review(by="openai:m", scores=(1, 1))
    nobody = replace(nobody, judgement=replace(nobody.judgement, by=()))
    found = agreement([a_record()], [a_review(scores=(1, 1)), nobody])
    assert (found.matches, len(found.raters)) == ((), 1)


def test_a_person_may_have_the_name_of_a_model() -> None:
    model = a_review(by="openai:m")
    person = replace(model, judgement=replace(model.judgement, is_human=True))
    (match,) = agreement([a_record()], [model, person]).matches
    assert (match.against_people, match.overall.n) == (True, 2)
