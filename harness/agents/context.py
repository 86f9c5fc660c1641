"""A conversation that stays below what its model can read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from harness.agents.tools import cut_middle
from harness.llm.base import Message, ToolResult, ToolResults, Turn, User

WINDOW_TOKENS = 128_000
"""Of a model that nobody knows more about."""

CHARACTERS_PER_TOKEN = 4.0
DENSEST, THINNEST = 0.5, 10.0
"""No text is outside of these, whatever a server counts."""
FULL = 0.8
"""The share of the window at which room is made; the answer needs some as well."""
LEFT = 0.5
"""The share that may be full then: big steps, for each one costs the provider's cache."""
KEPT_TURNS = 3
"""The last turns, which stay whole unless nothing else helps."""

SHORTEST = 200
"""Characters of a long output that are always left."""

PLACEHOLDER = "[output of {} left out to save room; call again if needed]"
DROPPED = User("[earlier turns of this conversation were left out to save room]")


@dataclass(slots=True)
class Conversation:
    """Messages, and how many tokens they are thought to be."""

    messages: list[Message]
    window_tokens: int = WINDOW_TOKENS
    around: int = 0
    """Characters of the system prompt and the tools, which go with every request."""
    per_token: float = field(default=CHARACTERS_PER_TOKEN)
    _size: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._size = size_of(self.messages)

    @property
    def tokens(self) -> float:
        """An estimate, calibrated by what the provider counted last."""
        return (self._size + self.around) / self.per_token

    def add(self, *messages: Message) -> None:
        """What was said next."""
        for message in messages:
            if isinstance(message, Turn) and message.prompt_tokens:
                measured = (self._size + self.around) / message.prompt_tokens
                self.per_token = min(max(measured, DENSEST), THINNEST)
            self.messages.append(message)
            self._size += size_of((message,))

    def make_room(self) -> str | None:
        """Leave old things out once the window is nearly full; says what, if it did."""
        if self.tokens < FULL * self.window_tokens:
            return None
        return self.shrink_to(LEFT * self.window_tokens)

    def overflowed(self) -> str | None:
        """The model would not read it: make it a third smaller, and believe in less room."""
        self.window_tokens = min(self.window_tokens, int(self.tokens))
        return self.shrink_to(self.tokens * 2 / 3)

    def shrink_to(self, tokens: float) -> str | None:
        """Leave out as much as it takes, oldest first; says what was left out, if anything."""
        target = int(tokens * self.per_token) - self.around
        shorter, what = shrunk(self.messages, target)
        if what is None:
            return None
        before = self.tokens
        self.messages, self._size = shorter, size_of(shorter)
        return f"left out {what} to save room: about {before:.0f} tokens became {self.tokens:.0f}"


def size_of(messages: Sequence[Message]) -> int:
    """Characters that a provider is sent for them, more or less."""
    return sum(map(_size, messages))


def shrunk(messages: Sequence[Message], target: int) -> tuple[list[Message], str | None]:
    """The messages in `target` characters, if that can be, and what was left out of them.

    Outputs of old tool calls go first, then whole old turns with their results, so that no use
    is without its result; the task stays, and of the last turns only long outputs are cut.
    """
    task, groups = messages[0], _grouped(messages[1:])
    old, kept = groups[:-KEPT_TURNS], groups[-KEPT_TURNS:]
    size = size_of(messages)
    emptied = cut = 0
    for index, group in enumerate(old):
        if size > target:
            old[index] = [_emptied(message) for message in group]
            emptied += _differences(group, old[index])
            size += size_of(old[index]) - size_of(group)
    gone: list[Message] = []
    while old and size > target:
        gone += old[0]
        size -= size_of(old.pop(0))
    marked = [DROPPED] if gone else []
    if size > target:
        room = target - size_of([task, *marked])
        whole, kept = kept, _cut(kept, room)
        cut = sum(_differences(a, b) for a, b in zip(whole, kept, strict=True))
    said = [
        f"{count} {what}"
        for count, what in (
            (emptied, "old tool outputs"),
            (sum(isinstance(m, Turn) for m in gone), "old turns"),
            (cut, "middles of long outputs"),
        )
        if count
    ]
    return [task, *marked, *(m for group in old + kept for m in group)], ", ".join(said) or None


def _grouped(messages: Sequence[Message]) -> list[list[Message]]:
    """Each turn with what follows it up to the next one."""
    groups: list[list[Message]] = []
    for message in messages:
        if isinstance(message, Turn) or not groups:
            groups.append([])
        groups[-1].append(message)
    return groups


def _emptied(message: Message) -> Message:
    if not isinstance(message, ToolResults):
        return message
    return ToolResults(tuple(_placeheld(result) for result in message.results))


def _placeheld(result: ToolResult) -> ToolResult:
    text = PLACEHOLDER.format(result.use.name)
    return replace(result, text=text) if len(text) < len(result.text) else result


def _cut(groups: list[list[Message]], room: int) -> list[list[Message]]:
    results = [r for g in groups for m in g if isinstance(m, ToolResults) for r in m.results]
    long = sum(len(result.text) for result in results)
    others = sum(map(size_of, groups)) - long
    each = max((room - others) // max(len(results), 1), SHORTEST)

    def cut(message: Message) -> Message:
        if not isinstance(message, ToolResults):
            return message
        shorter = (replace(r, text=_shorter(r.text, each)) for r in message.results)
        return ToolResults(tuple(shorter))

    return [[cut(message) for message in group] for group in groups]


def _shorter(text: str, limit: int) -> str:
    shorter = cut_middle(text, limit)
    return shorter if len(shorter) < len(text) else text


def _differences(before: Sequence[Message], after: Sequence[Message]) -> int:
    pairs = (
        (a, b)
        for old, new in zip(before, after, strict=True)
        if isinstance(old, ToolResults) and isinstance(new, ToolResults)
        for a, b in zip(old.results, new.results, strict=True)
    )
    return sum(a != b for a, b in pairs)


def _size(message: Message) -> int:
    match message:
        case User():
            return len(message.text)
        case ToolResults():
            return sum(len(result.text) for result in message.results)
        case Turn(raw=None):
            return len(message.text) + sum(len(use.arguments) for use in message.tool_uses)
    return len(json.dumps(message.raw, ensure_ascii=False, default=str))
