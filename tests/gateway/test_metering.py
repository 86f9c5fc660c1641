from __future__ import annotations

import json
from typing import Any

import pytest

from harness.domain.model import Api, Usage
from harness.domain.price import Terms
from harness.gateway.metering import meter_for
from tests.gateway.streams import (
    CHAT_USAGE,
    MESSAGES_END,
    MESSAGES_USAGE,
    RESPONSES_USAGE,
    STREAMS,
    USED,
    body,
    chat,
    chat_chunk,
    messages,
    metered,
    responses,
    run,
    sse,
)

EVERY_API = pytest.mark.parametrize("api", Api)
STOPS = {Api.MESSAGES: "tool_use", Api.CHAT: "tool_calls", Api.RESPONSES: "completed"}
MODELS = {Api.MESSAGES: "claude-haiku-4-5", Api.CHAT: "gpt-5", Api.RESPONSES: "gpt-5.6-luna"}


@EVERY_API
def test_a_stream_tells_usage_model_stop_and_tool_calls(api: Api) -> None:
    passed, found = run(api, [STREAMS[api]])
    assert passed == STREAMS[api]
    assert found.complete
    assert found.usage == USED
    assert found.model == MODELS[api]
    assert found.stop == STOPS[api]
    assert found.tool_calls == ("read_file",)


def test_whole_bodies_tell_the_same() -> None:
    call = {"type": "function", "id": "c", "function": {"name": "read_file", "arguments": "{}"}}
    custom = {"type": "custom", "id": "d", "custom": {"name": "apply_patch", "input": ""}}
    answers: dict[Api, dict[str, Any]] = {
        Api.MESSAGES: {
            "model": "claude-haiku-4-5",
            "content": [
                {"type": "server_tool_use", "name": "web_search"},
                {"type": "tool_use", "name": "read_file"},
                {"type": "tool_use", "name": "apply_patch"},
            ],
            "stop_reason": "tool_use",
            "usage": MESSAGES_USAGE | MESSAGES_END,
        },
        Api.CHAT: {
            "model": "gpt-5",
            "choices": [{"message": {"tool_calls": [call, custom]}, "finish_reason": "tool_calls"}],
            "usage": CHAT_USAGE,
        },
        Api.RESPONSES: {
            "model": "gpt-5.6-luna",
            "status": "completed",
            "output": [
                {"type": "web_search_call"},
                {"type": "function_call", "name": "read_file"},
                {"type": "apply_patch_call"},
            ],
            "usage": RESPONSES_USAGE,
        },
    }
    for api, answer in answers.items():
        found = body(api, answer)
        assert (found.usage, found.complete) == (USED, True)
        assert (found.model, found.stop) == (MODELS[api], STOPS[api])
        assert found.tool_calls == ("read_file", "apply_patch")


@EVERY_API
def test_a_stream_without_usage_is_not_one_of_no_tokens(api: Api) -> None:
    streams = {Api.MESSAGES: messages({}, {}), Api.CHAT: chat(None), Api.RESPONSES: responses(None)}
    found = metered(api, streams[api])
    assert found.complete
    assert found.usage is None


@EVERY_API
def test_zeros_that_the_provider_says_are_zeros(api: Api) -> None:
    zero = {"input_tokens": 0, "output_tokens": 0}
    streams = {
        Api.MESSAGES: messages(zero, {}),
        Api.CHAT: chat({"prompt_tokens": 0, "completion_tokens": 0}),
        Api.RESPONSES: responses(zero),
    }
    assert metered(api, streams[api]).usage == Usage()


def test_later_figures_of_a_message_take_the_place_of_earlier_ones() -> None:
    events = [
        {"type": "message_start", "message": {"usage": MESSAGES_USAGE}},
        {"type": "message_delta", "usage": {"output_tokens": 40, "input_tokens": None}},
        {
            "type": "message_delta",
            "usage": {"output_tokens": 70, "input_tokens": 15, "cache_read_input_tokens": 2001},
        },
        {"type": "message_stop"},
    ]
    assert metered(Api.MESSAGES, sse(*events)).usage == Usage(15, 70, 2001, 300)


