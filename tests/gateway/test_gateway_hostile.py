"""What somebody in the sandbox can do with a socket and a token: nothing to anybody else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SandboxFault, UsageError
from harness.gateway import account
from harness.gateway.base import Line
from harness.gateway.serving import MOST_CONNECTIONS, MOST_HEAD_BYTES
from harness.gateway.sockets import OWNER_FILE, open_socket, sockets_folder
from harness.sandbox.owner import this_process
from harness.sandbox.reaper import NEW_S, Leftover, Reaper
from harness.testing.provider import Fails, Says
from tests.gateway.conftest import Start
from tests.gateway.rig import ask, client, question

POST = "POST {path} HTTP/1.1\r\nhost: {host}\r\nx-api-key: {token}\r\n"


def _connect(line: Line) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    connection.connect(str(line.socket))
    return connection


def _say(line: Line, data: bytes) -> bytes:
    """The whole answer to some bytes, until the gateway hangs up."""
    got = b""
    with _connect(line) as connection:
        try:
            connection.sendall(data)
            while more := connection.recv(65536):
                got += more
        except (BrokenPipeError, ConnectionResetError):
            pass
    return got


def _request(
    line: Line, *, path: str = "/v1/messages", host: str = "gateway", more: str = ""
) -> bytes:
    body = json.dumps(question())
    head = POST.format(path=path, host=host, token=line.token) + more
    return f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode("latin-1")


@pytest.mark.parametrize(
    "host", ["gateway", "[", "x/v1/files#", "", "a b", "evil/../..", "\xff", "x:99999999"]
)
def test_the_name_of_the_host_says_nothing_about_the_path(start: Start, host: str) -> None:
    one = start(Says("hi"))
    answer = _say(one.line(), _request(one.line(), host=host))
    assert answer.startswith(b"HTTP/1.1 401")
    line = one.line()
    assert _say(line, _request(line, host=host)).startswith(b"HTTP/1.1 200")
    assert one.double.requests[0].path == "/v1/messages"


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\xff\x16\x03\x01",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nab",
        b"GET / HTTP/1.1\r\nx: " + b"a" * (MOST_HEAD_BYTES + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * MOST_HEAD_BYTES + b"\r\n",
        b"GET /" + b"a" * (MOST_HEAD_BYTES + 1) + b" HTTP/1.1\r\n\r\n",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_no_http_is_answered_with_a_400_or_nothing(start: Start, data: bytes) -> None:
    one = start(Says("hi"))
    line = one.line()
    answer = _say(line, data)
    assert not answer or answer.startswith(b"HTTP/1.1 400")
    assert ask(line).status_code == 200


def test_an_upgrade_is_no_way_around_the_token(start: Start) -> None:
    one = start()
    line = one.line()
    head = b"GET /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\n"
    data = head + b"upgrade: websocket\r\n\r\n"
    assert _say(line, data).startswith(b"HTTP/1.1 401")


def test_a_request_behind_another_is_checked_too(start: Start) -> None:
    one = start(Says("hi"))
    line = one.line()
    first = _request(line).replace(b"connection: close\r\n", b"")
    second = _request(line).replace(line.token.encode(), b"x" * len(line.token))
    answers = _say(line, first + second)
    assert answers.count(b"HTTP/1.1 200") == 1
    assert answers.count(b"HTTP/1.1 401") == 1
    assert len(one.double.requests) == 1


def test_a_body_that_never_comes_holds_up_nobody_else(start: Start) -> None:
    one = start(Says("hi"))
    line, other = one.line(), one.line()
    waiting = []
    for _ in range(40):
        waiting.append(_connect(line))
        head = POST.format(path="/v1/messages", host="x", token=line.token)
        waiting[-1].sendall(f"{head}content-length: 1000\r\n\r\n".encode())
    assert ask(other).status_code == 200
    for connection in waiting:
        connection.close()
    line.settle()
    assert line.use().requests == 0


def test_connections_of_one_line_do_not_use_up_the_files_of_all(start: Start) -> None:
    one = start(Says("hi"), Says("hi"))
    line, other = one.line(), one.line()
    held = [_connect(line) for _ in range(MOST_CONNECTIONS)]
    # each has been taken in when the last of them is answered
    held[-1].sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert held[-1].recv(99).startswith(b"HTTP/1.1 401")
    assert _say(line, _request(line)) == b""
    assert ask(other).status_code == 200
    for connection in held:
        connection.close()


def test_what_is_refused_does_not_fill_the_memory(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "UNPAID_BYTES", 10_000)
    line = start(Fails(400, "too bad"), Says("paid")).line()
    for number in range(5):
        ask(line, body=question(model="other", system=str(number) * 3_000))
    ask(line, body=question(system="failed" * 500))
    ask(line, body=question(system="paid" * 5_000))
    kept = line.recording().decode()
    assert "2" * 3_000 in kept
    assert "3" * 3_000 not in kept
    assert "failed" * 500 not in kept
    assert "paid" * 5_000 in kept
    assert line.use().refused == 5


NAMES = ("messages", "tools", "system", "stream", "metadata", "max_tokens", "thinking")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["\ud800", 1e300]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(NAMES), inner),
    max_leaves=6,
)


def test_no_request_makes_the_gateway_fail(start: Start) -> None:
    line = start(script=lambda _seen, _number: Says("hi")).line()

    @settings(max_examples=25, deadline=None)
    @given(st.dictionaries(st.text() | st.sampled_from(NAMES), VALUES))
    def ask_anything(body: dict[str, object]) -> None:
        # the library's own JSON has no half characters
        data = json.dumps(question() | body)
        assert http.post("/v1/messages", content=data).status_code in {200, 400}

    with client(line) as http:
        ask_anything()
    assert line.fault is None


def test_a_folder_for_sockets_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    sockets_folder().symlink_to(tmp_path / "theirs")
    with pytest.raises(UsageError, match="belongs to somebody else; set TMPDIR"), open_socket("me"):
        pass
    assert list((tmp_path / "theirs").iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders away")
def test_a_folder_for_sockets_that_is_somebody_elses_is_refused() -> None:
    sockets_folder().mkdir()
    os.chown(sockets_folder(), 12345, 12345)
    with pytest.raises(UsageError, match="belongs to somebody else"), open_socket("me"):
        pass


def test_a_folder_for_sockets_that_is_a_file_is_refused() -> None:
    sockets_folder().touch()
    with pytest.raises(UsageError, match="belongs to somebody else"), open_socket("me"):
        pass


def test_a_folder_for_sockets_is_closed_to_others() -> None:
    sockets_folder().mkdir(mode=0o777)
    with open_socket("me") as (path, listening), listening:
        assert sockets_folder().stat().st_mode & 0o777 == 0o700
        assert path.exists()
    assert not path.parent.exists()


def test_a_folder_whose_path_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp/" + "a" * 90)
    with (
        pytest.raises(UsageError, match="too long a path for a socket; set TMPDIR"),
        open_socket("me"),
    ):
        pass


def test_a_folder_that_cannot_be_written_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with (
        pytest.raises(SandboxFault, match="could not open the gateway's socket"),
        open_socket("me"),
    ):
        pass


KILLED = """
import sys
from harness.gateway.sockets import open_socket
from harness.sandbox.owner import this_process
with open_socket(this_process()) as (path, listening):
    print(path.parent, flush=True)
    sys.stdin.read()
