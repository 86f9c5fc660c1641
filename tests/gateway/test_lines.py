"""What passes a line: the bytes, and nothing of the agent's beside them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.domain.model import Api, ModelRef, Usage
from harness.gateway.base import REFUSAL
from harness.testing.provider import Call, Fails, Garbage, Says
from tests.gateway.conftest import Start
from tests.gateway.dropping import dropping
from tests.gateway.rig import CLAUDE, PATHS, ask, client, question, straight, turn, undated

USED = Usage(input_tokens=1000, output_tokens=20, cached_tokens=500)
ANSWER = Says("I look.", calls=(Call("bash", '{"command": "ls"}'),), usage=USED)
CANARY = "sk-ant-canary-0123456789-abcdefgh"
APIS = pytest.mark.parametrize("api", list(Api))
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def _first(_seen: object, _number: int) -> Says:
    return ANSWER


@APIS
@STREAMED
def test_an_answer_comes_through_byte_for_byte(start: Start, api: Api, *, stream: bool) -> None:
    usage = {"stream_options": {"include_usage": True}} if stream and api is Api.CHAT else {}
    body = turn(api, stream=stream, **usage)
    expected = straight(_first, api, body)
    one = start(ANSWER)
    line = one.line(api)

    answer = ask(line, api, body)

    assert undated(answer.content) == undated(expected.content)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == expected.headers["content-type"]
    assert REFUSAL not in answer.headers
    assert json.loads(one.double.requests[0].raw) == body
    assert line.use().usage == USED
    assert (line.use().requests, line.use().turns, line.fault, line.spent) == (1, 1, None, None)


@APIS
def test_the_provider_gets_the_real_key_and_none_of_the_agents_own_headers(
    start: Start, api: Api
) -> None:
    one = start(ANSWER, key=CANARY)
    line = one.line(api)
    own = {
        "authorization": "Bearer of-the-agent",
        "cookie": "session=agent",
        "x-forwarded-for": "10.0.0.1",
        "user-agent": "agent/1",
        "openai-organization": "somebody",
        "x-agent": "1",
    }
    with client(line) as http:
        answer = http.post(PATHS[api], json=question(api), headers=own)

    seen = one.double.requests[0].headers
    assert answer.status_code == 200
    assert one.double.requests[0].key == CANARY
    assert not {"cookie", "x-forwarded-for", "openai-organization", "x-agent"} & seen.keys()
    assert "of-the-agent" not in str(seen)
    assert "agent/1" not in str(seen)
    assert line.token not in str(seen)


def test_the_key_is_nowhere_but_at_the_provider(start: Start) -> None:
    one = start(Fails(400, f"what is {CANARY} for?"), Fails(401, f"bad key {CANARY}"), key=CANARY)
    line = one.line()
    answers = [ask(line), ask(line)]

    assert [answer.status_code for answer in answers] == [400, 401]
    for answer in answers:
        assert CANARY not in answer.text
        assert CANARY not in str(answer.headers)
    assert CANARY not in str(line.fault)
    recorded = line.recording().decode()
    assert CANARY not in recorded
    assert line.token not in recorded


def test_what_a_protocol_says_in_headers_is_passed_on(start: Start) -> None:
    one = start(ANSWER)
    said = {"anthropic-version": "2023-06-01", "anthropic-beta": "one,two"}
    with client(one.line()) as http:
        http.post("/v1/messages?beta=true", json=question(), headers=said)
    assert said.items() <= one.double.requests[0].headers.items()


def test_a_header_that_no_library_can_send_is_left_out(start: Start) -> None:
    one = start(ANSWER)
    with client(one.line()) as http:
        answer = http.post("/v1/messages", json=question(), headers={"anthropic-beta": b"\xff\xfe"})
    assert answer.status_code == 200
    assert "anthropic-beta" not in one.double.requests[0].headers


@pytest.mark.parametrize("token", ["", "wrong", "sk-double", "mintmark-", "\u00e9"])
def test_a_wrong_token_is_refused(start: Start, token: str) -> None:
    one = start()
    line = one.line()
    with client(line, "x") as http:
        answer = http.post("/v1/messages", json=question(), headers={"x-api-key": token.encode()})
    assert (answer.status_code, answer.headers[REFUSAL]) == (401, "token")
    assert one.double.requests == []
    assert line.use().refused == 1
    assert line.use().requests == 0


def test_a_token_opens_no_other_line_and_none_that_is_closed(start: Start) -> None:
    one = start()
    line, other = one.line(), one.line()
    with client(other, line.token) as http:
        assert http.get("/v1/models").status_code == 401
    with client(line) as http:
        assert http.get("/v1/models").status_code == 200
    one.stack.close()
    assert not line.socket.parent.exists()


def test_the_token_may_come_as_a_bearer(start: Start) -> None:
    line = start(ANSWER).line()
    with client(line, "") as http:
        del http.headers["x-api-key"]
        bearer = {"authorization": f"Bearer {line.token}"}
        assert http.post("/v1/messages", json=question(), headers=bearer).status_code == 200


def test_only_the_model_of_the_run_is_listed(start: Start) -> None:
    with client(start().line()) as http:
        listed = http.get("/v1/models").json()["data"]
        assert [model["id"] for model in listed] == [CLAUDE.name]
        assert http.get(f"/v1/models/{CLAUDE.name}").json()["id"] == CLAUDE.name
        assert http.get("/v1/models/other").status_code == 404
        assert http.head("/").status_code == 200


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_error_of_the_agents_passes_unchanged_and_is_no_fault(start: Start, status: int) -> None:
    failure = Fails(status, "too bad")
    expected = straight(lambda _seen, _number: failure, Api.MESSAGES, question())
    line = start(failure).line()
    answer = ask(line)
    assert (answer.status_code, answer.content) == (status, expected.content)
    assert line.fault is None
    assert (line.use().failed, line.use().requests) == (1, 1)


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_the_agent_cannot_help_is_a_fault_until_the_next_success(
    start: Start, status: int
) -> None:
    line = start(Fails(status, "no such account"), ANSWER).line()
    assert ask(line).status_code == status
    assert (line.fault or "").startswith(f"anthropic answered {status}: no such account")
    ask(line)
    assert line.fault is None


def test_counting_tokens_is_free(start: Start) -> None:
    line = start(ANSWER).line()
    with client(line) as http:
        counted = http.post("/v1/messages/count_tokens", json=turn())
    assert counted.json()["input_tokens"] > 0
    assert (line.use().requests, line.use().turns) == (0, 0)
    assert line.use().cost_usd == 0
    assert line.use().usage == Usage()


def test_a_server_that_cannot_count_tokens_is_no_fault(start: Start) -> None:
    absent = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
    with dropping(absent) as url:
        line = start().line(model=replace(CLAUDE, endpoint=url))
        with client(line) as http:
            assert http.post("/v1/messages/count_tokens", json=turn()).status_code == 404
    assert line.fault is None


def test_a_chat_stream_is_metered_though_the_client_did_not_ask(start: Start) -> None:
    body = turn(Api.CHAT, stream=True)
    expected = straight(_first, Api.CHAT, body)
    one = start(ANSWER)
    line = one.line(Api.CHAT)
    answer = ask(line, Api.CHAT, body)

    # the provider puts an empty field into every event once it is asked
    unasked = answer.content.replace(b',"usage":null', b"")
    assert undated(unasked) == undated(expected.content)
    assert one.double.requests[0].body["stream_options"] == {"include_usage": True}
    assert line.use().usage == USED


def test_an_unknown_price_is_none_and_stays_so(start: Start) -> None:
    unheard = ModelRef("anthropic", "unheard-of")
    line = start(ANSWER, ANSWER).line(model=unheard)
    ask(line, body=question(model=unheard.name))
    assert line.use().cost_usd is None
    assert line.use().usage == USED


def test_an_answer_that_does_not_say_what_it_used_is_counted(start: Start) -> None:
    line = start(Says("Well.", usage=None), ANSWER).line(Api.CHAT)
    ask(line, Api.CHAT)
    ask(line, Api.CHAT)
    assert (line.use().unmetered, line.use().requests) == (1, 2)
    assert line.use().usage == USED
    assert line.use().cost_usd is None


def test_bytes_that_are_no_answer_pass_and_are_a_fault(start: Start) -> None:
    line = start(Garbage(b"<html>hello")).line()
    assert ask(line).content == b"<html>hello"
    assert line.fault == "anthropic broke off its answer: it ended too early"


def test_a_stream_that_was_not_asked_for_is_metered_all_the_same(start: Start) -> None:
    events = straight(_first, Api.MESSAGES, question(stream=True)).content
    line = start(Garbage(events, content_type="text/event-stream")).line()
    assert ask(line).content == events
    assert line.use().usage == USED


def test_every_turn_is_told(start: Start) -> None:
    told: list[str] = []
    line = start(ANSWER, ANSWER).line(tell=told.append)
    ask(line, body=turn())
    ask(line, body=question())
    assert told == ["turn 1, 1,520 tokens, $0.00"]


def test_two_gateways_of_one_process_do_not_know_of_each_other(start: Start) -> None:
    one, two = start(ANSWER), start(ANSWER)
    first, second = one.line(), two.line()
    assert ask(first).status_code == ask(second).status_code == 200
    one.gateway.close()
    assert first.fault == "the model gateway has ended"
    assert second.fault is None
    with client(second) as http:
        assert http.get("/v1/models").status_code == 200


@pytest.mark.parametrize("status", [400, 401, 429, 529])
def test_an_agent_is_told_not_to_try_again_what_the_gateway_has_tried(
    start: Start, status: int
) -> None:
    answer = ask(start(script=lambda _seen, _n: Fails(status, "no")).line())
    assert answer.status_code == status
    assert answer.headers["x-should-retry"] == "false"
