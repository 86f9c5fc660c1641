from __future__ import annotations

import pytest

from harness.agents.asking import ENOUGH, MAX_QUESTIONS, NO_ANSWER, answer
from harness.domain.scenario import Oracle

ORACLE = Oracle(
    answers=(
        ("which_rounding", "half even"),
        ("may i change the database schema", "No."),
        ("should i update to react 19", "Stay on 18."),
    )
)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("which_rounding", "half even"),
        ("Which rounding?", "half even"),
        ("Which rounding do you want?", "half even"),
        ("May I change the database schema?", "No."),
        ("Is it fine to change the schema of the database for this?", "No."),
        ("Should we update React to 19 now?", "Stay on 18."),
        ("May I change the schemas of both databases?", "No."),
    ],
)
def test_a_question_that_is_or_means_a_key_gets_its_answer(question: str, expected: str) -> None:
    assert answer(ORACLE, question, asked_before=0).answer == expected


@pytest.mark.parametrize(
    "question",
    ["", " ", "a", "?", "the", "should i", "may i", "update", "which", "what is the answer",
     " ".join(f"word{i}" for i in range(60)) + " which rounding change database schema react 19"],
)  # fmt: skip
def test_answers_cannot_be_farmed(question: str) -> None:
    asked = answer(ORACLE, question, asked_before=0)
    assert (asked.answer, asked.matched) == (NO_ANSWER, None)


def test_questions_run_out() -> None:
    asked = answer(ORACLE, "which_rounding", asked_before=MAX_QUESTIONS)
    assert asked.answer == ENOUGH
