from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.model import Usage
from harness.gateway import cassette
from harness.gateway.base import Refusal
from harness.gateway.exchange import Exchange, Recording
from harness.gateway.recording import Recorder

TOKEN = "run-token-0123456789"  # noqa: S105  # a made-up one

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def kept(*exchanges: Exchange) -> Recording:
    recorder = Recorder([TOKEN], "anthropic:claude")
    for exchange in exchanges:
        recorder.add(exchange)
    return cassette.load(recorder.dump())


def conversation(turns: int, *, moving_mark: bool = False) -> list[bytes]:
    """What an agent sends: the same history each time, and one more turn."""
    tools = [{"name": f"tool_{n}", "description": f"{n} " * 500} for n in range(10)]
    messages: list[dict[str, object]] = [{"role": "user", "content": "mend it"}]
    requests = []
    for turn in range(turns):
        sent = list(messages)
        if moving_mark:
            sent[-1] = {**sent[-1], "cache_control": {"type": "ephemeral"}}
        body = {"model": "m", "messages": sent, "system": "be good " * 200, "tools": tools}
        requests.append(json.dumps(body).encode())
        call = {"type": "tool_use", "id": f"t{turn}", "name": "run", "input": {"command": "ls"}}
        result = {"type": "tool_result", "tool_use_id": f"t{turn}", "content": f"{turn} " * 500}
        messages.append({"role": "assistant", "content": [call]})
        messages.append({"role": "user", "content": [result]})
    return requests


def dumped(requests: list[bytes]) -> bytes:
    recorder = Recorder([], "m")
    for request in requests:
        recorder.add(Exchange("/v1/messages", request, 200, body=b"{}"))
    return recorder.dump()


@settings(max_examples=40)
@given(st.dictionaries(st.text(), json_values), st.sampled_from([None, 1]), st.sampled_from("ai"))
def test_any_json_request_comes_back_byte_for_byte(
    body: dict[str, object], indent: int | None, letters: str
) -> None:
    request = json.dumps(body, indent=indent, ensure_ascii=letters == "a")
    raw = request.encode("utf-8", "surrogatepass")
    exchange = Exchange("/v1/messages", raw, 200)
    assert kept(exchange, exchange).exchange(1).request == raw


@pytest.mark.parametrize(
    "request_body",
    [
        b"",
        b"\xff\xfe",
        b"[1, 2]",
        b'{"a": [1, 2, ',
        b'{"a": 1, "a": [ ]} ',
        b'\n{ "b" : [ 1.0 , 1e400, NaN,\t-0 ] , "a":{}}\n',
        b"{" * 100_000,
        b'{"a":' + b"[" * 100_000,
        b'{"big": ' + b"9" * 10_000 + b"}",
        b'{"a": [1], "b": [12], "c": [1]}x',
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_any_other_request_comes_back_byte_for_byte(request_body: bytes) -> None:
    assert kept(Exchange("/v1/messages", request_body, 400)).exchange(0).request == request_body


def test_values_that_begin_alike_are_not_taken_for_each_other() -> None:
    long = "x" * 100
    bodies = [
        json.dumps({"input": items}).encode()
        for items in ([long], [long + "y"], [{"a": long}], [{"a": long, "b": 1}], [[long], long])
    ]
    recording = kept(*(Exchange("/v1/responses", body, 200) for body in bodies * 2))
    assert [exchange.request for exchange in recording] == bodies * 2


@given(st.binary(), st.binary())
def test_any_answer_comes_back_byte_for_byte(request_body: bytes, body: bytes) -> None:
    exchange = Exchange("/v1/messages", request_body, 200, body=body)
    assert kept(exchange).exchange(0) == exchange


def test_everything_about_an_exchange_comes_back() -> None:
    exchange = Exchange(
        path="/v1/messages?beta=true",
        request=b'{"model": "m"}',
        status=429,
        headers=(("content-type", "text/event-stream"), ("retry-after", "3")),
        body=b"event: ping\n\n",
        method="POST",
        first_byte_s=0.25,
        duration_s=1.5,
        retries=2,
        waited_s=0.75,
        usage=Usage(1, 2, 3, 4, 5),
        cost_usd=0.0125,
        refusal=Refusal.BUDGET,
        broken="the stream ended early",
    )
    recording = kept(exchange, Exchange("/v1/models", b"", 200, method="GET"))
    assert recording.model == "anthropic:claude"
    assert list(recording) == [exchange, Exchange("/v1/models", b"", 200, method="GET")]


def test_only_headers_that_matter_to_an_agent_are_kept() -> None:
    headers = (("Content-Type", "application/json"), ("Set-Cookie", "a=b"), ("cf-ray", "1"))
    recording = kept(Exchange("/v1/messages", b"{}", 200, headers))
    assert recording.exchange(0).headers == (("content-type", "application/json"),)


def test_no_key_is_kept_anywhere() -> None:
    exchange = Exchange(
        path=f"/v1/messages?key={TOKEN}",
        request=json.dumps({"messages": [{"content": f"I am {TOKEN}"}]}).encode(),
        status=200,
        headers=(("request-id", TOKEN),),
        body=f"data: {TOKEN}\n\n".encode(),
        broken=f"connection of {TOKEN} lost",
    )
    recorder = Recorder([TOKEN], f"openai:m@https://{TOKEN}@host/v1")
    recorder.add(exchange)
    assert TOKEN.encode() not in recorder.dump()
    assert recorder.dump().count(b"[redacted]") == 6


@pytest.mark.parametrize("moving_mark", [False, True])
def test_a_long_conversation_takes_room_by_the_turn(*, moving_mark: bool) -> None:
    requests = conversation(100, moving_mark=moving_mark)
    half, whole = len(dumped(requests[:50])), len(dumped(requests))
    assert whole < 2.1 * half
    assert whole < sum(map(len, requests)) / 20


def test_conversations_at_the_same_time_take_room_by_the_turn() -> None:
    one = conversation(100)
    others = [
        [body.replace(b"mend it", word).replace(b"tool_", word) for body in one]
        for word in (b"name it", b"test it")
    ]
    mixed = [body for turn in zip(one, *others, strict=True) for body in turn]
    assert len(dumped(mixed)) < 3.1 * len(dumped(one))
    lines = [json.loads(line) for line in dumped(mixed).splitlines()]
    new = [len(line["request"]["places"]) for line in lines if "path" in line][3:]
    assert max(new) <= 6


def test_exchanges_may_come_from_many_threads() -> None:
    recorder = Recorder([], "m")
    bodies = conversation(40)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda body: recorder.add(Exchange("/v1/messages", body, 200)), bodies))
    assert sorted(e.request for e in cassette.load(recorder.dump())) == sorted(bodies)


def test_a_packed_cassette_is_the_same_file_each_time() -> None:
    dump = dumped(conversation(3))
    assert cassette.pack(dump) == cassette.pack(dump)
    assert cassette.pack(dump)[4:8] == bytes(4)
    assert list(cassette.load(cassette.pack(dump))) == list(cassette.load(dump))


def test_a_dump_of_what_was_loaded_is_the_same_dump() -> None:
    dump = dumped(conversation(12, moving_mark=True))
    assert cassette.dump(cassette.load(dump)) == dump


def test_half_a_surrogate_pair_in_a_path_does_not_lose_the_recording() -> None:
    exchange = Exchange("/v1/\ud800", b"{}", 200)
    assert kept(exchange).exchange(0) == replace(exchange, path="/v1/?")
