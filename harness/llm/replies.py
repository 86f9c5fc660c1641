"""One JSON object of a model: asked for, read as it stands, and asked for again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from harness.domain.plain_json import no_number
from harness.llm.base import ContextTooLong, Message, Stop, Turn, User

REPAIRS = 2
"""How often an answer that cannot be used may be mended."""
ROOMS = (1.0, 0.4, 0.15)
"""Of the usual size of a question, for models that cannot read so much."""
REPLY_CHARS = 100_000
MOST_PROBLEMS = 20

_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)


class NoAnswer(Exception):
    """The model refuses, or was asked often enough; the message says which."""


class Reading(Protocol):
    """What was read of a reply: it can be used when nothing is wrong with it."""

    @property
    def problems(self) -> Sequence[str]:
        """Everything that is wrong, as sentences for the model."""
        ...


R = TypeVar("R", bound=Reading)


def ask(
    send: Callable[[Sequence[Message]], Turn],
    questions: Iterable[str],
    read: Callable[[Turn], R],
    *,
    task: str,
) -> R:
    """The first reply that can be used; one that cannot is asked for again, a few times.

    Of the questions, which get shorter, the first that the model can read is put; `task` says what
    they ask it to do. Raises NoAnswer, ContextTooLong, and what `send` raises.
    """
    messages, turn = _first(send, questions)
    for left in reversed(range(REPAIRS + 1)):
        if turn.stop is Stop.REFUSED:
            raise NoAnswer(f"it refuses to {task}")
        found = read(turn)
        if not found.problems:
            return found
        if left:
            said = Turn(turn.text[:REPLY_CHARS] if turn.text.strip() else "(nothing)")
            messages += [said, User(_again(found.problems))]
            turn = send(messages)
    raise NoAnswer(
        f"no answer that can be used, asked {REPAIRS + 1} times; at last: {found.problems[0]}"
    )


def json_object(reply: str, most_chars: int = REPLY_CHARS) -> dict[str, Any]:
    """The reply as JSON, fenced or not; raises ValueError or RecursionError.

    Not the first object in it: that may be one of the agent's, repeated.
    """
    if len(reply) > most_chars:
        raise ValueError("too long")
    plain = reply.strip()
    fenced = _FENCED.fullmatch(plain)
    found = json.loads(
        fenced[1] if fenced else plain,
        parse_constant=no_number,
        object_pairs_hook=_once,
        strict=False,  # models write line ends into texts as they are
    )
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004  # one kind of bad reply among others
    return found


def _first(
    send: Callable[[Sequence[Message]], Turn], questions: Iterable[str]
) -> tuple[list[Message], Turn]:
    shorter = iter(questions)
    messages: list[Message] = [User(next(shorter))]
    while True:
        try:
            return messages, send(messages)
        except ContextTooLong:
            text = next(shorter, None)
            if text is None:
                raise
            messages = [User(text)]


def _again(problems: Sequence[str]) -> str:
    listed = "\n".join(f"- {problem}" for problem in problems)
    return f"That is not an answer that can be used:\n{listed}\nGive the whole JSON object again."


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found
