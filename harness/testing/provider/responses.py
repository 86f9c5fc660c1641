"""OpenAI Responses: answers and their streams."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Protocol

from harness.domain.model import Usage
from harness.testing.provider import openai
from harness.testing.provider.script import Call, Fails, Says, Stop
from harness.testing.provider.seen import Body
from harness.testing.provider.wire import Event, Turn, split

STOPS = {Stop.LENGTH: "max_output_tokens", Stop.REFUSED: "content_filter"}
ECHOED: Body = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
}
"""What a response repeats of its request, with the provider's defaults."""

ENCRYPTED = "ZG91Ymxl"


class _Tell(Protocol):
    """Makes the next event of a stream."""

    def __call__(self, kind: str, *, is_piece: bool = False, **data: Any) -> Event:  # noqa: ANN401  # JSON
        """With the next number."""
        ...


def whole(says: Says, turn: Turn) -> Body:
    """The answer to a request without `stream`."""
    reason = STOPS[says.stop] if isinstance(says.stop, Stop) else says.stop
    return _response(turn, "incomplete" if reason else "completed") | {
        "incomplete_details": {"reason": reason} if reason else None,
        "completed_at": None if reason else turn.created,
        "output": list(_items(says, turn)),
        "usage": says.usage and _usage(says.usage),
    }


def events(says: Says, turn: Turn) -> Iterator[Event]:
    """The answer as a stream."""
    numbers = itertools.count()

    def tell(kind: str, *, is_piece: bool = False, **data: Any) -> Event:  # noqa: ANN401  # JSON
        return _event(kind, next(numbers), is_piece=is_piece, **data)

    yield tell("response.created", response=_response(turn, "in_progress"))
    yield tell("response.in_progress", response=_response(turn, "in_progress"))
    for index, item in enumerate(_items(says, turn)):
        yield from _item_events(item, index, says.pieces, tell)
    done = whole(says, turn)
    yield tell(f"response.{done['status']}", response=done)


def error_event(fails: Fails, turn: Turn, number: int) -> Event:
    """A failure in the middle of a stream, as its event of that number."""
    code = openai.error(fails)["error"]["code"] or "server_error"
    failed = _response(turn, "failed") | {"error": {"code": code, "message": fails.message}}
    return _event("response.failed", number, response=failed)


def _event(kind: str, number: int, *, is_piece: bool = False, **data: Any) -> Event:  # noqa: ANN401  # JSON
    return Event({"type": kind, "sequence_number": number, **data}, kind, is_piece=is_piece)


def _response(turn: Turn, status: str) -> Body:
    return {
        "id": turn.id("resp"),
        "object": "response",
        "created_at": turn.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": turn.model,
        "output": [],
        "service_tier": "default",
        "usage": None,
        **{name: turn.body.get(name, default) for name, default in ECHOED.items()},
    }


def _items(says: Says, turn: Turn) -> Iterator[Body]:
    if says.thinking:
        yield {
            "id": turn.id("rs"),
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": says.thinking}],
            **({"encrypted_content": ENCRYPTED} if _wants_encrypted(turn.body) else {}),
        }
    if says.text or not (says.thinking or says.calls):
        yield {
            "id": turn.id("msg"),
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [_text(says.text)],
        }
    for index, call in enumerate(says.calls):
        yield _call(call, turn, index)


def _wants_encrypted(body: Body) -> bool:
    return "reasoning.encrypted_content" in (body.get("include") or ())


def _text(text: str) -> Body:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _call(call: Call, turn: Turn, index: int) -> Body:
    tool, namespace = _declared(turn.body, call.name)
    common = {
        "status": "completed",
        "call_id": turn.id("call", index),
        "name": call.name,
        **({"namespace": namespace} if namespace else {}),
    }
    if tool.get("type") == "custom":
        given = call.arguments if isinstance(call.arguments, str) else call.arguments.get("input")
        text = call.text if given is None else str(given)
        return {"id": turn.id("ctc", index), "type": "custom_tool_call", "input": text, **common}
    item = {"id": turn.id("fc", index), "type": "function_call", "arguments": call.text}
    return item | common


def _declared(body: Body, name: str) -> tuple[Body, str | None]:
    """The request's own word about a tool, and the namespace that it stands in."""
    for tool in body.get("tools") or ():
        if tool.get("name") == name and tool.get("type") != "namespace":
            return tool, None
        for inner in tool.get("tools") or ():
            if inner.get("name") == name:
                return inner, tool.get("name")
    return {}, None


def _item_events(item: Body, index: int, pieces: int, tell: _Tell) -> Iterator[Event]:
    kinds = {
        "reasoning": _reasoning_events,
        "message": _message_events,
        "function_call": _call_events,
        "custom_tool_call": _call_events,
    }
    blank = {"reasoning": "summary", "message": "content", "custom_tool_call": "input"}
    name = blank.get(item["type"], "arguments")
    opening = item | {name: type(item[name])()}
    if "status" in item:
        opening["status"] = "in_progress"
    yield tell("response.output_item.added", output_index=index, item=opening)
    yield from kinds[item["type"]](item, index, pieces, tell)
    yield tell("response.output_item.done", output_index=index, item=item)


def _reasoning_events(item: Body, index: int, pieces: int, tell: _Tell) -> Iterator[Event]:
    at = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    part = item["summary"][0]
    kind = "response.reasoning_summary"
    yield tell(f"{kind}_part.added", **at, part=part | {"text": ""})
    for piece in split(part["text"], pieces):
        yield tell(f"{kind}_text.delta", is_piece=True, **at, delta=piece)
    yield tell(f"{kind}_text.done", **at, text=part["text"])
    yield tell(f"{kind}_part.done", **at, part=part)


def _message_events(item: Body, index: int, pieces: int, tell: _Tell) -> Iterator[Event]:
    at = {"item_id": item["id"], "output_index": index, "content_index": 0}
    part = item["content"][0]
    yield tell("response.content_part.added", **at, part=part | {"text": ""})
    for piece in split(part["text"], pieces):
        yield tell("response.output_text.delta", is_piece=True, **at, delta=piece, logprobs=[])
    yield tell("response.output_text.done", **at, text=part["text"], logprobs=[])
    yield tell("response.content_part.done", **at, part=part)


def _call_events(item: Body, index: int, pieces: int, tell: _Tell) -> Iterator[Event]:
    at = {"item_id": item["id"], "output_index": index}
    is_custom = item["type"] == "custom_tool_call"
    name = "input" if is_custom else "arguments"
    kind = "response.custom_tool_call_input" if is_custom else "response.function_call_arguments"
    for piece in split(item[name], pieces):
        yield tell(f"{kind}.delta", is_piece=True, **at, delta=piece)
    yield tell(f"{kind}.done", **at, **{name: item[name]})


def _usage(usage: Usage) -> Body:
    tokens = openai.input_tokens(usage)
    return {
        "input_tokens": tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": tokens + usage.output_tokens,
    }
