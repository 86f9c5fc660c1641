"""When the provider says no, hangs up or asks for patience."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import httpx2
import pytest

from harness.domain.model import Api, ModelRef
from harness.gateway.base import REFUSAL
from harness.gateway.upstream import TRIES, Limiter, is_hopeless, pause, retry_after_s
from harness.testing.provider import Answer, Cuts, Fails, Garbage, Says
from harness.testing.provider.seen import Seen
from tests.gateway.conftest import Start
from tests.gateway.dropping import ANSWER, WHOLE, dropping
from tests.gateway.rig import FakeClock, Rig, ask, client, question, turn

FINE = Says("fine")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_asked_again(start: Start, status: int) -> None:
    one = start(Fails(status, "later"), Fails(status, "later"), FINE)
    line = one.line()
    answer = ask(line, body=turn())
    use = line.use()
    assert answer.status_code == 200
    assert (use.requests, use.turns, use.retries, use.failed) == (1, 1, 2, 0)
    assert use.waited_s == pytest.approx(sum(one.time.slept))
    assert len(one.double.completions) == 3
    assert line.fault is None


@pytest.mark.parametrize(
    "failure",
    [
        Fails(400, "no"),
        Fails(401, "no"),
        Fails(403, "no"),
        Fails(404, "no"),
        Fails(413, "no"),
        Fails(429, "you are out of money", kind="insufficient_quota"),
        Fails(500, "do not", should_retry=False),
        Fails(429, "come back tomorrow", retry_after=86400),
    ],
    ids=str,
)
def test_what_will_not_pass_is_not_asked_again(start: Start, failure: Fails) -> None:
    one = start(failure, FINE)
    line = one.line(Api.CHAT)
    answer = ask(line, Api.CHAT, turn(Api.CHAT))
    assert answer.status_code == failure.status
    assert answer.json()["error"]["message"] == failure.message
    assert one.time.slept == []
    assert (line.use().retries, line.use().failed, line.use().turns) == (0, 1, 0)
    assert line.use().requests == 1


def test_the_provider_says_how_long_to_wait(start: Start) -> None:
    one = start(Fails(429, "slowly", retry_after=7), FINE)
    line = one.line()
    ask(line)
    assert len(one.time.slept) == 1
    assert 7 <= one.time.slept[0] <= 8
    assert line.use().waited_s >= 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Fri, 02 Jan 2026 00:01:30 GMT"}, 90),
        ({"retry-after": "Fri, 02 Jan 2026 00:01:30 -0000"}, 90),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:00 GMT"}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after-ms": "soon", "retry-after": "4"}, 4),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Fri, 02 Jan 999999 00:01:30 GMT"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_a_wait_is_told_in_many_ways(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(httpx2.Headers(headers), NOW) == seconds


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"error":[]}', b'{"error":{"code":[],"type":{}}}', b"\xff", b"1"]
)
def test_an_error_in_any_shape_leaves_hope(body: bytes) -> None:
    assert not is_hopeless(body)


def test_pauses_grow_to_a_limit_and_never_agree() -> None:
    assert all(0.25 <= pause(0) <= 0.5 for _ in range(50))
    assert all(15 <= pause(20) <= 30 for _ in range(50))
    assert len({pause(3) for _ in range(50)}) > 1


def test_a_provider_that_never_recovers_has_the_last_word(start: Start) -> None:
    one = start(script=lambda _seen, _number: Fails(529, "overloaded"))
    line = one.line()
    answer = ask(line, body=turn())
    assert answer.status_code == 529
    assert len(one.double.completions) == TRIES
    assert line.use().retries == TRIES - 1
    assert (line.use().failed, line.use().turns, line.use().requests) == (1, 0, 1)
    assert line.fault == "anthropic answered 529: overloaded"


def _endpoint(one: Rig, url: str) -> ModelRef:
    del one
    return ModelRef("anthropic", "claude-sonnet-4-5", url)


def test_a_connection_that_drops_before_the_answer_is_tried_again(start: Start) -> None:
    one = start()
    with dropping(b"", b"", WHOLE) as url:
        line = one.line(model=_endpoint(one, url))
        answer = ask(line)
    assert answer.content == ANSWER
    assert line.use().retries == 2
    assert line.use().usage.total == 10
    assert line.use().waited_s == pytest.approx(sum(one.time.slept))


def test_a_provider_that_is_gone_is_a_refusal_and_a_fault_until_it_is_back(start: Start) -> None:
    one = start(FINE)
    line = one.line()
    gone = one.line(model=_endpoint(one, "http://127.0.0.1:1"))
    answer = ask(gone, body=turn())
    assert (answer.status_code, answer.headers[REFUSAL]) == (502, "provider")
    assert answer.json()["error"]["message"].startswith("gateway: anthropic does not answer: ")
    assert gone.fault is not None
    assert gone.fault.startswith("anthropic does not answer: ConnectError")
    use = gone.use()
    assert (use.failed, use.refused, use.turns, use.requests) == (1, 0, 0, 1)
    assert use.retries == TRIES - 1
    assert ask(line).status_code == 200
    assert line.fault is None


def test_where_one_line_is_told_to_wait_the_other_waits_too(start: Start) -> None:
    one = start(script=_refuse_until(2))
    first, second = one.line(), one.line()
    asked = threading.Thread(target=ask, args=(second,))

    async def meanwhile() -> None:
        asked.start()
        while second.use().requests == 0:  # noqa: ASYNC110  # a thread, which tells nobody
            await asyncio.sleep(0)
        # the other has come in: the time that passes now passes for both
        for _ in range(50):
            await asyncio.sleep(0)

    one.time.meanwhile = meanwhile
    assert ask(first).status_code == 200
    asked.join()
    assert len(one.time.slept) == 2
    assert second.use().waited_s >= 5
    assert (first.use().retries, second.use().retries) == (1, 0)


def _refuse_until(number: int) -> Callable[[Seen, int], Answer]:
    return lambda _seen, n: Fails(429, "slowly", retry_after=5) if n < number - 1 else FINE


def test_a_limiter_halves_when_it_is_overrun_and_recovers_by_and_by() -> None:
    async def story() -> list[int]:
        limiter = Limiter(FakeClock().clock, most=8, allowed=8)
        said = [limiter.allowed]
        for _ in range(3):
            limiter.overrun(1)
        limiter.overrun(1)
        said.append(limiter.allowed)
        for _ in range(10):
            limiter.answered(well=True)
        return [*said, limiter.allowed]

    assert asyncio.run(story()) == [8, 1, 2]


def test_a_place_that_was_waited_for_in_vain_is_not_lost() -> None:
    async def story() -> None:
        limiter = Limiter(FakeClock().clock, most=1, allowed=1)
        await limiter.enter()
        waiting = [asyncio.create_task(limiter.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        limiter.leave()
        await waiting[1]
        assert not waiting[2].done()
        limiter.leave()
        await waiting[2]

    asyncio.run(story())


def test_a_stream_that_the_provider_cuts_is_cut_for_the_client_too(start: Start) -> None:
    line = start(Cuts(Says("a long answer"), after_events=4)).line()
    with (
        client(line) as http,
        http.stream("POST", "/v1/messages", json=turn(stream=True)) as answer,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        answer.read()
    line.settle()
    assert line.fault is not None
    assert line.fault.startswith("anthropic broke off its answer: ")
    assert line.use().usage.input_tokens == 100
    assert (line.use().turns, line.use().failed) == (1, 0)


def test_an_error_within_a_stream_passes_and_is_a_fault(start: Start) -> None:
    cut = Cuts(Says("a long answer"), 3, Fails(529, "overloaded"))
    line = start(cut).line()
    answer = ask(line, body=question(stream=True))
    assert b"overloaded" in answer.content
    assert line.fault == "anthropic broke off its answer: it ended too early"


def test_a_packed_answer_is_unpacked_for_the_meter_and_the_client(start: Start) -> None:
    import gzip  # noqa: PLC0415  # only here

    data = gzip.compress(ANSWER)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-type: application/json\r\n"
    one = start()
    with dropping(head + b"content-length: %d\r\n\r\n" % len(data) + data) as url:
        line = one.line(model=_endpoint(one, url))
        assert ask(line).content == ANSWER
    assert line.use().usage.total == 10


def test_headers_that_cannot_be_sent_on_are_left_out(start: Start) -> None:
    strange = WHOLE.replace(b"\r\n\r\n", "\r\nrequest-id: \u20ac\r\n\r\n".encode(), 1)
    one = start()
    with dropping(strange) as url:
        answer = ask(one.line(model=_endpoint(one, url)))
    assert answer.content == ANSWER
    assert "request-id" not in answer.headers


def test_nothing_of_a_garbled_answer_hurts(start: Start) -> None:
    line = start(Garbage(b"\x00\xff" * 99, status=418), Garbage(b"", status=301)).line()
    assert ask(line).status_code == 418
    assert ask(line).status_code == 301
    assert line.use().failed == 2
