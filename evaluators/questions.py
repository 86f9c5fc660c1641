"""user_questions_quality: did the agent ask what the scenario's author has an answer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.agents.asking import ENOUGH, NO_ANSWER
from harness.agents.tools import toolbox
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.domain.session import Question, Session
from harness.evaluate import Cost, Evidence, not_run, scored

MOST = 5
"""Questions that nobody minds."""
PENALTY = 1.0
SHOWN_CHARS = 120
READ_CHARS = 2000

_SPACE = re.compile(r"[^\W_]+")
_WANTS = frozenset({
    "give", "show", "send", "tell", "paste", "provide", "share", "reveal", "write", "post",
    "what", "where", "which", "see", "have", "need",
})  # fmt: skip
_SPOILS = frozenset({
    "solution", "solutions", "diff", "patch", "answer key", "answers", "hidden test",
    "hidden tests", "reference implementation", "full code", "finished code", "complete code",
    "correct code", "expected output of the tests", "grading",
})  # fmt: skip


class QuestionsEvaluator:
    """Score = (answered once - asked for the solution) / asked, and x most / asked above `most`."""

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Look at every question and at what it was answered."""
        session = evidence.work.session
        if evidence.untouched or session is None:
            return not_run(check, "nobody worked on the untouched fixture")
        if not (evidence.scenario.oracle.answers or _was_answered(session)):
            return not_run(check, "the scenario has no answers, so there was nobody to ask")
        if not session.questions:
            if not _could_ask(session):
                return not_run(check, "the agent's tools have no ask_user")
            silence = float(check.options.get("silence", 0.0))
            return scored(check, silence, "nothing was asked, though there were answers")
        judged = list(_judged(session.questions))
        asked, most = len(judged), int(check.options.get("most", MOST))
        score = max(0.0, sum(worth for worth, _ in judged) / asked) * min(1.0, most / asked)
        lines = [
            f"{'✓' if worth > 0 else '✗'} {why}: {question.question[:SHOWN_CHARS]}"
            for question, (worth, why) in zip(session.questions, judged, strict=True)
        ]
        if asked > most:
            lines.append(f"{asked} questions, where {most} are enough")
        return scored(check, score, *lines)


def _was_answered(session: Session) -> bool:
    return any(each.matched is not None or each.by_model for each in session.questions)


def _could_ask(session: Session) -> bool:
    """An agent that calls tools, but none of ours, has its own ones: no `ask_user` is in them."""
    called = {count.tool for count in session.calls}
    return not called or bool(called & toolbox().keys())


def _judged(questions: Sequence[Question]) -> Iterator[tuple[float, str]]:
    seen = set[str]()
    for each in questions:
        words = _words(each.question)
        marks = {" ".join(words), *([f"key {each.matched}"] if each.matched is not None else ())}
        if _asks_for_the_solution(words):
            yield -PENALTY, "asks for the solution"
        elif marks & seen:
            yield 0.0, "asked before"
        elif each.matched is not None:
            yield 1.0, "answered"
        elif each.by_model and each.answer not in (NO_ANSWER, ENOUGH):
            yield 1.0, "answered by the person"
        else:
            yield 0.0, "nobody has an answer"
        seen |= marks


def _asks_for_the_solution(words: Sequence[str]) -> bool:
    text = f" {' '.join(words)} "
    return bool(_WANTS & set(words)) and any(f" {each} " in text for each in _SPOILS)


def _words(text: str) -> Sequence[str]:
    return _SPACE.findall(text[:READ_CHARS].casefold())
