"""Requests that are under way when somebody leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from harness.domain.model import Budget, Usage
from harness.errors import ProviderFault, UsageError
from harness.gateway import line as lines
from harness.gateway.base import REFUSAL, Line
from harness.gateway.server import ModelGateway
from harness.gateway.sockets import sockets_folder
from harness.interrupts import Interrupted
from harness.testing.provider import Fails, Hangs, Says
from tests.gateway.conftest import Start
from tests.gateway.rig import Rig, ask, client, question, turn

USED = Usage(input_tokens=1000, output_tokens=20, cached_tokens=500)
SLOW = Says("a long answer " * 9, usage=USED, pieces=9, pause_s=60)
LONG_S = 60.0


def _eventually(one: Rig, number: int = 1) -> None:
    """Until that many requests have reached the provider."""
    while len(one.double.completions) < number:
        threading.Event().wait(0.005)


@pytest.fixture
def asking() -> Iterator[list[threading.Thread]]:
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join()


def _in_thread(threads: list[threading.Thread], line: Line) -> None:
    def run() -> None:
        with suppress(httpx2.TransportError):
            ask(line, body=turn())

    threads.append(threading.Thread(target=run))
    threads[-1].start()


def test_a_client_that_leaves_a_stream_pays_for_what_it_got(start: Start) -> None:
    one = start(SLOW, Says("next"))
    line = one.line()
    with (
        client(line) as http,
        http.stream("POST", "/v1/messages", json=turn(stream=True)) as answer,
    ):
        next(answer.iter_raw())
    line.settle()
    use = line.use()
    assert use.usage.input_tokens == USED.input_tokens
    assert use.usage.cached_tokens == USED.cached_tokens
    assert (use.turns, use.failed, line.fault) == (1, 0, None)
    assert _places_taken(one) == 0


def test_a_client_that_leaves_before_the_answer_holds_no_place(start: Start) -> None:
    one = start(Hangs(LONG_S))
    line = one.line()
    with client(line) as http, pytest.raises(httpx2.ReadTimeout):
        http.post("/v1/messages", json=turn(), timeout=0.05)
    line.settle()
    assert _places_taken(one) == 0
    assert line.fault is None
    assert (line.use().requests, line.use().turns, line.use().failed) == (1, 0, 1)


def test_a_client_that_leaves_while_the_gateway_waits_ends_the_wait(start: Start) -> None:
    one = start(Fails(429, "slowly", retry_after=9), Says("hi"))
    ended = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    one.time.meanwhile = forever
    line = one.line()
    with client(line) as http, pytest.raises(httpx2.ReadTimeout):
        http.post("/v1/messages", json=turn(), timeout=0.05)
    line.settle()
    assert ended.is_set()
    assert _places_taken(one) == 0
    assert len(one.double.completions) == 1


def _places_taken(one: Rig) -> int:
    loop = one.gateway._loop
    assert loop is not None
    return sum(limiter._busy for limiter in loop.upstream._limiters.values())


def test_settling_waits_for_what_ends_soon(start: Start, asking: list[threading.Thread]) -> None:
    one = start(Says("soon", usage=USED, delay_s=0.2))
    line = one.line()
    _in_thread(asking, line)
    _eventually(one)
    line.settle()
    assert line.use().usage == USED


def test_settling_cuts_off_what_hangs(
    start: Start, asking: list[threading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "SETTLE_S", 0.05)
    one = start(Hangs(LONG_S))
    line = one.line()
    _in_thread(asking, line)
    _eventually(one)
    line.settle()
    assert line.fault is None
    assert (line.use().requests, line.use().turns, line.use().failed) == (1, 0, 1)
    assert _places_taken(one) == 0


def test_settling_where_nothing_is_under_way_is_nothing(start: Start) -> None:
    line = start().line()
    line.settle()
    assert line.use().requests == 0


def test_the_end_of_a_line_cuts_off_what_is_under_way(
    start: Start, asking: list[threading.Thread]
) -> None:
    one = start(Hangs(LONG_S))
    line = one.line()
    _in_thread(asking, line)
    _eventually(one)
    one.stack.close()
    asking[0].join()
    assert line.use().failed == 1


def test_a_line_that_is_closed_takes_no_token(start: Start) -> None:
    one = start()
    line = one.line()
    loop = one.gateway._loop
    assert loop is not None
    loop.do(line.close())
    assert ask(line).headers[REFUSAL] == "token"


def test_the_end_of_the_gateway_is_the_fault_of_the_lines_that_are_open(
    start: Start, asking: list[threading.Thread]
) -> None:
    one = start(Hangs(LONG_S))
    line = one.line()
    _in_thread(asking, line)
    _eventually(one)
    one.gateway.close()
    asking[0].join()
    assert line.fault == "the model gateway has ended"
    with socket.socket(socket.AF_UNIX) as late, pytest.raises(ConnectionRefusedError):
        late.connect(str(line.socket))
    line.settle()
    assert line.use().failed == 1


def test_a_gateway_can_be_opened_again_after_its_end(start: Start) -> None:
    one = start(Says("hi"))
    one.line()
    one.gateway.close()
    one.gateway.close()
    assert ask(one.line()).status_code == 200


def test_a_loop_that_dies_leaves_nobody_waiting(
    start: Start, asking: list[threading.Thread]
) -> None:
    one = start(Hangs(LONG_S))
    line = one.line()
    _in_thread(asking, line)
    _eventually(one)
    loop = one.gateway._loop
    assert loop is not None

    async def die() -> None:
        raise SystemExit(3)

    with capture_logs() as logged:
        with pytest.raises((ProviderFault, SystemExit)):
            loop.do(die())
        asking[0].join()
        loop._thread.join()
    with pytest.raises(ProviderFault, match="the model gateway has ended"):
        loop.do(asyncio.sleep(0))
    assert line.fault == "the model gateway has ended"
    line.settle()
    assert [entry["event"] for entry in logged] == ["gateway_ended"]


def test_our_own_bug_is_answered_logged_and_counted(start: Start) -> None:
    def broken(_text: str) -> None:
        raise ZeroDivisionError

    one = start(Says("hi"), Says("hi"))
    line = one.line(tell=broken)
    with (
        capture_logs() as logged,
        client(line) as http,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        http.post("/v1/messages", json=turn())
    assert line.fault == "the gateway failed: ZeroDivisionError"
    assert line.use().failed == 1
    assert [entry["event"] for entry in logged] == ["gateway_failed"]
    assert _places_taken(one) == 0


def test_our_own_bug_before_the_answer_is_an_answer(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(lines, "understand", broken)
    line = start().line()
    answer = ask(line)
    assert (answer.status_code, answer.headers[REFUSAL]) == (500, "provider")
    assert answer.json()["error"]["message"] == "gateway: the gateway failed: ZeroDivisionError"
    assert line.use().failed == 1


def test_our_own_bug_on_the_way_gives_the_turn_back(start: Start) -> None:
    one = start()
    line = one.line()
    loop = one.gateway._loop
    assert loop is not None
    loop.do(loop.upstream._client.aclose())
    assert ask(line, body=turn()).status_code == 500
    assert line.fault == "the gateway failed: RuntimeError"
    assert (line.use().requests, line.use().turns, line.use().failed) == (1, 0, 1)
    assert _places_taken(one) == 0


def test_a_gateway_outlives_its_loop(start: Start) -> None:
    one = start(Says("hi"))
    one.line()
    loop = one.gateway._loop
    assert loop is not None
    loop.close()
    assert ask(one.line()).status_code == 200


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ALL_PROXY", "gopher://nowhere"), ("SSL_CERT_FILE", "/nowhere/bundle.pem")],
)
def test_a_network_that_is_set_up_wrongly_is_the_users_to_mend(
    start: Start, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=f"no model can be reached.*{variable}"):
        start().line()


CTRL_C = """
import sys, threading
import httpx2
from harness.testing.provider import Hangs
from tests.gateway.rig import client, question, rig

