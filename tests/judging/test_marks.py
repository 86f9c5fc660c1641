from __future__ import annotations

from dataclasses import replace

import pytest

from harness.domain.judgement import Mark
from harness.domain.rubric import Category, Combine, Rubric
from harness.judging.answers import Verdict
from harness.judging.marks import Opinion, combined, disputed, rubric_digest, weighted_score

ONE = Rubric((Category("A", 1.0),))


def opinion(judge: str, *scores: float) -> Opinion:
    """One category, several answers."""
    return Opinion(judge, tuple((Verdict(score, f"{judge} {score:g}"),) for score in scores))


def mark(rubric: Rubric, *opinions: Opinion) -> Mark:
    (found,) = combined(rubric, opinions)
    return found


@pytest.mark.parametrize(
    ("marks", "score"),
    [
        ([(1.0, 5.0)], 1.0),
        ([(1.0, 1.0)], 0.0),
        ([(0.3, 5.0), (0.25, 4.0), (0.2, 3.0), (0.15, 2.0), (0.1, 1.0)], 0.625),
        ([(60.0, 4.5), (40.0, 2.0)], 0.625),
        ([(1 / 3, 3.0)] * 3, 0.5),
    ],
)
def test_the_score_is_the_weighted_mean_of_the_marks(
    marks: list[tuple[float, float]], score: float
) -> None:
    given = [Mark(str(n), weight, mark) for n, (weight, mark) in enumerate(marks)]
    assert weighted_score(given) == pytest.approx(score)


def test_samples_of_a_judge_are_their_median_and_the_spread_is_kept() -> None:
    found = mark(ONE, opinion("a", 2.0, 5.0, 4.0))
    assert (found.score, found.spread, found.samples) == (4.0, 3.0, (2.0, 5.0, 4.0))
    assert found.reasoning == "a 4"
    assert mark(ONE, opinion("a", 3.0, 4.0)).score == 3.5


@pytest.mark.parametrize(
    ("how", "scores", "score"),
    [
        (Combine.MEDIAN, (1.0, 4.0, 5.0), 4.0),
        (Combine.MEDIAN, (2.0, 5.0), 3.5),
        (Combine.MEAN, (1.0, 4.0, 4.0), 3.0),
        (Combine.MAJORITY, (5.0, 1.0, 1.0), 1.0),
        (Combine.MAJORITY, (1.0, 1.0, 4.0, 4.0), 2.5),
        (Combine.MAJORITY, (1.0, 4.0, 5.0), 4.0),
        (Combine.MAJORITY, (3.0,), 3.0),
    ],
)
def test_judges_are_combined_as_the_rubric_says(
    how: Combine, scores: tuple[float, ...], score: float
) -> None:
    opinions = [opinion(str(n), each) for n, each in enumerate(scores)]
    assert mark(replace(ONE, combine=how), *opinions).score == score


def test_a_judge_that_was_asked_more_often_has_one_voice() -> None:
    found = mark(replace(ONE, combine=Combine.MEAN), opinion("a", 5, 5, 5), opinion("b", 1.0))
    assert found.score == 3.0
    assert found.reasoning == "a: a 5\nb: b 1"


@pytest.mark.parametrize(
    ("scores", "limit", "split"),
    [((2, 3), 1.0, ()), ((2, 3.5), 1.0, ("A",)), ((2, 2.5), 0, ("A",))],
)
def test_judges_too_far_apart_are_for_a_person(
    scores: tuple[float, float], limit: float, split: tuple[str, ...]
) -> None:
    rubric = replace(ONE, disagreement=limit)
    assert disputed(rubric, [opinion("a", scores[0]), opinion("b", scores[1])]) == split


def test_one_judge_cannot_disagree_with_itself() -> None:
    assert disputed(replace(ONE, disagreement=0), [opinion("a", 1.0, 5.0)]) == ()


def test_quotations_are_collected_once_and_those_not_found_apart() -> None:
    first = (Verdict(4.0, "r", ("here it is", "invented"), ("invented",)),)
    found = mark(ONE, Opinion("a", (first, first)))
    assert (found.quotes, found.unfounded) == (("here it is",), ("invented",))


def test_the_digest_names_the_questions_and_not_who_answers() -> None:
    other = replace(ONE, judges=("openai:x",), samples=5, combine=Combine.MEAN)
    assert rubric_digest(other) == rubric_digest(ONE)
    asked = [
        replace(ONE, categories=(Category("B", 1.0),)),
        replace(ONE, categories=(Category("A", 1.0, "text"),)),
        replace(ONE, categories=(Category("A", 1.0, "", ((1, "no"),)),)),
        replace(ONE, categories=(Category("A", 0.5), Category("A2", 0.5))),
        replace(ONE, with_solution=True),
        replace(ONE, with_statement=True),
    ]
    assert len({rubric_digest(each) for each in [ONE, *asked]}) == 7
