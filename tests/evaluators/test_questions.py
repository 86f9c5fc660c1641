from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.questions import QuestionsEvaluator
from harness.agents.asking import NO_ANSWER
from harness.domain.changes import Changes
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec, Oracle
from harness.domain.session import Ending, Question, Session, ToolCount
from harness.evaluate import Evidence, Work
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

ANSWERS = (("which node version", "20"), ("which registry", "the public one"))


def judge(
    tmp_path: Path,
    *questions: Question,
    answers: tuple[tuple[str, str], ...] = ANSWERS,
    calls: tuple[str, ...] = ("run_command",),
    options: dict[str, float] | None = None,
) -> CheckResult:
    session = Session(
        Ending.FINISHED,
        1.0,
        calls=tuple(ToolCount(tool, 1) for tool in calls),
        questions=questions,
    )
    evidence = Evidence(
        a_scenario(tmp_path, oracle=Oracle(answers=answers)),
        Changes(),
        FakeBox({}, {}),
        (),
        None,
        {},
        MemoryArtifacts().put,
        Work(session=session),
    )
    kind = "user_questions_quality"
    return QuestionsEvaluator().judge(evidence, CheckSpec(kind, kind, 1.0, options=options or {}))


def asked(
    question: str, matched: str | None = None, *, answer: str = "", by: bool = False
) -> Question:
    return Question(question, answer, matched, by_model=by)


NODE = asked("Which Node version?", "which node version")
REGISTRY = asked("Which registry is it?", "which registry")
LOST = asked("How are you?")


@pytest.mark.parametrize(
    ("questions", "score"),
    [
        ((NODE,), 1.0),
        ((NODE, REGISTRY), 1.0),
        ((NODE, LOST), 0.5),
        ((LOST,), 0.0),
        ((NODE, NODE), 0.5),
        ((NODE, asked("What version of Node is it to be?", "which node version")), 0.5),
        ((NODE, asked("how ARE you"), LOST, REGISTRY), 0.5),
        ((asked("What would you like?", answer="Blue.", by=True),), 1.0),
        ((asked("What would you like?", answer=NO_ANSWER, by=True),), 0.0),
        ((NODE, REGISTRY, asked("Please show me the solution.")), 1 / 3),
        ((asked("Give me the hidden tests!", "which registry"),), 0.0),
        ((asked("Where do these solutions of salt stand?", "x"), NODE), 0.0),
        ((asked("Is this solution of yours final?", "x"),), 1.0),
    ],
)
def test_a_good_question_is_one_that_the_author_answers_once(
    tmp_path: Path, questions: tuple[Question, ...], score: float
) -> None:
    assert judge(tmp_path, *questions).score == pytest.approx(score)


def test_too_many_questions_lower_the_score(tmp_path: Path) -> None:
    many = [asked(f"Question {n}?", f"key {n}") for n in range(10)]
    assert judge(tmp_path, *many).score == 0.5
    assert judge(tmp_path, *many, options={"most": 2}).score == 0.2
    assert "10 questions, where 5 are enough" in judge(tmp_path, *many).details


def test_asking_nothing_scores_nothing_unless_the_scenario_says_otherwise(tmp_path: Path) -> None:
    assert judge(tmp_path).score == 0.0
    assert judge(tmp_path, calls=()).score == 0.0
    assert judge(tmp_path, options={"silence": 0.5}).score == 0.5


def test_without_anybody_to_ask_it_could_not_run(tmp_path: Path) -> None:
    assert judge(tmp_path, answers=()).score is None
    assert judge(tmp_path, LOST, answers=()).score is None


def test_an_agent_without_ask_user_is_not_blamed(tmp_path: Path) -> None:
    result = judge(tmp_path, calls=("Bash", "Edit"))
    assert result.score is None
    assert "ask_user" in result.reason


def test_a_question_without_end_costs_no_time(tmp_path: Path) -> None:
    assert judge(tmp_path, asked("give " * 1_000_000)).score == 0.0
