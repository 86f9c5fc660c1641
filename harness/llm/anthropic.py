"""Models behind the Anthropic Messages protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

import anthropic
import httpx2
from anthropic.types import RawMessageStreamEvent

from harness.domain.model import ModelSettings
from harness.llm.base import (
    NO_DEADLINE,
    Message,
    Stop,
    ToolResults,
    ToolSpec,
    ToolUse,
    Turn,
    User,
    object_of,
    whole,
)
from harness.llm.wire import GARBLED, PATIENCE, BrokenOff, Connection, Patience, cut_after, meaning

MAX_TOKENS = 8192
"""What a model may write when nobody said: the protocol wants a number."""

Block = dict[str, Any]
_CACHED = {"type": "ephemeral"}
_CACHED_MESSAGES = 2
_STOPS = {
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.LENGTH,
    "refusal": Stop.REFUSED,
}


class AnthropicChat:
    """Streams, because long answers outlive the time-outs on the way of one that does not."""

    def __init__(
        self,
        connection: Connection,
        model: str,
        settings: ModelSettings,
        patience: Patience = PATIENCE,
    ) -> None:
        self._connection = connection
        self._model = model
        self._settings = settings
        self._patience = patience
        self._client = anthropic.Anthropic(
            api_key=connection.api_key,
            base_url=connection.base_url,
            http_client=connection.open(),
            max_retries=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def send(
        self,
        system: str | None,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        timeout_s: float = NO_DEADLINE,
    ) -> Turn:
        """The model's next turn."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": _messages(messages),
            **_settings(self._settings),
        }
        if system:
            body["system"] = [{"type": "text", "text": system, "cache_control": _CACHED}]
        if tools:
            body["tools"] = _tools(tools)
        return self._patience.ask(lambda left_s: self._request(body, left_s), timeout_s)

    def _request(self, body: dict[str, Any], left_s: float) -> Turn:
        try:
            stream = self._client.messages.create(
                **body, stream=True, timeout=min(left_s, self._connection.timeout_s)
            )
            with stream, cut_after(stream.response, left_s):
                return _gather(cast("Iterable[RawMessageStreamEvent]", stream))
        except anthropic.APIStatusError as error:
            raise meaning(error.response, _in_stream(error)) from error
        except (anthropic.APIError, httpx2.HTTPError, ValueError, RecursionError) as error:
            # the SDK lets a broken body's HTTP and JSON errors through as they are
            raise BrokenOff(f"no whole answer: {type(error).__name__}: {error!s:.200}") from error


def _settings(settings: ModelSettings) -> dict[str, Any]:
    fields: dict[str, Any] = {"max_tokens": settings.max_output_tokens or MAX_TOKENS}
    if settings.temperature is not None:
        # the SDK has no parameter for it any more, the protocol's older models do
        fields["extra_body"] = {"temperature": settings.temperature}
    if settings.reasoning_effort == "none":
        fields["thinking"] = {"type": "disabled"}
    elif settings.reasoning_effort is not None:
        fields["thinking"] = {"type": "adaptive", "display": "summarized"}
        fields["output_config"] = {"effort": settings.reasoning_effort}
    return fields


def _tools(tools: Sequence[ToolSpec]) -> list[Block]:
    blocks: list[Block] = [
        {"name": t.name, "description": t.description, "input_schema": dict(t.schema)}
        for t in tools
    ]
    blocks[-1]["cache_control"] = _CACHED
    return blocks


def _messages(messages: Sequence[Message]) -> list[Block]:
    """The conversation, with its last two user sides marked: one to read from, one to write."""
    sides: list[Block] = []
    for message in messages:
        role = "assistant" if isinstance(message, Turn) else "user"
        if isinstance(message, Turn) and not message.says_something:
            continue
        if sides and sides[-1]["role"] == role:
            sides[-1]["content"] += _blocks(message)
        else:
            sides.append({"role": role, "content": _blocks(message)})
    for side in [s for s in sides if s["role"] == "user"][-_CACHED_MESSAGES:]:
        side["content"][-1] = {**side["content"][-1], "cache_control": _CACHED}
    return sides


