"""What an agent did: how it ended, what it said and called, what it used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.domain.artifact import Artifact
from harness.domain.model import ModelUse, Usage


class Ending(StrEnum):
    """Why the session stopped; every member has a row in `failures.TABLE`."""

    FINISHED = "finished"
    TIMED_OUT = "timed_out"
    TURN_LIMIT = "turn_limit"
    BUDGET = "budget"
    REFUSED = "refused"
    BROKE_SANDBOX = "broke_sandbox"
    PROVIDER_FAILED = "provider_failed"
    AGENT_ERROR = "agent_error"
    INTERRUPTED = "interrupted"


class Role(StrEnum):
    """Who speaks in a transcript entry."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transcript; `text` of a tool call is its input as JSON."""

    role: Role
    text: str
    at_s: float
    tool: str | None = None
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Something the agent asked the user, and what it was told."""

    question: str
    answer: str
    matched: str | None
    """The oracle's key that answered, or None when nothing fitted."""
    by_model: bool = False
    """A model that plays the user answered."""


@dataclass(frozen=True, slots=True)
class ToolCount:
    """How often a tool was called, and how often it answered with an error."""

    tool: str
    calls: int
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """What an agent's own program says it used: shown beside the gateway's figures, never used."""

    usage: Usage | None = None
    cost_usd: float | None = None
    turns: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """The agent's side of a run; `cost_usd` is None when no price is known."""

    ending: Ending
    duration_s: float
    transcript: tuple[Entry, ...] = ()
    """Empty once it is kept as `log`."""
    log: Artifact | None = None
    """The transcript as JSON lines."""
    calls: tuple[ToolCount, ...] = ()
    questions: tuple[Question, ...] = ()
    usage: Usage | None = None
    cost_usd: float | None = None
    detail: str = ""
    model_use: ModelUse | None = None
    """The gateway's figures; `usage` and `cost_usd` are theirs too."""
    reported: Reported | None = None
    user_use: ModelUse | None = None
    """What the model that plays the user used: no part of the agent's."""
    recording: Artifact | None = None
    """Every exchange with a model, enough to repeat the run without it."""

    @property
    def tool_calls(self) -> int:
        """How many tools the agent called."""
        return sum(count.calls for count in self.calls)


def count_calls(transcript: Iterable[Entry]) -> tuple[ToolCount, ...]:
    """The tools that a transcript calls, in the order of their first call."""
    counts: dict[str, ToolCount] = {}
    for entry in transcript:
        name = entry.tool or ""
        count = counts.get(name, ToolCount(name, 0))
        if entry.role is Role.TOOL_CALL:
            counts[name] = replace(count, calls=count.calls + 1)
        elif entry.role is Role.TOOL_RESULT and entry.is_error:
            counts[name] = replace(count, errors=count.errors + 1)
    return tuple(counts.values())
