"""OpenAI Chat Completions: answers and their streams."""

from __future__ import annotations

from collections.abc import Iterator

from harness.domain.model import Usage
from harness.testing.provider import openai
from harness.testing.provider.script import Fails, Says, Stop
from harness.testing.provider.seen import Body
from harness.testing.provider.wire import Event, Turn, split

STOPS = {Stop.LENGTH: "length", Stop.REFUSED: "content_filter"}
FINGERPRINT = "fp_double"


def whole(says: Says, turn: Turn) -> Body:
    """The answer to a request without `stream`."""
    message: Body = {
        "role": "assistant",
        "content": says.text or (None if says.calls else ""),
        "refusal": None,
        "annotations": [],
    }
    if says.thinking:
        message["reasoning"] = says.thinking
    if says.calls:
        message["tool_calls"] = [
            _call(call.name, call.text, turn.id("call", index))
            for index, call in enumerate(says.calls)
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _stop(says)}
    used = says.usage and {"usage": _usage(says.usage)}
    return _head(turn, "chat.completion") | {"choices": [choice]} | (used or {})


def events(says: Says, turn: Turn) -> Iterator[Event]:
    """The answer as a stream; the usage comes only to those who ask for it."""
    options = turn.body.get("stream_options")
    told = isinstance(options, dict) and options.get("include_usage") is True and says.usage
    head = _head(turn, "chat.completion.chunk") | ({"usage": None} if told else {})

    def chunk(delta: Body, *, is_piece: bool = False, finish: str | None = None) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return Event(head | {"choices": [choice]}, is_piece=is_piece)

    first = "" if says.text or not says.calls else None
    yield chunk({"role": "assistant", "content": first, "refusal": None})
    for piece in split(says.thinking, says.pieces):
        yield chunk({"reasoning": piece}, is_piece=True)
    for piece in split(says.text, says.pieces):
        yield chunk({"content": piece}, is_piece=True)
    for index, call in enumerate(says.calls):
        opening = _call(call.name, "", turn.id("call", index))
        yield chunk({"tool_calls": [{"index": index, **opening}]})
        for piece in split(call.text, says.pieces):
            delta = {"index": index, "function": {"arguments": piece}}
            yield chunk({"tool_calls": [delta]}, is_piece=True)
    yield chunk({}, finish=_stop(says))
    if told:
        yield Event(head | {"choices": [], "usage": _usage(told)})
    yield Event("[DONE]")


def error_event(fails: Fails, _turn: Turn, _number: int) -> Event:
    """A failure in the middle of a stream."""
    return Event(openai.error(fails))


def _head(turn: Turn, kind: str) -> Body:
    return {
        "id": turn.id("chatcmpl"),
        "object": kind,
        "created": turn.created,
        "model": turn.model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def _call(name: str, arguments: str, call_id: str) -> Body:
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _stop(says: Says) -> str:
    if isinstance(says.stop, Stop):
        return STOPS[says.stop]
    return says.stop or ("tool_calls" if says.calls else "stop")


def _usage(usage: Usage) -> Body:
    prompt_tokens = openai.input_tokens(usage)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
