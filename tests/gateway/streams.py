"""Answers of the three protocols as bytes, each telling the same kinds of facts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from harness.domain.model import Api, Usage
from harness.gateway.metering import Metered, meter_for

SAID = "déjà vu \N{SNOWMAN}"


def sse(*events: dict[str, Any] | str, newline: str = "\n", names: bool = False) -> bytes:
    """Events as a stream; Anthropic and Responses give them names."""
    text = ""
    for event in events:
        data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
        name = f"event: {event['type']}{newline}" if names and isinstance(event, dict) else ""
        text += f"{name}data: {data}{newline}{newline}"
    return text.encode()


def metered(api: Api, stream: bytes) -> Metered:
    """What one stream used, fed at once."""
    return run(api, [stream])[1]


def body(api: Api, answer: dict[str, Any]) -> Metered:
    """What one answer without a stream used."""
    meter = meter_for(api, streamed=False)
    data = json.dumps(answer).encode()
    assert meter.feed(data) == data
    rest, found = meter.finish()
    assert rest == b""
    return found


def run(api: Api, chunks: Iterable[bytes], *, hide_usage: bool = False) -> tuple[bytes, Metered]:
    """All that the client gets of a stream, and what it used."""
    meter = meter_for(api, streamed=True, hide_usage=hide_usage)
    passed = b"".join([meter.feed(chunk) for chunk in chunks])
    rest, found = meter.finish()
    return passed + rest, found


def messages(usage: dict[str, Any], at_end: dict[str, Any], newline: str = "\n") -> bytes:
    """Anthropic Messages: a text, a tool call, the figures at the start and at the end."""
    call = {"type": "tool_use", "id": "t1", "name": "read_file", "input": {}}
    message = {"type": "message", "model": "claude-haiku-4-5", "content": [], "usage": usage}
    return sse(
        {"type": "message_start", "message": message},
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": SAID},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": call},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": at_end},
        {"type": "message_stop"},
        newline=newline,
        names=True,
    )


def chat_chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """One chunk of Chat Completions, as they come when usage was asked for."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "object": "chat.completion.chunk",
        "model": "gpt-5",
        "choices": [choice],
        "usage": None,
        "service_tier": "default",
    }


def chat(usage: dict[str, Any] | None, newline: str = "\n") -> bytes:
    """Chat Completions: a text, a tool call, usage in the last chunk."""
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "read_file"}}
    piece = {"index": 0, "function": {"arguments": "{}"}}
    last = chat_chunk({}) | {"choices": [], "usage": usage}
    return sse(
        chat_chunk({"role": "assistant", "content": ""}),
        chat_chunk({"content": SAID}),
        chat_chunk({"tool_calls": [call]}),
        chat_chunk({"tool_calls": [piece]}),
        chat_chunk({}, finish="tool_calls"),
        *([last] if usage else []),
        "[DONE]",
        newline=newline,
    )


def responses(usage: dict[str, Any] | None, newline: str = "\n") -> bytes:
    """Responses: a text, a tool call, usage with the end."""
    call = {"type": "function_call", "id": "f1", "name": "read_file", "arguments": ""}
    begun = {"model": "gpt-5.6-luna", "status": "in_progress", "service_tier": "auto"}
    ended = begun | {"status": "completed", "service_tier": "default", "usage": usage}
    return sse(
        {"type": "response.created", "response": begun},
        {"type": "response.output_text.delta", "delta": SAID},
        {"type": "response.output_item.added", "output_index": 1, "item": call},
        {"type": "response.output_item.done", "output_index": 1, "item": call},
        {"type": "response.completed", "response": ended | {"output": [{}, call]}},
        newline=newline,
        names=True,
    )


MESSAGES_USAGE = {
    "input_tokens": 12,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 2000,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 3,
    "service_tier": "standard",
}
MESSAGES_END = {"output_tokens": 90, "output_tokens_details": {"thinking_tokens": 40}}
CHAT_USAGE = {
    "prompt_tokens": 2312,
    "completion_tokens": 90,
    "total_tokens": 2402,
    "prompt_tokens_details": {"cached_tokens": 2000, "cache_write_tokens": 300},
    "completion_tokens_details": {"reasoning_tokens": 40},
    "cost": 12.5,
}
RESPONSES_USAGE = {
    "input_tokens": 2312,
    "input_tokens_details": {"cached_tokens": 2000, "cache_write_tokens": 300},
    "output_tokens": 90,
    "output_tokens_details": {"reasoning_tokens": 40},
    "total_tokens": 2402,
}
USED = Usage(12, 90, 2000, 300, 40)
"""What each of the three says."""

STREAMS = {
    Api.MESSAGES: messages(MESSAGES_USAGE, MESSAGES_END),
    Api.CHAT: chat(CHAT_USAGE),
    Api.RESPONSES: responses(RESPONSES_USAGE),
}