"""


class _NoEngine:
    """An engine without containers and volumes."""

    class api:  # noqa: N801  # docker's own name
        @staticmethod
        def containers(**_: object) -> list[object]:
            return []

        @staticmethod
        def volumes(**_: object) -> dict[str, None]:
            return {"Volumes": None}


def _reaper(tmp_path: Path) -> Reaper:
    return Reaper(_NoEngine(), tmp_path, sockets_folder())  # type: ignore[arg-type]  # as far as it is asked


def test_what_a_killed_gateway_left_is_swept_and_nothing_that_lives(tmp_path: Path) -> None:
    base = str(sockets_folder().parent)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": base},
    ) as process:
        assert process.stdout is not None
        left = process.stdout.readline().strip()
        assert list(_reaper(tmp_path).find()) == []
        process.kill()
    with open_socket(this_process()) as (alive, listening), listening:
        reaper = _reaper(tmp_path)
        assert list(reaper.find()) == [Leftover("socket", left)]
        reaper.remove(Leftover("socket", left))
        reaper.remove(Leftover("socket", left))
        assert alive.exists()
    assert not Path(left).exists()


def test_a_folder_that_is_being_made_is_left_alone(tmp_path: Path) -> None:
    new = sockets_folder() / "new"
    new.mkdir(parents=True)
    assert list(_reaper(tmp_path).find()) == []
    long_ago = time.time() - NEW_S - 1
    os.utime(new, (long_ago, long_ago))
    assert list(_reaper(tmp_path).find()) == [Leftover("socket", str(new))]


def test_nothing_behind_a_link_is_swept(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs" / "folder"
    theirs.mkdir(parents=True)
    (theirs / OWNER_FILE).write_text("", encoding="utf-8")
    sockets_folder().symlink_to(tmp_path / "theirs")
    assert list(_reaper(tmp_path).find()) == []
    assert list(Reaper(_NoEngine(), tmp_path).find()) == []  # type: ignore[arg-type]  # as above
