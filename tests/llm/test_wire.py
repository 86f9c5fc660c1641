from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from harness.domain.model import ModelSettings
from harness.errors import MintmarkError, ProviderFault, UsageError
from harness.gateway.base import REFUSAL, Refusal
from harness.llm.base import ContextTooLong, OutOfBudget, Stop, User
from harness.llm.wire import REFUSAL_HEADER, Connection
from harness.testing.provider import (
    KEY,
    Answer,
    Cuts,
    Fails,
    Garbage,
    Hangs,
    ProviderDouble,
    Says,
    TooLong,
    plays,
)
from harness.testing.provider import Stop as Word
from tests.llm.chats import BOTH, MakeChat, hurried, refusing

STREAM = "text/event-stream"
HI = [User("Hi")]


@pytest.fixture(params=BOTH, name="make")
def make_chat(request: pytest.FixtureRequest) -> MakeChat:
    return BOTH[request.param]


def events(*data: str) -> Garbage:
    return Garbage("".join(f"event: x\ndata: {d}\n\n" for d in data).encode(), 200, STREAM)


def test_the_header_is_the_gateways_word() -> None:
    assert REFUSAL_HEADER == REFUSAL


def test_every_refusal_of_the_gateway_has_its_meaning(make: MakeChat, tmp_path: Path) -> None:
    def raised(refusal: Refusal) -> Exception:
        path = tmp_path / refusal
        with (
            refusing(path, refusal, "no more of it") as asked,
            make("http://gateway", socket=path) as chat,
            pytest.raises((OutOfBudget, MintmarkError), match="no more of it") as caught,
        ):
            chat.send(None, HI)
        assert len(asked) == 1, "a refusal is not asked again"
        return caught.value

    for refusal in (Refusal.BUDGET, Refusal.TURNS):
        error = raised(refusal)
        assert isinstance(error, OutOfBudget)
        assert error.turns is (refusal is Refusal.TURNS)
    worlds = {Refusal.PROVIDER, Refusal.REPLAY}
    for refusal in worlds:
        assert isinstance(raised(refusal), ProviderFault)
    for refusal in set(Refusal) - {Refusal.BUDGET, Refusal.TURNS, *worlds}:
        assert isinstance(raised(refusal), UsageError)


def test_a_conversation_that_is_too_long_is_told_apart_from_other_errors(make: MakeChat) -> None:
    with ProviderDouble(plays(TooLong())) as double, make(double.url) as chat:
        with pytest.raises(ContextTooLong):
            chat.send(None, HI)
        assert len(double.completions) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 529])
def test_an_error_that_the_gateway_let_through_is_the_providers(
    make: MakeChat, status: int
) -> None:
    with ProviderDouble(plays(Fails(status, "for a reason"))) as double, make(double.url) as chat:
        with pytest.raises(ProviderFault, match=rf"{status}.*for a reason"):
            chat.send(None, HI)
        assert len(double.completions) == 1, "whatever can be retried, the gateway has retried"


@pytest.mark.parametrize(
    "broken",
    [
        Cuts(Says("A long answer."), after_events=3),
        Cuts(Says("A long answer."), after_events=3, error=Fails(529, "Overloaded")),
        events(),
    ],
    ids=["cut", "error", "empty"],
)
def test_an_answer_that_breaks_off_is_asked_for_again(make: MakeChat, broken: Answer) -> None:
    slept: list[float] = []
    script = plays(broken, broken, Says("Whole."))
    with ProviderDouble(script) as double, make(double.url, patience=hurried(slept)) as chat:
        assert chat.send(None, HI).text == "Whole."
        bodies = [seen.body for seen in double.completions]
    assert bodies[0] == bodies[1] == bodies[2]
    assert slept == [1.0, 2.0]


def test_an_answer_that_breaks_off_every_time_is_a_fault(make: MakeChat) -> None:
    broken = Cuts(Says("A long answer."), after_events=3)
    with ProviderDouble(lambda *_: broken) as double, make(double.url) as chat:
        with pytest.raises(ProviderFault, match="asked 3 times"):
            chat.send(None, HI)
        assert len(double.completions) == 3


def test_nobody_at_the_other_end_is_a_fault(make: MakeChat) -> None:
    # over TCP, because httpcore leaves the unix socket that it could not connect to the collector
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        make(f"http://127.0.0.1:{port}") as chat,
        pytest.raises(ProviderFault, match="asked 3 times"),
    ):
        chat.send(None, HI)


@pytest.mark.parametrize(
    "garbage",
    [
        Garbage(b"<html>Welcome</html>", 200, "text/html"),
        Garbage(b"<html>Not here</html>", 404, "text/html"),
        Garbage(b"[]", 400),
        Garbage(b'{"error": "no"}', 400),
        events("[]"),
        events("null"),
        events("{"),
        events("[" * 100_000),
        events('{"choices": [3]}'),
        events('{"choices": [{"delta": {"content": 3, "tool_calls": [3]}}]}'),
        events('{"type": "content_block_start", "index": 0, "content_block": 3}'),
        Garbage(b"event: x\ndata: \xff\n\n", 200, STREAM),
    ],
)
def test_garbage_is_a_fault_and_no_crash(make: MakeChat, garbage: Garbage) -> None:
    with (
        ProviderDouble(lambda *_: garbage) as double,
        make(double.url) as chat,
        pytest.raises(ProviderFault),
    ):
        chat.send(None, HI)


@pytest.mark.parametrize(
    "slow", [Hangs(60), Says("drip " * 100, pieces=100, pause_s=0.05)], ids=["silent", "dripping"]
)
def test_a_provider_that_hangs_does_not_outlive_the_request(make: MakeChat, slow: Answer) -> None:
    before = time.monotonic()
    with ProviderDouble(plays(slow)) as double, make(double.url) as chat:
        with pytest.raises(ProviderFault, match="asked once"):
            chat.send(None, HI, timeout_s=0.2)
        assert len(double.completions) == 1
    # neither the minute nor the five seconds that it would have taken
    assert time.monotonic() - before < 4


@pytest.mark.parametrize(
    ("word", "stop"), [(Word.LENGTH, Stop.LENGTH), (Word.REFUSED, Stop.REFUSED)]
)
def test_an_answer_that_ends_early_says_why(make: MakeChat, word: Word, stop: Stop) -> None:
    with ProviderDouble(plays(Says("Well", stop=word))) as double, make(double.url) as chat:
        turn = chat.send(None, HI)
    assert turn.stop is stop
    assert turn.text == "Well"


def test_nothing_of_the_surroundings_gets_into_a_request(
    make: MakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "sk-canary")
    for name in ("ANTHROPIC_CUSTOM_HEADERS", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "x-api-key: sk-canary\nAuthorization: Bearer sk-canary")
    for name in ("HTTP_PROXY", "ALL_PROXY", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ProviderDouble(plays(Says("ok"))) as double, make(double.url) as chat:
        chat.send(None, HI)
        [seen] = double.requests
    assert "canary" not in json.dumps([dict(seen.headers), seen.body])


def test_a_connection_is_not_shown_with_its_key() -> None:
    assert KEY not in repr(Connection("http://gateway", KEY))


def test_a_unix_socket_serves_as_well(make: MakeChat, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with ProviderDouble(plays(Says("ok")), path=path) as double:
        with make("http://gateway", ModelSettings(), socket=path) as chat:
            assert chat.send(None, HI).text == "ok"
        assert double.completions[0].headers["host"] == "gateway"
