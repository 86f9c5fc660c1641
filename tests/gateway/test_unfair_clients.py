"""What an agent gains by asking unfairly: nothing for itself, and no harm to other runs."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack

import pytest

from harness.agents.external import MOST_STRAY, amount, json_lines
from harness.domain.model import Budget, Usage
from harness.gateway import account
from harness.gateway.base import Line
from harness.gateway.redaction import Redactor
from harness.testing.provider import Fails, Garbage, Says
from tests.gateway.rig import ask, client, question, rig, turn


def hung(line: Line, body: object) -> socket.socket:
    """A request whose answer nobody reads."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(line.socket))
    data = json.dumps(body).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nhost: g\r\nx-api-key: {line.token}\r\n"
    connection.sendall(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data)
    return connection


def test_many_bearers_are_looked_through_once() -> None:
    redactor = Redactor(())
    # a look-ahead from each of them would take hours
    assert redactor.clean(b"Bearer+" * 1_000_000) == b"Bearer+" * 1_000_000
    assert redactor.clean(b"Bearer abcdefghijklmnopqrst1") == b"Bearer [redacted]"
    prose = b"Bearer authentication-is-required"
    assert redactor.clean(prose) == prose


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan"), -1, True, "1"])
def test_what_no_figure_can_be_is_none(value: object) -> None:
    assert amount(value) is None


def test_a_flood_of_stray_lines_is_counted_and_not_kept() -> None:
    said = list(json_lines("x\n" * (MOST_STRAY + 7), lambda _event: []))
    assert len(said) == MOST_STRAY + 1
    assert said[-1].text == "7 more lines that it printed were left out"


def test_hanging_up_before_the_answer_is_not_free() -> None:
    began, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def script(_seen: object, _number: int) -> Says:
        began.release()
        go_on.acquire(timeout=30)
        return Says("x")

    with rig(script) as r:
        line = r.line(budget=Budget(tokens=100))
        for number in range(1, account.MOST_UNPAID + 1):
            with hung(line, turn()):
                assert began.acquire(timeout=30)
            while line.use().failed < number:
                threading.Event().wait(0.01)
            go_on.release()
        assert ask(line).status_code == 400
        assert line.spent == "budget"


def test_the_providers_own_summary_is_metered() -> None:
    used = {"input_tokens": 23, "output_tokens": 1}
    summary = {"type": "compaction", "input_tokens": 180, "output_tokens": 3}
    usage = {**used, "iterations": [summary, {"type": "message", **used}]}
    body = {"type": "message", "model": "m", "content": [], "stop_reason": "x", "usage": usage}
    answer = Garbage(json.dumps(body).encode(), 200, "application/json")
    with rig(lambda _s, _n: answer) as r:
        line = r.line()
        ask(line)
        assert line.use().usage == Usage(203, 4)


def test_a_summary_that_a_stream_names_twice_is_metered_once() -> None:
    summary = {"type": "compaction", "input_tokens": 180, "output_tokens": 3}
    message = {"type": "message", "model": "m", "content": []}
    events = [
        {
            "type": "message_start",
            "message": {**message, "usage": {"input_tokens": 23, "iterations": [summary]}},
        },
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 1, "iterations": [summary]},
        },
        {"type": "message_stop"},
    ]
    stream = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
    with rig(lambda _s, _n: Garbage(stream.encode(), 200, "text/event-stream")) as r:
        line = r.line()
        ask(line, body=question(stream=True))
        assert line.use().usage == Usage(203, 4)


def test_who_does_not_read_holds_up_nobody() -> None:
    def script(seen: object, _number: int) -> Says:
        streamed = getattr(seen, "body", {}).get("stream")
        return Says("word " * (400_000 if streamed else 1), pieces=40)

    with rig(script) as r:
        lines = [r.line() for _ in range(4)]
        with ExitStack() as stack:
            for line in lines * 16:
                stack.enter_context(hung(line, question(stream=True)))
            http = stack.enter_context(client(r.line()))
            assert http.post("/v1/messages", json=question(), timeout=60).status_code == 200


def test_what_a_working_key_may_not_do_is_no_fault_of_the_world() -> None:
    with rig(lambda _s, n: Says("ok") if n == 0 else Fails(404, "no such beta")) as r:
        line = r.line()
        ask(line)
        assert ask(line).status_code == 404
        assert line.fault is None
