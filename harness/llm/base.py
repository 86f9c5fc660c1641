"""A conversation with a model, whoever provides it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from harness.domain.plain_json import no_number

NO_DEADLINE = math.inf


class OutOfBudget(Exception):
    """The gateway let no more requests through: what the run may use is used."""

    def __init__(self, message: str, *, turns: bool) -> None:
        super().__init__(message)
        self.turns = turns
        """It was the turns that ran out, not money, tokens or requests."""


class ContextTooLong(Exception):
    """The conversation is longer than what the model reads."""


class Stop(StrEnum):
    """Why a model stopped writing."""

    DONE = "done"
    """It said what it wanted to say, or waits for its tools."""
    LENGTH = "length"
    """It was cut at the most it may write."""
    REFUSED = "refused"
    """It, or its provider's filter, will not answer."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is told of it."""

    name: str
    description: str
    schema: Mapping[str, object]
    """JSON Schema of its input; it arrives at the provider whole."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A model's wish to call a tool."""

    id: str
    name: str
    arguments: str
    """As the model wrote them: mostly JSON."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool said."""

    use: ToolUse
    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """What the user said, or the harness in the user's place."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolResults:
    """The results of every tool use of the turn before, in its order."""

    results: tuple[ToolResult, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model said."""

    text: str = ""
    tool_uses: tuple[ToolUse, ...] = ()
    stop: Stop = Stop.DONE
    thinking: str = ""
    raw: object = field(default=None, repr=False)
    """The provider's own form of it, sent back as it came; only who made it looks inside."""
    prompt_tokens: int | None = None
    """All that was said before it, from the cache or not, as the provider counted it."""

    @property
    def says_something(self) -> bool:
        """There is anything in it that a provider would take back."""
        return bool(self.text.strip() or self.tool_uses)


Message = User | Turn | ToolResults


class Chat(Protocol):
    """A model that answers; it keeps nothing between two calls."""

    def send(
        self,
        system: str | None,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        timeout_s: float = NO_DEADLINE,
    ) -> Turn:
        """The model's next turn, within `timeout_s` seconds.

        Raises OutOfBudget, ContextTooLong, ProviderFault, and UsageError for a request that the
        gateway does not pass on.
        """
        ...


def whole(text: str) -> str:
    """Text that a stream cut between the halves of a character, put together again."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parsed(arguments: str) -> dict[str, object] | None:
    """A tool's arguments, when they are a JSON object that can be sent again."""
    try:
        value = json.loads(arguments or "{}", parse_constant=no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def object_of(arguments: str) -> dict[str, object]:
    """Arguments as the JSON object that providers want back, whatever the model wrote."""
    value = parsed(arguments)
    return {"malformed_arguments": whole(arguments)} if value is None else value
