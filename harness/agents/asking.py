"""Answers to an agent's questions, from what the scenario's author knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from harness.domain.scenario import Oracle
from harness.domain.session import Question

MAX_QUESTIONS = 20
SHARE_OF_KEY = 0.7
SHARE_OF_QUESTION = 0.2
MIN_COMMON = 2
SHORTEST_PLURAL = 4
NO_ANSWER = "I have nothing to add to the task. Use your best judgement."
ENOUGH = "You have asked enough. Use your best judgement."

_FILLER = frozenset({
    "a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "could", "do", "does",
    "for", "from", "have", "how", "i", "if", "in", "is", "it", "me", "my", "of", "on", "or",
    "our", "please", "shall", "should", "that", "the", "there", "this", "to", "us", "want",
    "we", "what", "when", "where", "which", "who", "will", "with", "would", "you", "your",
})  # fmt: skip


class Person(Protocol):
    """Somebody who answers what is not written down word by word."""

    def answer(self, question: str, earlier: Sequence[Question]) -> str:
        """What they say; raises ProviderFault and UsageError."""
        ...


def ask(
    oracle: Oracle, question: str, earlier: Sequence[Question], person: Person | None = None
) -> Question:
    """What is written down word by word, else what the person says, else what comes near."""
    if len(earlier) >= MAX_QUESTIONS or person is None or _exact(oracle, question):
        return answer(oracle, question, asked_before=len(earlier))
    return Question(question, person.answer(question, earlier), None, by_model=True)


def answer(oracle: Oracle, question: str, *, asked_before: int) -> Question:
    """The answer whose key is the question, or shares most of its words with it."""
    if asked_before >= MAX_QUESTIONS:
        return Question(question, ENOUGH, None)
    best = _exact(oracle, question) or sorted(
        (key for key, _ in oracle.answers if _fits(_meaning(key), _meaning(question))),
        key=lambda key: (-len(_meaning(key) & _meaning(question)), key),
    )
    if not best:
        return Question(question, NO_ANSWER, None)
    return Question(question, dict(oracle.answers)[best[0]], best[0])


def _exact(oracle: Oracle, question: str) -> list[str]:
    words = _words(question)
    return [key for key, _ in oracle.answers if words and _words(key) == words]


def _fits(key: frozenset[str], question: frozenset[str]) -> bool:
    # both shares are asked for: a short question must not open a long key, and a question that
    # lists every word there is must not open all of them
    if key == question:
        return any(len(word) >= SHORTEST_PLURAL for word in key)
    common = len(key & question)
    return (
        common >= MIN_COMMON
        and common >= SHARE_OF_KEY * len(key)
        and common >= SHARE_OF_QUESTION * len(question)
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", text.casefold()))


def _meaning(text: str) -> frozenset[str]:
    return frozenset(_singular(word) for word in _words(text) if word not in _FILLER)


def _singular(word: str) -> str:
    return word[:-1] if len(word) >= SHORTEST_PLURAL and word.endswith("s") else word
