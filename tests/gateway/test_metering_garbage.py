"""Streams in any pieces, and bytes that no provider would send."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.model import Api
from harness.gateway.metering import MAX_BODY_BYTES, Metered, meter_for
from harness.gateway.sse import Events
from tests.gateway.streams import (
    CHAT_USAGE,
    MESSAGES_END,
    MESSAGES_USAGE,
    RESPONSES_USAGE,
    STREAMS,
    chat,
    messages,
    responses,
    run,
    sse,
)

CARRIAGE = {
    Api.MESSAGES: messages(MESSAGES_USAGE, MESSAGES_END, "\r\n"),
    Api.CHAT: chat(CHAT_USAGE, "\r\n"),
    Api.RESPONSES: responses(RESPONSES_USAGE, "\r\n"),
}
KEYS = sorted(
    {"type", "model", "usage", "choices", "delta", "message", "response", "output", "item", "index"}
    | {"output_index", "tool_calls", "function", "name", "id", "error", "content", "content_block"}
    | {"stop_reason", "finish_reason", "status", "incomplete_details", "service_tier", "speed"}
    | {*MESSAGES_USAGE, *MESSAGES_END, *CHAT_USAGE, *RESPONSES_USAGE}
)
TYPES = (
    "message_start",
    "message_delta",
    "message_stop",
    "content_block_start",
    "tool_use",
    "function_call",
    "response.output_item.done",
    "response.completed",
    "response.failed",
    "error",
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(TYPES), st.text()
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=20,
)
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"\n", b"\r", b"\r\n", b"\n\n", b"data:", b"data: [DONE]\n\n", b"\xef\xbb\xbf"]
    ),
    JSON.map(lambda value: b"data: " + json.dumps(value).encode() + b"\n\n"),
)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    marks = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[a:b] for a, b in pairwise(marks)]


@pytest.mark.parametrize("hide_usage", [False, True])
@pytest.mark.parametrize("api", Api)
@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 10_000), max_size=30), carriage=st.booleans())
def test_a_stream_says_the_same_in_any_pieces(
    api: Api, cuts: list[int], *, hide_usage: bool, carriage: bool
) -> None:
    stream = (CARRIAGE if carriage else STREAMS)[api]
    whole = run(api, [stream], hide_usage=hide_usage)
    assert whole[1].complete
    assert run(api, pieces(stream, cuts), hide_usage=hide_usage) == whole


@pytest.mark.parametrize("api", Api)
def test_a_stream_says_the_same_byte_by_byte(api: Api) -> None:
    stream = CARRIAGE[api]
    one_by_one = [stream[n : n + 1] for n in range(len(stream))]
    assert run(api, one_by_one, hide_usage=True) == run(api, [stream], hide_usage=True)


@pytest.mark.parametrize("api", Api)
@settings(deadline=None)
@given(given_pieces=st.lists(PIECES, max_size=12), cuts=st.lists(st.integers(0, 500), max_size=8))
def test_no_stream_makes_it_raise_or_lose_a_byte(
    api: Api, given_pieces: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(given_pieces)
    passed, found = run(api, pieces(stream, cuts))
    assert passed == stream
    assert_sound(found)
    assert run(api, [stream])[1] == found
    hiding = run(api, pieces(stream, cuts), hide_usage=True)
    assert hiding == run(api, [stream], hide_usage=True)
    assert hiding[1] == found


@pytest.mark.parametrize("api", Api)
@settings(deadline=None)
@given(value=JSON)
def test_no_body_makes_it_raise(api: Api, value: object) -> None:
    meter = meter_for(api, streamed=False)
    data = json.dumps(value).encode()
    assert meter.feed(data) == data
    rest, found = meter.finish()
    assert rest == b""
    assert_sound(found)
    assert found.complete == isinstance(value, dict)


def assert_sound(found: Metered) -> None:
    if found.usage is not None:
        kinds = (
            found.usage.input_tokens,
            found.usage.output_tokens,
            found.usage.cached_tokens,
            found.usage.cache_write_tokens,
            found.usage.reasoning_tokens,
        )
        assert all(type(kind) is int and kind >= 0 for kind in kinds)
        assert found.usage.reasoning_tokens <= found.usage.output_tokens
        assert 0 <= found.terms.cache_write_1h_tokens <= found.usage.cache_write_tokens
    for text in (found.model, found.stop, *found.tool_calls):
        assert text is None or text.encode()


@pytest.mark.parametrize(
    "line", [b"data: " + b"[" * 100_000, b"data: " + b"9" * 5000, b"data: \xff\xfe", b"data"]
)
def test_a_bad_event_does_not_spoil_the_others(line: bytes) -> None:
    stream = line + b"\n\n" + STREAMS[Api.CHAT]
    passed, found = run(Api.CHAT, [stream])
    assert passed == stream
    assert found == run(Api.CHAT, [STREAMS[Api.CHAT]])[1]


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 2000), max_size=12), newline=st.sampled_from(["\n", "\r\n"]))
def test_an_event_too_large_goes_through_unread(cuts: list[int], newline: str) -> None:
    stream = sse("a", "b" * 300, "c", newline=newline)
    events = Events(max_bytes=100)
    found = [event for piece in pieces(stream, cuts) for event in events.feed(piece)]
    found += events.finish()
    assert b"".join(event.raw for event in found) == stream
    assert [event.data for event in found if event.data is not None] == ["a", "c"]


def test_an_endless_line_does_not_fill_the_memory() -> None:
    events = Events(max_bytes=1000)
    passed = 0
    for fed in range(1, 100):
        passed += sum(len(event.raw) for event in events.feed(b"x" * 300))
        assert fed * 300 - passed <= 1000


def test_a_body_too_large_goes_through_unread() -> None:
    meter = meter_for(Api.MESSAGES, streamed=False)
    space = b" " * 1024 * 1024
    for _ in range(MAX_BODY_BYTES // len(space)):
        meter.feed(space)
    assert meter.feed(b"{}") == b"{}"
    assert not meter.finish()[1].complete
