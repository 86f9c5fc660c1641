"""What goes over the wire is what the providers send: names, order, ids, every required field."""

from __future__ import annotations

import pytest

from harness.domain.model import Usage
from harness.testing.provider import Call, Says
from tests.provider.asking import BODIES, PATHS, Start, ask, checked, post, stream

APIS = pytest.mark.parametrize("api", PATHS)
SAYS = [
    pytest.param(Says("Hello, world."), id="text"),
    pytest.param(Says(calls=(Call("look", {"path": "a"}),)), id="call"),
    pytest.param(
        Says("Hello.", calls=(Call("look"), Call("look", {"a": [1]})), thinking="Hm, hm, hm."),
        id="everything",
    ),
    pytest.param(Says(), id="nothing"),
]


@APIS
@pytest.mark.parametrize("says", SAYS)
def test_a_whole_answer_is_what_the_sdk_types_demand(start: Start, api: str, says: Says) -> None:
    ask(start(says).double, api)


@APIS
@pytest.mark.parametrize("says", SAYS)
def test_every_event_is_what_the_sdk_types_demand(start: Start, api: str, says: Says) -> None:
    events = stream(start(says).double, api)
    if api == "chat":
        assert events.pop() == (None, "[DONE]")
    for name, data in events:
        event = checked(api, data)
        assert name == (None if api == "chat" else data["type"])
        assert event is None or api == "chat" or event.type == name


def test_messages_stream_in_the_providers_order(start: Start) -> None:
    says = Says("Hello.", calls=(Call("look", {"path": "a"}),), pieces=2)
    assert [name for name, _ in stream(start(says).double, "messages")] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_a_messages_stream_tells_input_first_and_output_last(start: Start) -> None:
    usage = Usage(input_tokens=9, output_tokens=80, cached_tokens=7, cache_write_tokens=5)
    events = stream(start(Says("Hello.", usage=usage)).double, "messages")
    begun = events[0][1]["message"]["usage"]
    assert (begun["input_tokens"], begun["output_tokens"]) == (9, 1)
    assert (begun["cache_read_input_tokens"], begun["cache_creation_input_tokens"]) == (7, 5)
    assert events[-2][1]["usage"]["output_tokens"] == 80


def test_chat_tells_usage_in_a_last_chunk_without_choices_if_asked(start: Start) -> None:
    talk = start(Says("Hello."), Says("Hello."))
    chunks = stream(talk.double, "chat", stream_options={"include_usage": True})
    *rest, (_, last), done = chunks
    assert done == (None, "[DONE]")
    assert last["choices"] == []
    assert last["usage"]["prompt_tokens"] == 100
    assert all(chunk["usage"] is None and chunk["choices"] for _, chunk in rest)
    unasked = stream(talk.double, "chat")[:-1]
    assert all("usage" not in chunk and chunk["choices"] for _, chunk in unasked)


def test_chat_names_a_call_once_and_then_sends_pieces_of_its_arguments(start: Start) -> None:
    says = Says(calls=(Call("look", {"path": "a"}), Call("see", "{}")), pieces=4)
    chunks = [data for _, data in stream(start(says).double, "chat")[:-1]]
    deltas = [d for c in chunks for d in c["choices"][0]["delta"].get("tool_calls", ())]
    heads = [d for d in deltas if "id" in d]
    assert [(d["index"], d["function"]["name"]) for d in heads] == [(0, "look"), (1, "see")]
    first = [d["function"]["arguments"] for d in deltas if d["index"] == 0]
    assert first[0] == ""
    assert len(first) == 5
    assert "".join(first) == '{"path": "a"}'
    assert len({c["id"] for c in chunks}) == 1


def test_responses_stream_in_the_providers_order(start: Start) -> None:
    says = Says("Hi.", calls=(Call("look"),), thinking="Hm.", pieces=1)
    events = stream(start(says).double, "responses")
    assert [name.removeprefix("response.") for name, _ in events if name] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [data["sequence_number"] for _, data in events] == list(range(len(events)))
    added = [data["item"] for name, data in events if name == "response.output_item.added"]
    assert [item.get("content", item.get("summary", item.get("arguments"))) for item in added] == [
        [],
        [],
        "",
    ]


def test_responses_echo_their_request(start: Start) -> None:
    got = ask(start(Says("Hi.")).double, "responses", instructions="Be brief.", temperature=0.5)
    assert (got.instructions, got.temperature, got.top_p) == ("Be brief.", 0.5, 1.0)


@pytest.mark.parametrize("wanted", [True, False])
def test_responses_hold_encrypted_reasoning_for_whoever_includes_it(
    start: Start, *, wanted: bool
) -> None:
    more = {"include": ["reasoning.encrypted_content"]} if wanted else {}
    got = ask(start(Says("Hi.", thinking="Hm.")).double, "responses", **more)
    assert bool(got.output[0].encrypted_content) is wanted


@APIS
def test_ids_differ_from_answer_to_answer(start: Start, api: str) -> None:
    says = Says(calls=(Call("look"), Call("look")))
    talk = start(says, says)
    text = [post(talk.double, api).text for _ in range(2)]
    for prefix in ("toolu_double", "call_double", "msg_double", "resp_double", "chatcmpl_double"):
        ids = [{part.split('"')[0] for part in t.split(f'"{prefix}')[1:]} for t in text]
        assert not ids[0] & ids[1]


@APIS
@pytest.mark.parametrize("prefix", ["", "/v1", "/openai/v1"])
def test_the_base_url_may_end_anyhow(start: Start, api: str, prefix: str) -> None:
    talk = start(Says("Hi."))
    path = prefix + PATHS[api].removeprefix("/v1")
    client = talk.anthropic if api == "messages" else talk.openai
    url = talk.double.url + path
    client.post(url, cast_to=object, body=BODIES[api])
    assert talk.double.completions[0].path == path


@APIS
def test_a_request_is_named_in_the_headers(start: Start, api: str) -> None:
    headers = post(start(Says("Hi.")).double, api).headers
    assert headers["request-id" if api == "messages" else "x-request-id"].startswith("req_")
