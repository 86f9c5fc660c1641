"""What a line recorded answers in the provider's place."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import httpx2
import pytest

from harness.domain.model import Api, Budget, Usage
from harness.domain.price import Price
from harness.gateway.base import REFUSAL, Access, Line, Refusal
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.settings import Secrets
from harness.testing.provider import Call, Cuts, Fails, Says
from tests.gateway.conftest import Start
from tests.gateway.rig import NOW, Rig, ask, client, model_of, question, turn, undated

USED = Usage(input_tokens=1000, output_tokens=20, cached_tokens=500)
ANSWERS = (Says("I look.", calls=(Call("bash"),), usage=USED), Fails(400, "too bad"), Says("Done."))
APIS = pytest.mark.parametrize("api", list(Api))


def _replaying(
    one: Rig, recording: bytes, api: Api, prices: Mapping[str, Price] | None = None
) -> Line:
    """A line of another gateway, which has no key and no provider."""
    one.double.close()
    gateway = one.stack.enter_context(
        ModelGateway(Targets(Secrets(), None, {}), Prices(prices or {}), lambda: NOW, "other")
    )
    access = Access("replay", model_of(api), Budget(), replay=recording)
    return one.stack.enter_context(gateway.open(access))


def _talk(line: Line, api: Api, *, stream: bool) -> list[tuple[int, bytes, str | None]]:
    """Three turns and a question that the gateway refuses."""
    bodies = [turn(api, stream=stream, temperature=n / 10) for n in range(3)]
    answers = [ask(line, api, body) for body in [*bodies, question(api, model="other")]]
    return [(a.status_code, a.content, a.headers.get("content-type")) for a in answers]


@APIS
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_replay_gives_the_same_bytes_usage_and_cost(
    start: Start, api: Api, *, stream: bool
) -> None:
    one = start(*ANSWERS)
    line = one.line(api)
    talked = _talk(line, api, stream=stream)
    played = _replaying(one, line.recording(), api)

    assert _talk(played, api, stream=stream) == talked
    # how fast the first word came is not that of the replay
    assert replace(played.use(), first_token_s=None) == replace(line.use(), first_token_s=None)
    assert (played.spent, played.fault) == (line.spent, line.fault)


def test_a_recording_of_a_replay_can_be_replayed(start: Start) -> None:
    one = start(*ANSWERS)
    line = one.line()
    talked = _talk(line, Api.MESSAGES, stream=True)
    again = _replaying(one, line.recording(), Api.MESSAGES)
    _talk(again, Api.MESSAGES, stream=True)
    third = _replaying(one, again.recording(), Api.MESSAGES)
    assert _talk(third, Api.MESSAGES, stream=True) == talked


def test_what_was_not_recorded_is_refused_with_the_nearest(start: Start) -> None:
    one = start(*ANSWERS)
    line = one.line()
    ask(line, body=turn())
    played = _replaying(one, line.recording(), Api.MESSAGES)
    answer = ask(played, body=turn(messages=[{"role": "user", "content": "something else"}]))

    assert (answer.status_code, answer.headers[REFUSAL]) == (400, "replay")
    assert "nearest" in answer.json()["error"]["message"]
    assert played.fault is not None
    assert "the recording does not hold this POST messages" in played.fault
    assert (played.use().refused, played.use().requests) == (1, 0)


def test_a_budget_that_ended_the_run_ends_the_replay(start: Start) -> None:
    one = start(script=lambda _seen, _number: Says("ok"))
    line = one.line(budget=Budget(turns=2))
    talked = _talk(line, Api.MESSAGES, stream=False)
    played = _replaying(one, line.recording(), Api.MESSAGES)
    assert _talk(played, Api.MESSAGES, stream=False) == talked
    assert (played.spent, line.spent) == (Refusal.TURNS, Refusal.TURNS)


def test_a_refused_chat_stream_is_found_again(start: Start) -> None:
    one = start(script=lambda _seen, _number: Says("ok"))
    line = one.line(Api.CHAT, Budget(turns=1))
    body = turn(Api.CHAT, stream=True)
    talked = [ask(line, Api.CHAT, body).content for _ in range(2)]
    played = _replaying(one, line.recording(), Api.CHAT)
    assert [ask(played, Api.CHAT, body).content for _ in range(2)] == talked
    assert (played.spent, played.fault) == (Refusal.TURNS, None)


def test_a_cost_is_that_of_the_day_of_the_recording(start: Start) -> None:
    one = start(Says("ok", usage=USED))
    line = one.line()
    ask(line)
    dear = {model_of(Api.MESSAGES).label: Price(Decimal(10**6), Decimal(1))}
    played = _replaying(one, line.recording(), Api.MESSAGES, dear)
    ask(played)
    assert line.use().cost_usd is not None
    assert played.use().cost_usd == line.use().cost_usd


def test_a_provider_that_was_gone_is_gone_in_the_replay(start: Start) -> None:
    one = start()
    gone = replace(model_of(Api.MESSAGES), endpoint="http://127.0.0.1:1")
    line = one.line(model=gone)
    first = ask(line, body=turn())
    played = _replaying(one, line.recording(), Api.MESSAGES)
    second = ask(played, body=turn())
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert played.fault == line.fault
    assert played.use().failed == line.use().failed == 1
    assert played.use().requests == line.use().requests == 1
    assert played.use().turns == line.use().turns == 0


def test_a_stream_that_was_cut_is_cut_again(start: Start) -> None:
    one = start(Cuts(Says("a long answer"), after_events=4))
    line = one.line()
    cut = _until_it_breaks(line)
    line.settle()
    played = _replaying(one, line.recording(), Api.MESSAGES)
    assert undated(_until_it_breaks(played)) == undated(cut)
    assert played.fault == line.fault
    assert played.use().usage == line.use().usage


def _until_it_breaks(line: Line) -> bytes:

    got = b""
    with (
        client(line) as http,
        http.stream("POST", "/v1/messages", json=turn(stream=True)) as answer,
        suppress(httpx2.RemoteProtocolError),
    ):
        for chunk in answer.iter_raw():
            got += chunk
        pytest.fail("it came to an end")
    return got


def test_a_chat_stream_hides_the_usage_in_a_replay_too(start: Start) -> None:
    one = start(Says("hi", usage=USED))
    line = one.line(Api.CHAT)
    body = turn(Api.CHAT, stream=True)
    first = ask(line, Api.CHAT, body)
    played = _replaying(one, line.recording(), Api.CHAT)
    second = ask(played, Api.CHAT, body)
    assert second.content == first.content
    assert b'"usage":{' not in second.content
    assert played.use().usage == USED


def test_a_wrong_token_is_not_recorded(start: Start) -> None:
    one = start()
    line = one.line()
    empty = line.recording()
    with client(line, "wrong") as http:
        http.post("/v1/messages", json=question())
    assert line.recording() == empty
