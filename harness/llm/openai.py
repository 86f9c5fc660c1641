"""Models behind OpenAI's Chat Completions protocol, whoever speaks it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk

from harness.domain.model import ModelRef, ModelSettings
from harness.llm.base import (
    NO_DEADLINE,
    ContextTooLong,
    Message,
    Stop,
    ToolResults,
    ToolSpec,
    ToolUse,
    Turn,
    User,
    object_of,
    parsed,
    whole,
)
from harness.llm.wire import (
    GARBLED,
    PATIENCE,
    BrokenOff,
    Connection,
    Patience,
    cut_after,
    is_too_long,
    meaning,
)

Part = dict[str, Any]
_STOPS = {"length": Stop.LENGTH, "content_filter": Stop.REFUSED}
_PLACE = ("type", "index")
_GROWING = ("text", "summary", "data")
"""Fields of reasoning details that come in pieces; pieces of one detail share its place."""


class OpenAIChat:
    """Serves OpenAI, OpenRouter and every endpoint that is compatible with them."""

    def __init__(
        self,
        connection: Connection,
        model: ModelRef,
        settings: ModelSettings,
        patience: Patience = PATIENCE,
    ) -> None:
        self._connection = connection
        self._model = model
        self._settings = settings
        self._patience = patience
        self._client = openai.OpenAI(
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
        head: list[Part] = [{"role": "system", "content": system}] if system else []
        body: dict[str, Any] = {
            "model": self._model.name,
            "messages": head + [part for message in messages for part in _parts(message)],
            "stream_options": {"include_usage": True},
            **_settings(self._model, self._settings),
        }
        if tools:
            body["tools"] = [_tool(tool) for tool in tools]
        return self._patience.ask(
            lambda left_s: self._request(body, left_s, len(messages)),
            timeout_s,
        )

    def _request(self, body: dict[str, Any], left_s: float, number: int) -> Turn:
        try:
            stream = self._client.chat.completions.create(
                **body, stream=True, timeout=min(left_s, self._connection.timeout_s)
            )
            with stream, cut_after(stream.response, left_s):
                return _gather(cast("Iterable[ChatCompletionChunk]", stream), number)
        except openai.APIStatusError as error:
            raise meaning(error.response) from error
        except (openai.APIError, httpx2.HTTPError, ValueError, RecursionError) as error:
            said = f"{error!s:.200}"
            if isinstance(error, openai.APIError) and is_too_long(f"{error.code} {said}"):
                raise ContextTooLong(said) from error
            raise BrokenOff(f"no whole answer: {type(error).__name__}: {said}") from error


def _settings(model: ModelRef, settings: ModelSettings) -> dict[str, Any]:
    official = model.provider == "openai" and model.endpoint is None
    routed = model.provider == "openrouter"
    extra: dict[str, Any] = {}
    fields: dict[str, Any] = {"temperature": settings.temperature, "seed": settings.seed}
    # OpenAI's reasoning models take the newer name only, some compatible servers the older one
    fields["max_completion_tokens" if official else "max_tokens"] = settings.max_output_tokens
    if routed and settings.reasoning_effort is not None:
        extra["reasoning"] = {"effort": settings.reasoning_effort}
    else:
        fields["reasoning_effort"] = settings.reasoning_effort
    if routed and model.name.startswith("anthropic/"):
        # these models cache on request only; OpenRouter sets the marks itself
        extra["cache_control"] = {"type": "ephemeral"}
    asked = {name: value for name, value in fields.items() if value is not None}
    return {**asked, "extra_body": extra} if extra else asked


def _tool(tool: ToolSpec) -> Part:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.schema),
    }
    return {"type": "function", "function": function}


def _parts(message: Message) -> list[Part]:
    match message:
        case User():
            return [{"role": "user", "content": message.text}]
        case ToolResults():
            return [
                {"role": "tool", "tool_call_id": r.use.id, "content": r.text or "(empty)"}
                for r in message.results
            ]
        case Turn(raw=dict() as raw):
            return [raw] if message.says_something else []
    return [_assistant(message.text, message.tool_uses)] if message.says_something else []


def _assistant(text: str, uses: Sequence[ToolUse]) -> Part:
    part: Part = {"role": "assistant", "content": text or None}
    if uses:
        part["tool_calls"] = [
            {
                "id": use.id,
                "type": "function",
                "function": {"name": use.name, "arguments": _sendable(use.arguments)},
            }
            for use in uses
        ]
    return part


def _sendable(arguments: str) -> str:
    """The model's own words where they are a JSON object: some servers parse what comes back."""
    if arguments and parsed(arguments) is not None:
        return arguments
    return json.dumps(object_of(arguments))


