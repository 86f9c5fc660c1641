from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from harness.llm.base import ContextTooLong, Message, Stop, Turn, User
from harness.llm.replies import REPLY_CHARS, NoAnswer, ask, json_object

QUESTIONS = ("a long question", "a short one")


@dataclass(slots=True)
class Model:
    """Says one thing after the other, and reads only so much."""

    replies: Sequence[Turn]
    reads: int = 100
    heard: list[Sequence[Message]] = field(default_factory=list)

    def __call__(self, messages: Sequence[Message]) -> Turn:
        if any(isinstance(each, User) and len(each.text) > self.reads for each in messages[:1]):
            raise ContextTooLong("too long")
        self.heard.append(list(messages))
        return self.replies[len(self.heard) - 1]


@dataclass(frozen=True, slots=True)
class Read:
    text: str
    problems: tuple[str, ...]


def read(turn: Turn) -> Read:
    return Read(turn.text, () if turn.text == "yes" else (f"{turn.text!r} is not yes",))


def test_a_reply_that_cannot_be_used_is_asked_for_again_with_what_is_wrong() -> None:
    model = Model([Turn(""), Turn("no"), Turn("yes")])

    assert ask(model, QUESTIONS, read, task="agree").text == "yes"

    first, mended, question = model.heard[2][0], model.heard[2][3], model.heard[2][4]
    assert first == User("a long question")
    assert model.heard[1][1] == Turn("(nothing)")
    assert mended == Turn("no")
    assert isinstance(question, User)
    assert "- 'no' is not yes" in question.text


def test_a_reply_without_end_is_not_sent_back_whole() -> None:
    model = Model([Turn("x" * (REPLY_CHARS + 1)), Turn("yes")])

    ask(model, QUESTIONS, read, task="agree")

    assert model.heard[1][1] == Turn("x" * REPLY_CHARS)


def test_a_model_is_asked_three_times_and_not_more() -> None:
    model = Model([Turn("no"), Turn("never"), Turn("not yet"), Turn("yes")])

    with pytest.raises(NoAnswer, match="asked 3 times; at last: 'not yet' is not yes"):
        ask(model, QUESTIONS, read, task="agree")


def test_a_model_that_refuses_is_not_asked_again() -> None:
    model = Model([Turn("yes", stop=Stop.REFUSED)])

    with pytest.raises(NoAnswer, match=r"^it refuses to agree$"):
        ask(model, QUESTIONS, read, task="agree")
    assert len(model.heard) == 1


def test_the_first_question_that_a_model_can_read_is_put() -> None:
    model = Model([Turn("yes")], reads=len(QUESTIONS[1]))

    ask(model, QUESTIONS, read, task="agree")

    assert model.heard == [[User("a short one")]]
    with pytest.raises(ContextTooLong):
        ask(Model([], reads=3), QUESTIONS, read, task="agree")


@pytest.mark.parametrize(
    "reply", ['{"a": "b\nc"}', ' \n{"a": "b\nc"}', '```JSON\n{"a": "b\nc"}\n```']
)
def test_an_object_is_read_with_line_ends_in_its_texts_and_a_fence_around_it(reply: str) -> None:
    assert json_object(reply) == {"a": "b\nc"}


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "[]",
        'So: {"a": 1}',
        '{"a": 1} {"b": 2}',
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        "[" * 100_000,
    ],
    ids=["nothing", "a list", "prose", "two", "a key twice", "no number", "deep"],
)
def test_what_is_not_one_object_alone_is_refused(reply: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        json_object(reply)


def test_a_reply_without_end_is_not_parsed() -> None:
    with pytest.raises(ValueError, match="too long"):
        json_object('{"a": "xxxx"}', 10)