def asked(_seen, _number):
    print(line.socket, flush=True)
    return Hangs(600)

with rig(asked) as one:
    line = one.line()
    with client(line) as http:
        http.post("/v1/messages", json=question(), timeout=600)
"""


def test_ctrl_c_while_a_request_is_under_way_ends_the_process_and_leaves_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CTRL_C],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(sockets_folder().parent)},
    ) as process:
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        assert path.exists()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert told.strip().endswith("KeyboardInterrupt")
    assert not path.parent.exists()


def test_an_interrupt_in_the_middle_of_a_request_ends_it_and_leaves_nothing(start: Start) -> None:
    """As Ctrl-C does it: an exception between two steps of the thread that waits."""
    one = start(SLOW)
    before = set(threading.enumerate())

    def run(gateway: ModelGateway) -> None:
        access = one.line().access
        with (
            gateway.open(access) as line,
            client(line) as http,
            http.stream("POST", "/v1/messages", json=turn(stream=True)) as answer,
        ):
            next(answer.iter_raw())
            raise Interrupted

    with pytest.raises(Interrupted):
        run(one.gateway)
    assert _places_taken(one) == 0
    one.gateway.close()
    assert set(threading.enumerate()) <= before


def test_two_hundred_lines_leave_nothing_open(start: Start) -> None:
    one = start(script=lambda _seen, _number: Says("hi"))
    first = one.line(budget=Budget())
    ask(first)
    files, threads = _files(), threading.active_count()
    tasks = _tasks(one)
    for number in range(200):
        with one.gateway.open(first.access) as line:
            if number % 20 == 0:
                ask(line, body=question())
    assert _files() <= files + 2
    assert threading.active_count() == threads
    assert _tasks(one) <= tasks
    assert len(list(first.socket.parent.parent.iterdir())) == 1


def _files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _tasks(one: Rig) -> int:
    async def count() -> int:
        return len(asyncio.all_tasks())

    loop = one.gateway._loop
    assert loop is not None
    return loop.do(count())
