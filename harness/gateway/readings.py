"""What the answers of each protocol say about themselves: usage, model, stop, tool calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from harness.domain.model import Api, Usage
from harness.gateway.loose import Object, as_object, dig, objects, whole, word

Paths = Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class Reading:
    """What was read of one answer so far."""

    model: str | None = None
    stop: str | None = None
    service_tier: str | None = None
    speed: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    """Tokens by kind, as the provider counts: the newest figure of each."""
    besides: list[dict[str, int]] = field(default_factory=list)
    """What is charged on top of them, step by step."""
    calls: dict[Hashable, str] = field(default_factory=dict)
    """Names of the tools called, by what tells one call from another."""
    began: bool = False
    """The model has said something."""
    ended: bool = False
    """The end that the protocol foresees was seen."""
    failed: bool = False

    @property
    def complete(self) -> bool:
        """The answer is all there."""
        return self.ended and not self.failed


@dataclass(frozen=True, slots=True)
class Wire:
    """How one protocol is read."""

    event: Callable[[Reading, Object], None]
    body: Callable[[Reading, Object], None]
    cache_in_input: bool
    """Its input tokens include those that were read from or written to the cache."""
    last_word: str | None = None
    """The data of the event that ends a stream, where that is not JSON."""

    def usage(self, reading: Reading) -> Usage | None:
        """The tokens in kinds that never overlap; None when the provider did not say."""
        counts = Counter(reading.counts)
        for step in reading.besides:
            counts.update(step)
        sides = [counts[kind] for kind in ("input", "output") if kind in counts]
        if not sides or (reading.complete and len(sides) == 1):
            return None
        input_tokens, output_tokens = counts.get("input", 0), counts.get("output", 0)
        cached, written = counts.get("cached", 0), counts.get("cache_write", 0)
        if self.cache_in_input and cached + written > input_tokens:
            # parts that are more than the whole: the whole is what is charged
            cached = written = 0
        reasoning = counts.get("reasoning", 0)
        return Usage(
            input_tokens=input_tokens - (cached + written if self.cache_in_input else 0),
            output_tokens=output_tokens,
            cached_tokens=cached,
            cache_write_tokens=written,
            reasoning_tokens=reasoning if reasoning <= output_tokens else 0,
        )


def _counted(usage: object, paths: Paths) -> dict[str, int]:
    found = ((kind, whole(dig(usage, path))) for kind, path in paths.items())
    return {kind: number for kind, number in found if number is not None}


_MESSAGES: Paths = {
    "input": ("input_tokens",),
    "output": ("output_tokens",),
    "cached": ("cache_read_input_tokens",),
    "cache_write": ("cache_creation_input_tokens",),
    "cache_write_1h": ("cache_creation", "ephemeral_1h_input_tokens"),
    "reasoning": ("output_tokens_details", "thinking_tokens"),
}


def _messages_event(reading: Reading, event: Object) -> None:
    kind = event.get("type")
    if kind == "message_start":
        _messages_facts(reading, as_object(event.get("message")))
    elif kind == "content_block_start":
        reading.began = True
        _messages_block(reading, len(reading.calls), as_object(event.get("content_block")))
    elif kind == "content_block_delta":
        reading.began = True
    elif kind == "message_delta":
        reading.stop = word(dig(event, ("delta", "stop_reason"))) or reading.stop
        _messages_counts(reading, event.get("usage"))
    elif kind == "message_stop":
        reading.ended = True
    elif kind == "error":
        reading.failed = True


def _messages_facts(reading: Reading, message: Object) -> None:
    usage = message.get("usage")
    reading.model = word(message.get("model")) or reading.model
    reading.stop = word(message.get("stop_reason")) or reading.stop
    reading.service_tier = word(dig(usage, ("service_tier",))) or reading.service_tier
    reading.speed = word(dig(usage, ("speed",))) or reading.speed
    _messages_counts(reading, usage)


def _messages_counts(reading: Reading, usage: object) -> None:
    """Each figure is the total so far; one that is left out stands as it was."""
    reading.counts |= _counted(usage, _MESSAGES)
    steps = [one for _, one in objects(dig(usage, ("iterations",)))]
    if steps:
        # the provider's own summaries are charged, and are not in the figures at the top
        reading.besides = [
            _counted(step, _MESSAGES) for step in steps if step.get("type") not in {None, "message"}
        ]


def _messages_block(reading: Reading, place: int, block: Object) -> None:
    name = word(block.get("name"))
    if block.get("type") == "tool_use" and name:
        reading.calls[place] = name


def _messages_body(reading: Reading, body: Object) -> None:
    _messages_facts(reading, body)
    for place, block in objects(body.get("content")):
        _messages_block(reading, place, block)


_CHAT: Paths = {
    "input": ("prompt_tokens",),
    "output": ("completion_tokens",),
    "cached": ("prompt_tokens_details", "cached_tokens"),
    "cache_write": ("prompt_tokens_details", "cache_write_tokens"),
    "reasoning": ("completion_tokens_details", "reasoning_tokens"),
}
_CHAT_SAYS = ("content", "refusal", "reasoning", "reasoning_content", "tool_calls", "function_call")


def _chat(reading: Reading, answer: Object) -> None:
    """A chunk of a stream, or a whole answer: they differ in one key."""
    reading.model = word(answer.get("model")) or reading.model
    reading.service_tier = word(answer.get("service_tier")) or reading.service_tier
    # a later figure takes the place of all of an earlier one: some servers count as they go
    reading.counts = _counted(answer.get("usage"), _CHAT) or reading.counts
    reading.failed = reading.failed or bool(answer.get("error"))
    for place, choice in objects(answer.get("choices")):
        said = as_object(choice.get("delta")) or as_object(choice.get("message"))
        reading.began = reading.began or any(said.get(key) for key in _CHAT_SAYS)
        reading.stop = word(choice.get("finish_reason")) or reading.stop
        number = whole(choice.get("index"))
        _chat_calls(reading, place if number is None else number, said)


def _chat_calls(reading: Reading, choice: int, said: Object) -> None:
    for place, call in objects(said.get("tool_calls")):
        number = whole(call.get("index"))
        where = (choice, place if number is None else number)
        name = word(dig(call, ("function", "name"))) or word(dig(call, ("custom", "name")))
        call_id = word(call.get("id"))
        # later pieces of a call may repeat its name, but never bring another id
        if name and (call_id or not _is_begun(reading, where)):
            reading.calls.setdefault((*where, call_id), name)
    if name := word(dig(said, ("function_call", "name"))):
        reading.calls.setdefault(choice, name)


def _is_begun(reading: Reading, where: tuple[int, int]) -> bool:
    return any(isinstance(key, tuple) and key[:2] == where for key in reading.calls)


_RESPONSES: Paths = {
    "input": ("input_tokens",),
    "output": ("output_tokens",),
    "cached": ("input_tokens_details", "cached_tokens"),
    "cache_write": ("input_tokens_details", "cache_write_tokens"),
    "reasoning": ("output_tokens_details", "reasoning_tokens"),
}
_NAMED = ("function_call", "custom_tool_call")
_UNNAMED = {
    "local_shell_call": "local_shell",
    "shell_call": "shell",
    "apply_patch_call": "apply_patch",
    "computer_call": "computer",
}
"""Calls of tools that the client runs and that have no name but their type."""


def _responses_event(reading: Reading, event: Object) -> None:
    kind = word(event.get("type")) or ""
    reading.began = reading.began or kind.endswith(".delta")
    if kind in ("response.output_item.added", "response.output_item.done"):
        reading.began = True
        place = whole(event.get("output_index"))
        if place is not None:
            _responses_item(reading, place, as_object(event.get("item")))
    elif kind in ("response.completed", "response.incomplete", "response.failed"):
        _responses_body(reading, as_object(event.get("response")))
        reading.ended = True
        reading.failed = reading.failed or kind == "response.failed"
    elif kind in ("response.created", "response.in_progress"):
        reading.model = word(dig(event, ("response", "model"))) or reading.model
    elif kind == "error":
        reading.failed = True


def _responses_item(reading: Reading, place: int, item: Object) -> None:
    kind = word(item.get("type")) or ""
    name = word(item.get("name")) if kind in _NAMED else _UNNAMED.get(kind)
    if name:
        reading.calls[place] = name


def _responses_body(reading: Reading, body: Object) -> None:
    reading.model = word(body.get("model")) or reading.model
    reading.service_tier = word(body.get("service_tier")) or reading.service_tier
    reading.counts = _counted(body.get("usage"), _RESPONSES) or reading.counts
    reason = word(dig(body, ("incomplete_details", "reason")))
    reading.stop = reason or word(body.get("status")) or reading.stop
    for place, item in objects(body.get("output")):
        _responses_item(reading, place, item)


WIRES: Mapping[Api, Wire] = {
    Api.MESSAGES: Wire(_messages_event, _messages_body, cache_in_input=False),
    Api.CHAT: Wire(_chat, _chat, cache_in_input=True, last_word="[DONE]"),
    Api.RESPONSES: Wire(_responses_event, _responses_body, cache_in_input=True),
}