@dataclass(slots=True)
class _Call:
    id: str
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class _Answer:
    """An answer as its chunks come in."""

    text: str = ""
    refusal: str = ""
    thinking: str = ""
    content: str = ""
    """What DeepSeek and its like call reasoning_content, and want back."""
    details: list[Part] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    at: dict[int, _Call] = field(default_factory=dict)
    finish: str | None = None
    tokens: int | None = None

    def take(self, chunk: ChatCompletionChunk) -> None:
        """Add one chunk."""
        if chunk.usage:
            self.tokens = chunk.usage.prompt_tokens
        for choice in chunk.choices or ():
            self.finish = choice.finish_reason or self.finish
            self._grow(choice.delta.to_dict(mode="json", warnings=False) if choice.delta else {})

    def _grow(self, delta: Part) -> None:
        self.text += delta.get("content") or ""
        self.refusal += delta.get("refusal") or ""
        self.content += delta.get("reasoning_content") or ""
        self.thinking += delta.get("reasoning") or delta.get("reasoning_content") or ""
        for detail in delta.get("reasoning_details") or ():
            self._grow_details(detail)
        for piece in delta.get("tool_calls") or ():
            self._grow_calls(piece)

    def _grow_details(self, detail: Part) -> None:
        last = self.details[-1] if self.details else {}
        if [last.get(k) for k in _PLACE] != [detail.get(k) for k in _PLACE]:
            self.details.append(dict(detail))
            return
        for name, value in detail.items():
            if name in _GROWING and isinstance(value, str):
                last[name] = (last.get(name) or "") + value
            elif value is not None:
                last[name] = value

    def _grow_calls(self, piece: Part) -> None:
        index, function = piece.get("index") or 0, piece.get("function") or {}
        call = self.at.get(index)
        # some servers number every call 0: a new id with a name is a new call all the same
        if call is None or (piece.get("id") not in (None, "", call.id) and function.get("name")):
            call = self.at[index] = _Call(piece.get("id") or "")
            self.calls.append(call)
        call.name += function.get("name") or ""
        call.arguments += function.get("arguments") or ""

    def turn(self, number: int) -> Turn:
        """The whole of it; `number` makes ids for servers that give none."""
        uses = tuple(
            ToolUse(call.id or f"call_{number}_{index}", whole(call.name), whole(call.arguments))
            for index, call in enumerate(self.calls)
        )
        text = whole(self.text)
        raw = _assistant(text, uses)
        if self.details:
            raw["reasoning_details"] = self.details
        elif self.content:
            raw["reasoning_content"] = whole(self.content)
        return Turn(
            text=text or whole(self.refusal),
            tool_uses=uses,
            stop=Stop.REFUSED if self.refusal else _STOPS.get(self.finish or "", Stop.DONE),
            thinking=whole(self.thinking),
            raw=raw,
            prompt_tokens=self.tokens,
        )


def _gather(stream: Iterable[ChatCompletionChunk], number: int) -> Turn:
    answer = _Answer()
    for chunk in stream:
        try:
            answer.take(chunk)
        except GARBLED as error:
            raise BrokenOff(f"no whole answer: {chunk!r:.80} is no piece of one") from error
    if answer.finish in (None, "error"):
        raise BrokenOff("no whole answer: the stream ended early")
    return answer.turn(number)