def test_a_server_that_counts_as_it_goes_is_counted_once() -> None:
    counts = [
        chat_chunk({"content": "x"}) | {"usage": {"prompt_tokens": 10, "completion_tokens": n}}
        for n in (1, 2, 3)
    ]
    assert metered(Api.CHAT, sse(*counts, "[DONE]")).usage == Usage(10, 3)


@EVERY_API
def test_a_cut_stream_counts_what_it_had_said(api: Api) -> None:
    stream = STREAMS[api]
    cut = stream[: stream.rindex(b"data:")]
    passed, found = run(api, [cut])
    assert passed == cut
    assert not found.complete
    # Responses tells its usage with its last event only
    assert found.usage == (None if api is Api.RESPONSES else USED)
    assert found.tool_calls == ("read_file",)


def test_a_message_cut_before_its_end_counts_its_input() -> None:
    stream = STREAMS[Api.MESSAGES]
    found = metered(Api.MESSAGES, stream[: stream.index(b"event: content_block_stop")])
    assert found.usage == Usage(12, 3, 2000, 300)
    assert not found.complete


@pytest.mark.parametrize(
    ("api", "trouble"),
    [
        (Api.MESSAGES, {"type": "error", "error": {"type": "overloaded_error"}}),
        (Api.CHAT, {"error": {"message": "overloaded", "code": 502}}),
        (Api.RESPONSES, {"type": "error", "message": "overloaded"}),
    ],
)
def test_a_stream_with_an_error_in_it_is_not_complete(api: Api, trouble: dict[str, Any]) -> None:
    assert not metered(api, sse(trouble) + STREAMS[api]).complete


@pytest.mark.parametrize(
    ("end", "complete", "stop"),
    [("incomplete", True, "max_output_tokens"), ("failed", False, "failed")],
)
def test_a_response_that_stops_early_still_counts(end: str, stop: str, *, complete: bool) -> None:
    response: dict[str, Any] = {"status": end, "usage": RESPONSES_USAGE}
    if end == "incomplete":
        response["incomplete_details"] = {"reason": stop}
    event = {"type": f"response.{end}", "response": response}
    found = metered(Api.RESPONSES, sse(event))
    assert (found.usage, found.complete, found.stop) == (USED, complete, stop)


def test_the_last_event_counts_without_its_blank_line() -> None:
    for api, stream in STREAMS.items():
        assert metered(api, stream.rstrip(b"\n")).complete


def test_only_the_usage_that_the_gateway_asked_for_is_hidden() -> None:
    azure = chat_chunk({}) | {"choices": [], "prompt_filter_results": []}
    openrouter = b": OPENROUTER PROCESSING\n\n"
    stream = openrouter + sse(azure) + chat(CHAT_USAGE)
    passed, found = run(Api.CHAT, [stream], hide_usage=True)
    assert passed == openrouter + sse(azure) + chat(None)
    assert found.usage == USED


def test_usage_beside_words_is_not_hidden() -> None:
    stream = sse(chat_chunk({"content": "x"}) | {"usage": CHAT_USAGE}, "[DONE]")
    passed, found = run(Api.CHAT, [stream], hide_usage=True)
    assert passed == stream
    assert found.usage == USED


def test_bytes_that_are_held_back_come_with_the_end() -> None:
    meter = meter_for(Api.CHAT, streamed=True, hide_usage=True)
    assert meter.feed(b"data: {}") == b""
    assert meter.finish()[0] == b"data: {}"
    assert meter.finish()[0] == b""


def test_without_hiding_nothing_is_held_back() -> None:
    meter = meter_for(Api.CHAT, streamed=True)
    assert meter.feed(b"data: {") == b"data: {"


