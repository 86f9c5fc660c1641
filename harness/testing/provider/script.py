"""What the double answers: values that a test writes down, and two ways to choose among them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.domain.model import Usage
from harness.testing.provider.seen import Seen

SOME_USAGE = Usage(input_tokens=100, output_tokens=20)


class Stop(StrEnum):
    """Why an answer ends before it is done, in each protocol's own word."""

    LENGTH = "length"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; arguments that are text go out as they are, however broken.

    Where the request declares the tool as free-form, its input is `arguments["input"]` or the text.
    """

    name: str
    arguments: Mapping[str, Any] | str = "{}"

    @property
    def text(self) -> str:
        """The arguments as the wire has them."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True, slots=True)
class Says:
    """An answer of the model."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    thinking: str = ""
    """Chat Completions carries it as `reasoning`, as OpenRouter and vLLM do."""
    usage: Usage | None = SOME_USAGE
    """None leaves it out, as some compatible servers do."""
    stop: Stop | str | None = None
    """A plain text is the provider's own word; None fits the answer."""
    delay_s: float = 0
    """Before the first byte."""
    pieces: int = 3
    """In how many deltas each text comes when it is streamed."""
    pause_s: float = 0
    """Before each delta."""


@dataclass(frozen=True, slots=True)
class Fails:
    """An error response with the provider's body."""

    status: int
    message: str
    kind: str | None = None
    """Anthropic's `type` or OpenAI's `code`; None is the usual one of the status."""
    retry_after: float | None = None
    """Seconds."""
    should_retry: bool | None = None
    """The `x-should-retry` header, which the official SDKs put above the status."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """The 400 for a conversation beyond the context window, as each provider puts it."""

    tokens: int = 210_000
    limit: int = 200_000


@dataclass(frozen=True, slots=True)
class Cuts:
    """An answer that breaks off: after some events, or half-way through a body without them."""

    answer: Says
    after_events: int
    error: Fails | None = None
    """Told as an event of the stream at the end of what was sent; None closes the connection."""


@dataclass(frozen=True, slots=True)
class Hangs:
    """Silence, then a 504; ends at once when the double is closed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that are no answer."""

    data: bytes
    status: int = 200
    content_type: str = "application/json"


Answer = Says | Fails | TooLong | Cuts | Hangs | Garbage

Script = Callable[[Seen, int], Answer]
"""The answer to a completion request and its number from 0; called one at a time."""

ASIDE = Says("All right.", usage=Usage(input_tokens=20, output_tokens=3))


def plays(*answers: Answer) -> Script:
    """The answers in the order of the requests."""

    def answer(_seen: Seen, number: int) -> Answer:
        return answers[number] if number < len(answers) else _ended(number, len(answers))

    return answer


def by_turn(*answers: Answer, aside: Answer | Sequence[Answer] = ASIDE) -> Script:
    """The answer to the nth turn of whatever conversation asks; `aside` where no tool is offered.

    Nothing is remembered: parallel runs, repeated requests and replays get along on one script.
    Only of several asides is it known how many were given; the last one is given ever after.
    """
    asides = list(aside) if isinstance(aside, Sequence) else [aside]

    def answer(seen: Seen, _number: int) -> Answer:
        if not seen.offers_tools:
            return asides.pop(0) if len(asides) > 1 else asides[0]
        turn = seen.turns
        return answers[turn] if turn < len(answers) else _ended(turn, len(answers))

    return answer


def _ended(asked: int, held: int) -> Fails:
    message = f"the script has ended: it holds {held} answers, and number {asked + 1} is asked for"
    return Fails(500, message, should_retry=False)
