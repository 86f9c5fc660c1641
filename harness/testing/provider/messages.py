"""Anthropic Messages: answers, their streams and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.domain.model import Usage
from harness.testing.provider.script import Call, Fails, Says, Stop, TooLong
from harness.testing.provider.seen import Body
from harness.testing.provider.wire import Event, Turn, split

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STOPS = {Stop.LENGTH: "max_tokens", Stop.REFUSED: "refusal"}
SIGNATURE = "ZG91Ymxl"


@dataclass(frozen=True, slots=True)
class _Part:
    """A content block, whole and as a stream tells it."""

    block: Body
    opening: Body
    deltas: tuple[Body, ...]


def whole(says: Says, turn: Turn) -> Body:
    """The answer to a request without `stream`."""
    usage = says.usage and {"usage": _usage(says.usage, says.usage.output_tokens)}
    blocks = [part.block for part in _parts(says, turn)]
    return _message(turn) | {"content": blocks, "stop_reason": _stop(says)} | (usage or {})


def events(says: Says, turn: Turn) -> Iterator[Event]:
    """The answer as a stream."""
    begun = says.usage and {"usage": _usage(says.usage, min(1, says.usage.output_tokens))}
    yield _event("message_start", message=_message(turn) | (begun or {}))
    for index, part in enumerate(_parts(says, turn)):
        yield _event("content_block_start", index=index, content_block=part.opening)
        if index == 0:
            yield _event("ping")
        for delta in part.deltas:
            data = {"type": "content_block_delta", "index": index, "delta": delta}
            yield Event(data, "content_block_delta", is_piece=True)
        yield _event("content_block_stop", index=index)
    used = says.usage and {"usage": _usage_at_end(says.usage)}
    end = {"stop_reason": _stop(says), "stop_sequence": None}
    yield _event("message_delta", delta=end, **(used or {}))
    yield _event("message_stop")


def error(fails: Fails | TooLong, request_id: str) -> Body:
    """The body of an error response, and the data of an `error` event."""
    if isinstance(fails, TooLong):
        message = f"prompt is too long: {fails.tokens} tokens > {fails.limit} maximum"
        fails = Fails(400, message)
    kind = fails.kind or KINDS.get(fails.status, "api_error")
    inner = {"type": kind, "message": fails.message}
    return {"type": "error", "error": inner, "request_id": request_id}


def error_event(fails: Fails, turn: Turn, _number: int) -> Event:
    """A failure in the middle of a stream."""
    return Event(error(fails, turn.id("req")), "error")


def _event(kind: str, **data: Any) -> Event:  # noqa: ANN401  # JSON
    return Event({"type": kind, **data}, kind)


def _message(turn: Turn) -> Body:
    return {
        "id": turn.id("msg"),
        "type": "message",
        "role": "assistant",
        "model": turn.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _parts(says: Says, turn: Turn) -> Iterator[_Part]:
    if says.thinking:
        block = {"type": "thinking", "thinking": says.thinking, "signature": SIGNATURE}
        yield _Part(
            block,
            block | {"thinking": "", "signature": ""},
            (
                *(
                    {"type": "thinking_delta", "thinking": piece}
                    for piece in split(says.thinking, says.pieces)
                ),
                {"type": "signature_delta", "signature": SIGNATURE},
            ),
        )
    if says.text:
        deltas = [{"type": "text_delta", "text": p} for p in split(says.text, says.pieces)]
        block = {"type": "text", "text": says.text}
        yield _Part(block, block | {"text": ""}, tuple(deltas))
    for index, call in enumerate(says.calls):
        yield _call(call, turn.id("toolu", index), says.pieces)


def _call(call: Call, call_id: str, pieces: int) -> _Part:
    opening: Body = {"type": "tool_use", "id": call_id, "name": call.name, "input": {}}
    # a real stream begins the arguments with an empty delta
    parts = ["", *split(call.text, pieces)]
    deltas = tuple({"type": "input_json_delta", "partial_json": part} for part in parts)
    return _Part(opening | {"input": _parsed(call.text)}, opening, deltas)


def _parsed(arguments: str) -> object:
    """What a body without a stream holds: broken arguments stay text there."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _stop(says: Says) -> str:
    if isinstance(says.stop, Stop):
        return STOPS[says.stop]
    return says.stop or ("tool_use" if says.calls else "end_turn")


def _usage(usage: Usage, output_tokens: int) -> Body:
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"thinking_tokens": min(output_tokens, usage.reasoning_tokens)},
        "service_tier": "standard",
    }


def _usage_at_end(usage: Usage) -> Body:
    """Every figure of `message_delta` is cumulative."""
    kept = (
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
        "output_tokens_details",
    )
    return {name: _usage(usage, usage.output_tokens)[name] for name in kept}
