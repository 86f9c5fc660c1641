"""The forwarder: bytes pass untouched and at once, and no program outlives its gateway for long."""

from __future__ import annotations

import ast
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.inside.talking import INSIDE, runs

FORWARD = [sys.executable, "-I", "-S", str(INSIDE / "forward.py")]
Serve = Callable[[socket.socket], None]

CLIENT = """
import os, socket, sys
s = socket.create_connection(("127.0.0.1", int(os.environ["MINTMARK_PORT"])))
"""
ASK = """
def ask(data=b"POST / HTTP/1.1\\r\\n\\r\\n"):
    with socket.create_connection(("127.0.0.1", int(os.environ["MINTMARK_PORT"]))) as s:
        s.sendall(data)
        return s.recv(65536)
"""


@contextmanager
def a_gateway(folder: Path, serve: Serve) -> Iterator[Path]:
    """A unix socket; every connection is given to `serve` and closed after it."""
    path = folder / "gateway.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(20)
                serve(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    yield path
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def forward(
    path: Path, *argv: str, grace: float = 20, port: int = 0, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return run(FORWARD, path, *argv, grace=grace, port=port, stdin=stdin)


def run(
    forwarder: Sequence[str],
    path: Path,
    *argv: str,
    grace: float = 20,
    port: int = 0,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    command = [*forwarder, "--socket", str(path), "--port", str(port), "--grace", str(grace)]
    return subprocess.run(
        [*command, "--", *argv], input=stdin, capture_output=True, timeout=60, check=False
    )


def impatient(**constants: float) -> Sequence[str]:
    """A forwarder that waits for less long."""
    lines = [f"forward.{name} = {value}" for name, value in constants.items()]
    load = f"import sys; sys.path.insert(0, {str(INSIDE)!r}); import forward"
    return python("\n".join([load, *lines, "sys.exit(forward.main(sys.argv[1:]))"]))


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


def received(connection: socket.socket) -> bytes:
    parts = list(iter(lambda: connection.recv(65536), b""))
    return b"".join(parts)


def answering(*responses: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        for response in responses:
            if not connection.recv(65536):
                return
            connection.sendall(response)
        received(connection)

    return serve


def response(refusal: str = "", body: bytes = b"{}") -> bytes:
    more = f"X-Mintmark-Refusal: {refusal}\r\n" if refusal else ""
    head = f"HTTP/1.1 400 Bad Request\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def test_bytes_pass_both_ways_untouched_and_each_half_closes_by_itself(tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(received(connection)[::-1])

    code = CLIENT + (
        "data = bytes(range(256)) * 8192\n"
        "s.sendall(data); s.shutdown(socket.SHUT_WR)\n"
        "back = b''.join(iter(lambda: s.recv(65536), b''))\n"
        "print(len(back), back == data[::-1])"
    )
    with a_gateway(tmp_path, serve) as path:
        done = forward(path, *python(code))
    assert (done.returncode, done.stdout) == (0, b"2097152 True\n"), done.stderr


def test_a_piece_of_a_stream_passes_before_the_next_one_is_written(tmp_path: Path) -> None:
    """The gateway says its second word only when the program confirms the first."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"one")
        assert connection.recv(10) == b"got it"
        connection.sendall(b"two")

    code = CLIENT + "print(s.recv(9)); s.sendall(b'got it'); print(s.recv(9), s.recv(9))"
    with a_gateway(tmp_path, serve) as path:
        done = forward(path, *python(code))
    assert done.stdout == b"b'one'\nb'two' b''\n", done.stderr


def test_a_slow_reader_does_not_make_the_forwarder_hold_a_whole_answer(tmp_path: Path) -> None:
    sent = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.settimeout(0.3)
        with suppress(TimeoutError):
            connection.sendall(b"x" * 64 * 2**20)
            sent.set()

    code = CLIENT + "import sys; sys.stdin.read(); print(len(s.recv(1)))"
    with a_gateway(tmp_path, serve) as path:
        command = [*FORWARD, "--socket", str(path), "--", *python(code)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert not sent.wait(0.5)
            assert process.communicate(b"", timeout=20)[0] == b"1\n"


def test_the_program_has_the_streams_the_environment_and_the_exit_code(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "print(sys.stdin.read(), os.environ['MINTMARK_URL'].startswith('http://127.0.0.1:'))\n"
        "print('said', file=sys.stderr); sys.exit(7)"
    )
    done = forward(tmp_path / "none", *python(code), stdin=b"prompt")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"prompt True\n", b"said\n")


def test_a_program_that_a_signal_ended_is_told_as_a_shell_does(tmp_path: Path) -> None:
    done = forward(tmp_path / "none", *python("import os; os.kill(os.getpid(), 9)"))
    assert done.returncode == 137


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [(("/no/such",), 127, "no program '/no/such'"), (("/etc",), 126, "cannot run '/etc'")],
)
def test_a_program_that_does_not_start_is_named(
    tmp_path: Path, argv: tuple[str, ...], code: int, words: str
) -> None:
    done = forward(tmp_path / "none", *argv)
    assert done.returncode == code
    assert words in done.stderr.decode()


def test_a_program_made_for_another_image_is_told_from_one_that_is_not_there(
    tmp_path: Path,
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/no/such/interpreter\n", encoding="utf-8")
    program.chmod(0o755)
    done = forward(tmp_path / "none", str(program))
    assert done.returncode == 126
    assert "lacks the loader" in done.stderr.decode()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = forward(tmp_path / "none", "true", port=port)
    assert done.returncode == 71
    assert f"no port {port}" in done.stderr.decode()


def test_the_signal_to_stop_is_passed_on(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(3)))\n"
        "print('up', flush=True)\nwhile True: time.sleep(60)"
    )
    command = [*FORWARD, "--socket", str(tmp_path / "none"), "--", *python(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b"bye\n"
    assert process.returncode == 3


HANGS = "import subprocess, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True)"


@pytest.mark.parametrize("refusal", ["budget", "turns", "token", "replay"])
def test_a_program_that_goes_on_after_a_final_refusal_is_killed_with_its_group(
    tmp_path: Path, refusal: str
) -> None:
    code = f"import os, socket{ASK}\n{HANGS}\nask(); time.sleep(600)"
    with a_gateway(tmp_path, answering(response(refusal))) as path:
        done = forward(path, *python(code), grace=0.1)
    assert done.returncode == 75
    assert f"the gateway refused: {refusal}" in done.stderr.decode()
    assert not runs(int(done.stdout))


def test_a_program_that_does_not_heed_the_first_signal_is_killed(tmp_path: Path) -> None:
    code = f"""
import os, signal, socket, time{ASK}
signal.signal(signal.SIGTERM, signal.SIG_IGN)
ask(); time.sleep(600)"""
    with a_gateway(tmp_path, answering(response("budget"))) as path:
        assert run(impatient(KILL_S=0.1), path, *python(code), grace=0.1).returncode == 75


def test_a_program_that_ends_in_the_time_it_is_given_keeps_its_own_exit_code(
    tmp_path: Path,
) -> None:
    code = f"import os, socket, sys{ASK}\nask(); sys.exit(5)"
    with a_gateway(tmp_path, answering(response("budget"))) as path:
        assert forward(path, *python(code)).returncode == 5


@pytest.mark.parametrize("refusal", ["", "model", "path", "tool", "malformed", "provider"])
def test_a_refusal_that_need_not_be_the_last_ends_nothing(tmp_path: Path, refusal: str) -> None:
    code = f"import os, socket, sys{ASK}\nask(); assert ask(); sys.exit(4)"
    with a_gateway(tmp_path, answering(response(refusal))) as path:
        assert forward(path, *python(code), grace=0).returncode == 4


QUOTED = (
    b"x\r\nx-mintmark-refusal: budget\r\n\r\nHTTP/1.1 400\r\nx-mintmark-refusal: budget\r\n\r\n"
)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        pytest.param([response(body=QUOTED)], 4, id="in a body"),
        pytest.param([response(), response("budget")], 75, id="second answer"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n" + response("budget")], 75, id="interim"),
        pytest.param([b"not http at all\r\n\r\n" + response("budget")], 4, id="no HTTP"),
    ],
)
def test_only_the_heads_of_answers_are_looked_into(
    tmp_path: Path, said: list[bytes], code: int
) -> None:
    asks = "s.sendall(b'POST'); assert s.recv(65536); " * 3
    program = f"{CLIENT}\n{asks}\nsys.exit(4)"
    with a_gateway(tmp_path, answering(*said, b"more", b"more")) as path:
        assert forward(path, *python(program), grace=0).returncode == code


def test_a_head_that_comes_in_pieces_is_read_whole(tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in response("budget"):
            connection.sendall(bytes([byte]))
        received(connection)

    program = f"{CLIENT}import time\ns.sendall(b'GET'); time.sleep(60)"
    with a_gateway(tmp_path, serve) as path:
        assert forward(path, *python(program), grace=0).returncode == 75


def test_without_a_gateway_requests_are_answered_and_the_fifth_is_the_last(
    tmp_path: Path,
) -> None:
    code = f"""
import os, socket, time{ASK}
while True:
    print(ask().decode().replace("\\r\\n", "|"), flush=True)
"""
    done = run(impatient(KILL_S=0.1), tmp_path / "none", *python(code))
    answers = done.stdout.decode().splitlines()
    assert done.returncode == 76
    assert "does not answer" in done.stderr.decode()
    assert len(answers) >= 4
    head, _, body = answers[0].partition("||")
    assert head.startswith("HTTP/1.1 502 ")
    assert json.loads(body)["error"]["type"] == "api_error"
    assert f"content-length: {len(body)}" in head


def test_a_program_that_asked_once_and_waits_is_ended_when_the_gateway_stays_away(
    tmp_path: Path,
) -> None:
    code = f"import os, socket, time{ASK}\nask(); time.sleep(600)"
    done = run(impatient(FAILING_S=0.2), tmp_path / "none", *python(code))
    assert done.returncode == 76


def test_a_gateway_that_accepts_nothing_is_as_good_as_gone(tmp_path: Path) -> None:
    code = f"import os, socket, time{ASK}\nwhile True: ask()"
    place = tmp_path / "gateway.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
        listener.bind(str(place))
        listener.listen(0)
        waiting.connect(str(place))
        done = run(impatient(CONNECT_S=0.05, KILL_S=0.1), place, *python(code))
    assert done.returncode == 76


def test_a_gateway_that_comes_back_is_forgiven(tmp_path: Path) -> None:
    code = f"""
import os, socket, sys{ASK}
for _ in range(3): assert b"502" in ask()
print("now", flush=True); sys.stdin.readline()
assert b"400" in ask()
os.unlink({str(tmp_path / "gateway.sock")!r})
for _ in range(4): assert b"502" in ask()
sys.exit(4)"""
    command = [*FORWARD, "--socket", str(tmp_path / "gateway.sock"), "--", *python(code)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]  # PIPE
        assert process.stdout.readline() == b"now\n"
        with a_gateway(tmp_path, answering(response())):
            process.communicate(b"\n", timeout=20)
    assert process.returncode == 4


def test_its_syntax_is_that_of_the_oldest_python_that_images_have() -> None:
    ast.parse((INSIDE / "forward.py").read_text(encoding="utf-8"), feature_version=(3, 7))
