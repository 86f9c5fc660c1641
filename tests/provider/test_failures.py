"""Failures arrive as the SDKs' own exceptions."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

import anthropic
import httpx2
import openai
import pytest

from harness.testing.provider import (
    KEY,
    Call,
    Cuts,
    Fails,
    Garbage,
    Hangs,
    ProviderDouble,
    Says,
    TooLong,
    plays,
)
from tests.provider.asking import BODIES, PATHS, Start, Talk, plain_client, post, post_with, stream

APIS = pytest.mark.parametrize("api", PATHS)
BOTH = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


def ask_sdk(talk: Talk, api: str, *, streamed: bool = False) -> None:
    """Ask through the SDK and read the answer to its end."""
    create = {
        "messages": talk.anthropic.messages.create,
        "chat": talk.openai.chat.completions.create,
        "responses": talk.openai.responses.create,
    }[api]
    got = create(**BODIES[api], stream=streamed)
    if streamed:
        list(got)


def streaming(
    client: httpx2.Client, double: ProviderDouble, api: str
) -> AbstractContextManager[httpx2.Response]:
    body = BODIES[api] | {"stream": True}
    headers = {"authorization": f"Bearer {KEY}"}
    return client.stream("POST", double.url + PATHS[api], json=body, headers=headers)


@pytest.mark.parametrize(
    ("status", "of_anthropic", "of_openai", "kind"),
    [
        (400, anthropic.BadRequestError, openai.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, openai.AuthenticationError, "authentication_error"),
        (403, anthropic.PermissionDeniedError, openai.PermissionDeniedError, "permission_error"),
        (404, anthropic.NotFoundError, openai.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, openai.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, openai.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, openai.InternalServerError, "overloaded_error"),
    ],
)
@BOTH
def test_a_status_raises_the_sdks_own_exception(
    start: Start,
    status: int,
    of_anthropic: type[anthropic.APIStatusError],
    of_openai: type[openai.APIStatusError],
    kind: str,
    *,
    streamed: bool,
) -> None:
    talk = start(*[Fails(status, "not today")] * 3)
    with pytest.raises(of_anthropic, match="not today") as caught:
        ask_sdk(talk, "messages", streamed=streamed)
    assert caught.value.body["error"]["type"] == kind
    assert caught.value.request_id
    for api in ("chat", "responses"):
        with pytest.raises(of_openai, match="not today") as refused:
            ask_sdk(talk, api, streamed=streamed)
        assert refused.value.status_code == status


def test_a_kind_is_anthropics_type_and_openais_code(start: Start) -> None:
    talk = start(*[Fails(429, "pay first", "insufficient_quota")] * 2)
    with pytest.raises(anthropic.RateLimitError) as caught:
        ask_sdk(talk, "messages")
    assert caught.value.body["error"]["type"] == "insufficient_quota"
    with pytest.raises(openai.RateLimitError) as refused:
        ask_sdk(talk, "chat")
    assert refused.value.code == "insufficient_quota"


@APIS
def test_retry_after_arrives_in_seconds(start: Start, api: str) -> None:
    talk = start(Fails(429, "slow down", retry_after=7), Fails(429, "slow down", retry_after=0.05))
    assert post(talk.double, api).headers["retry-after"] == "7"
    assert post(talk.double, api).headers["retry-after"] == "0.05"


def test_an_sdk_that_retries_succeeds_after_a_429(start: Start) -> None:
    talk = start(Fails(429, "slow down", retry_after=0.001), Says("Hi."))
    got = talk.anthropic.with_options(max_retries=1).messages.create(**BODIES["messages"])
    assert got.content[0].text == "Hi."
    assert len(talk.double.completions) == 2


@pytest.mark.parametrize(
    ("api", "message", "param"),
    [
        ("chat", "maximum context length is 9 tokens", "messages"),
        ("responses", "exceeds the context window", "input"),
    ],
)
def test_openai_says_that_a_context_is_too_long(
    start: Start, api: str, message: str, param: str
) -> None:
    talk = start(TooLong(tokens=10, limit=9))
    with pytest.raises(openai.BadRequestError, match=message) as caught:
        ask_sdk(talk, api)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", param)


def test_anthropic_says_that_a_prompt_is_too_long(start: Start) -> None:
    talk = start(TooLong(tokens=10, limit=9))
    with pytest.raises(anthropic.BadRequestError, match="too long: 10 tokens > 9") as caught:
        ask_sdk(talk, "messages")
    assert caught.value.body["error"]["type"] == "invalid_request_error"


@APIS
@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_cut_stream_sends_so_many_events_and_then_raises(
    start: Start, api: str, after: int
) -> None:
    talk = start(*[Cuts(Says("Hello, world.", calls=(Call("look"),)), after)] * 2)
    with pytest.raises((httpx2.RemoteProtocolError, openai.APIConnectionError)):
        ask_sdk(talk, api, streamed=True)
    with plain_client() as client, streaming(client, talk.double, api) as response:
        got: list[bytes] = []
        with pytest.raises(httpx2.RemoteProtocolError):
            got.extend(response.iter_raw())
    assert b"".join(got).count(b"\n\n") == after


@APIS
def test_a_cut_body_raises(start: Start, api: str) -> None:
    talk = start(Cuts(Says("Hello, world."), 3))
    with pytest.raises((anthropic.APIConnectionError, openai.APIConnectionError)):
        ask_sdk(talk, api)


def test_an_anthropic_stream_may_fail_in_the_middle(start: Start) -> None:
    talk = start(Cuts(Says("Hello."), 3, Fails(529, "Overloaded")))
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        ask_sdk(talk, "messages", streamed=True)


def test_a_chat_stream_may_fail_in_the_middle(start: Start) -> None:
    talk = start(Cuts(Says("Hello."), 3, Fails(500, "server trouble")))
    with pytest.raises(openai.APIError, match="server trouble"):
        ask_sdk(talk, "chat", streamed=True)


def test_a_responses_stream_may_fail_in_the_middle(start: Start) -> None:
    talk = start(Cuts(Says("Hello."), 3, Fails(500, "server trouble")))
    *_, last = talk.openai.responses.create(**BODIES["responses"], stream=True)
    assert (last.type, last.sequence_number) == ("response.failed", 3)
    assert last.response.error.message == "server trouble"


@APIS
@BOTH
def test_a_wrong_key_is_refused_and_the_script_not_asked(
    start: Start, api: str, *, streamed: bool
) -> None:
    talk = start(Says("Hi."), key="sk-other")
    with pytest.raises((anthropic.AuthenticationError, openai.AuthenticationError)):
        ask_sdk(talk, api, streamed=streamed)
    assert talk.double.completions == []
    assert [seen.key for seen in talk.double.requests] == ["sk-other"]


@APIS
def test_a_missing_key_is_refused(start: Start, api: str) -> None:
    double = start(Says("Hi.")).double
    assert post_with(double, api, {}, json=BODIES[api]).status_code == 401


def test_openai_does_not_look_at_anthropics_header(start: Start) -> None:
    double = start(Says("Hi.")).double
    headers = {"x-api-key": "sk-double"}
    got = post_with(double, "chat", headers, json=BODIES["chat"])
    assert got.status_code == 401


@APIS
def test_every_key_may_come_in(api: str) -> None:
    with ProviderDouble(plays(Says("Hi.")), key=None) as double:
        assert post_with(double, api, {}, json=BODIES[api]).is_success


@APIS
def test_garbage_is_sent_as_it_is(start: Start, api: str) -> None:
    double = start(Garbage(b"\x00<html>", 502, "text/html")).double
    got = post(double, api)
    assert (got.status_code, got.content) == (502, b"\x00<html>")
    assert got.headers["content-type"].startswith("text/html")


@APIS
def test_a_body_that_is_no_json_is_refused(start: Start, api: str) -> None:
    double = start(Says("Hi.")).double
    headers = {"authorization": f"Bearer {KEY}"}
    got = post_with(double, api, headers, content=b"{")
    assert (got.status_code, double.completions) == (400, [])


def test_an_unknown_path_is_not_found_in_the_shape_of_who_asks(start: Start) -> None:
    talk = start()
    with pytest.raises(anthropic.NotFoundError):
        talk.anthropic.post("/v1/complete", cast_to=object)
    with pytest.raises(openai.NotFoundError):
        talk.openai.post("/embeddings", cast_to=object)


@APIS
def test_silence_ends_when_the_double_is_closed(api: str) -> None:
    arrived = threading.Event()
    ended: list[httpx2.Response | httpx2.TransportError] = []

    def script(*_: object) -> Hangs:
        arrived.set()
        return Hangs(3600)

    def wait(double: ProviderDouble) -> None:
        try:
            ended.append(post(double, api))
        except httpx2.TransportError as error:
            ended.append(error)

    with ProviderDouble(script) as double:
        thread = threading.Thread(target=wait, args=(double,))
        thread.start()
        assert arrived.wait(10)
    thread.join(10)
    assert ended


@APIS
def test_silence_that_is_over_is_a_504(start: Start, api: str) -> None:
    assert post(start(Hangs(0.001)).double, api).status_code == 504


def test_a_stream_that_is_being_sent_ends_when_the_double_is_closed() -> None:
    slow = Says("Hello, world.", pause_s=3600)
    double = ProviderDouble(plays(slow))
    with plain_client() as client, double, streaming(client, double, "chat") as response:
        parts = response.iter_raw()
        assert next(parts).startswith(b"data: ")
        double.close()
        with pytest.raises(httpx2.RemoteProtocolError):
            list(parts)


def test_pauses_change_nothing_about_what_is_sent(start: Start) -> None:
    talk = start(Says("Hello.", delay_s=0.001, pause_s=0.001), Says("Hello."))
    slow, fast = (stream(talk.double, "messages") for _ in range(2))
    assert [name for name, _ in slow] == [name for name, _ in fast]