@EVERY_API
def test_the_first_word_of_the_model_is_noticed(api: Api) -> None:
    meter = meter_for(api, streamed=True)
    first = STREAMS[api].index("déjà".encode())
    meter.feed(STREAMS[api][: STREAMS[api].rindex(b"data:", 0, first)].rpartition(b"event")[0])
    before = meter.began
    meter.feed(STREAMS[api])
    assert meter.began
    # a block is opened before its first word
    assert before == (api is Api.MESSAGES)


def test_terms_that_change_the_price_are_told() -> None:
    fast = MESSAGES_USAGE | {"service_tier": "priority", "speed": "fast"}
    found = metered(Api.MESSAGES, messages(fast, MESSAGES_END))
    assert found.terms == Terms(100, "priority", "fast")
    assert metered(Api.CHAT, STREAMS[Api.CHAT]).terms == Terms(0, "default")
    assert metered(Api.RESPONSES, STREAMS[Api.RESPONSES]).terms == Terms(0, "default")


@pytest.mark.parametrize("number", [-1, 1.5, 12.0, "12", True, None, [], {}, 10**13, 10**400])
def test_what_is_no_count_is_absent(number: object) -> None:
    chat_usage = {"prompt_tokens": number, "completion_tokens": 5}
    assert metered(Api.CHAT, chat(chat_usage)).usage is None
    cached = CHAT_USAGE | {"prompt_tokens_details": {"cached_tokens": number}}
    assert metered(Api.CHAT, chat(cached)).usage == Usage(2312, 90, reasoning_tokens=40)
    found = metered(Api.MESSAGES, messages(MESSAGES_USAGE, {"output_tokens": number}))
    assert found.usage == Usage(12, 3, 2000, 300)


def test_parts_that_are_more_than_the_whole_are_passed_over() -> None:
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 90, "cache_write_tokens": 20},
        "output_tokens": 10,
        "output_tokens_details": {"reasoning_tokens": 11},
    }
    assert metered(Api.RESPONSES, responses(usage)).usage == Usage(100, 10)


def test_parallel_calls_are_told_apart_and_counted_once() -> None:
    def call(index: int | None, call_id: str | None, name: str | None) -> dict[str, Any]:
        where = {} if index is None else {"index": index}
        return chat_chunk(
            {"tool_calls": [{**where, "id": call_id, "function": {"name": name, "arguments": "{"}}]}
        )

    pieces = [
        call(0, "a", "read_file"),
        call(1, "b", "read_file"),
        call(0, None, None),
        call(1, "b", "read_file"),
        call(0, None, "read_file"),
        call(None, "c", "search"),
        call(None, "d", "search"),
    ]
    found = metered(Api.CHAT, sse(*pieces, "[DONE]"))
    assert found.tool_calls == ("read_file", "read_file", "search", "search")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@EVERY_API
def test_any_line_end_will_do(api: Api, newline: str) -> None:
    streams = {
        Api.MESSAGES: messages(MESSAGES_USAGE, MESSAGES_END, newline),
        Api.CHAT: chat(CHAT_USAGE, newline),
        Api.RESPONSES: responses(RESPONSES_USAGE, newline),
    }
    found = metered(api, streams[api])
    assert (found.usage, found.complete) == (USED, True)


def test_an_answer_that_is_no_json_is_passed_on_and_not_complete() -> None:
    meter = meter_for(Api.CHAT, streamed=False)
    assert meter.feed(b"<html>") == b"<html>"
    found = meter.finish()[1]
    assert (found.usage, found.complete) == (None, False)


def test_names_are_safe_to_store() -> None:
    answer = json.dumps({"model": "\ud800" + "x" * 1000, "stop_reason": 5}).encode()
    meter = meter_for(Api.MESSAGES, streamed=False)
    meter.feed(answer)
    found = meter.finish()[1]
    assert found.model == "?" + "x" * 199
    assert found.stop is None