def _blocks(message: Message) -> list[Block]:
    match message:
        case User():
            return [{"type": "text", "text": message.text}]
        case ToolResults():
            return [
                {
                    "type": "tool_result",
                    "tool_use_id": result.use.id,
                    "content": result.text or "(empty)",
                    "is_error": result.is_error,
                }
                for result in message.results
            ]
        case Turn(raw=tuple() as raw):
            return list(raw)
    text = [{"type": "text", "text": message.text}] if message.text.strip() else []
    return text + [_tool_use(use) for use in message.tool_uses]


def _tool_use(use: ToolUse) -> Block:
    return {
        "type": "tool_use",
        "id": use.id,
        "name": use.name,
        "input": object_of(use.arguments),
    }


@dataclass(slots=True)
class _Answer:
    """An answer as its events come in; tool arguments stay text, for the SDK would mend them."""

    blocks: list[Block] = field(default_factory=list)
    arguments: dict[int, str] = field(default_factory=dict)
    stop: str | None = None
    prompt_tokens: int = 0
    ended: bool = False

    def take(self, event: RawMessageStreamEvent) -> None:
        """Add one event."""
        match event.type:
            case "message_start":
                self._count(event.message)
            case "content_block_start":
                self.blocks.append(event.content_block.to_dict(mode="json", warnings=False))
            case "content_block_delta":
                self._grow(event.index, event.delta.to_dict(mode="json", warnings=False))
            case "message_delta":
                self.stop = event.delta.stop_reason
                self._count(event)
            case "message_stop":
                self.ended = True

    def _grow(self, index: int, delta: Block) -> None:
        block = self.blocks[index]
        match delta["type"]:
            case "text_delta":
                block["text"] += delta["text"]
            case "thinking_delta":
                block["thinking"] += delta["thinking"]
            case "signature_delta":
                block["signature"] = delta["signature"]
            case "input_json_delta":
                self.arguments[index] = self.arguments.get(index, "") + delta["partial_json"]

    def _count(self, told: object) -> None:
        # a compatible server may leave usage out; what a later event repeats is cumulative
        usage = getattr(told, "usage", None)
        read = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        prompt = sum(getattr(usage, name, None) or 0 for name in read)
        self.prompt_tokens = max(self.prompt_tokens, prompt)

    def turn(self) -> Turn:
        """The whole of it."""
        raw: list[Block] = []
        uses: list[ToolUse] = []
        for index, block in enumerate(self.blocks):
            kept = block
            if block["type"] == "tool_use":
                uses.append(ToolUse(block["id"], block["name"], self.arguments.get(index, "")))
                kept = {**block, "input": object_of(uses[-1].arguments)}
            elif block["type"] == "text":
                kept = {**block, "text": whole(block["text"])}
                if not kept["text"].strip():
                    continue  # the provider does not take back what it sent here
            raw.append(kept)
        return Turn(
            text="".join(b["text"] for b in raw if b["type"] == "text"),
            tool_uses=tuple(uses),
            stop=_STOPS.get(self.stop or "", Stop.DONE),
            thinking="\n".join(whole(b["thinking"]) for b in raw if b["type"] == "thinking"),
            raw=tuple(raw),
            prompt_tokens=self.prompt_tokens or None,
        )


def _gather(stream: Iterable[RawMessageStreamEvent]) -> Turn:
    answer = _Answer()
    for event in stream:
        try:
            answer.take(event)
        except GARBLED as error:
            raise BrokenOff(f"no whole answer: {event!r:.80} is no piece of one") from error
    if not answer.ended:
        raise BrokenOff("no whole answer: the stream ended early")
    return answer.turn()


def _in_stream(error: anthropic.APIStatusError) -> str:
    """The message of an error that came as an event of a stream which began well."""
    body = error.body
    inner = body.get("error") if isinstance(body, dict) else None
    return str(inner.get("message", "")) if isinstance(inner, dict) else ""
