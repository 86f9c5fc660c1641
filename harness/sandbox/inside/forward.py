"""Runs an agent's program and lets it reach the gateway: a TCP port before a unix socket.

    forward.py --socket PATH [--port N] [--grace S] -- argv…

Bytes pass as they come. Responses are looked into only as far as their heads: once the gateway
says that it will not answer again, or does not answer at all, the program is ended, because some
programs would go on asking for ever. The exit code is the program's own, else one of these:
75 the gateway refused for good, 76 the gateway is gone, 71 no port, 126 or 127 as in a shell.
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress

MYPY = False
if MYPY:
    from collections.abc import Callable, Sequence
    from typing import Any

REFUSED, GONE, NO_PORT, NOT_EXECUTABLE, NOT_FOUND = 75, 76, 71, 126, 127
SIGNAL_BASE = 128
REFUSAL = b"x-mintmark-refusal:"
FINAL = (b"budget", b"turns", b"token", b"replay")
"""Refusals after which no request of this run will be answered again."""
GRACE_S = 20.0
KILL_S = 2.0
CONNECT_S = 3.0
MAX_FAILURES = 5
FAILING_S = 10.0
CHUNK = 65536
HEAD_BYTES = 65536
HELD_BYTES = 4 * CHUNK
PORT_VARIABLE, URL_VARIABLE = "MINTMARK_PORT", "MINTMARK_URL"
NO_GATEWAY = b'{"type":"error","error":{"type":"api_error","message":"no model gateway answers"}}'
BAD_GATEWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(NO_GATEWAY), NO_GATEWAY)
)


class Heads:
    """Finds the heads of HTTP/1.1 responses in what a connection carries."""

    def __init__(self, refused: Callable[[bytes], None]) -> None:
        self._refused = refused
        self._head: bytearray | None = None

    def request(self) -> None:
        """Something was asked: what comes next begins with a head."""
        if self._head is None:
            self._head = bytearray()

    def response(self, data: bytes) -> None:
        """Something was answered."""
        if self._head is None:
            return
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0 and len(self._head) < HEAD_BYTES:
            return
        head, rest = bytes(self._head[: max(end, 0)]), bytes(self._head[end + 4 :])
        self._head = None
        if not head.startswith(b"HTTP/1."):
            return
        if head[9:10] == b"1":  # 100 Continue and the like: the head proper follows
            self._head = bytearray()
            self.response(rest)
            return
        for line in head.lower().split(b"\r\n"):
            if line.startswith(REFUSAL):
                self._refused(line[len(REFUSAL) :].strip())


class Flow:
    """One direction of a connection."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source, self.sink = source, sink
        self._held = bytearray()
        self._ended = False
        self.done = False

    @property
    def wants_to_read(self) -> bool:
        """There may be more, and there is room for it."""
        return not self._ended and len(self._held) < HELD_BYTES

    @property
    def wants_to_write(self) -> bool:
        """Something waits for the sink."""
        return bool(self._held)

    def read(self) -> bytes:
        """Take what has come; raises OSError."""
        try:
            data = self.source.recv(CHUNK)
        except BlockingIOError:
            return b""
        self._held += data
        self._ended = not data
        return data

    def write(self) -> None:
        """Hand on what fits, and the end when it was reached; raises OSError."""
        if self._held:
            with suppress(BlockingIOError):
                del self._held[: self.sink.send(self._held[:CHUNK])]
        if self._ended and not self._held and not self.done:
            self.done = True
            self.sink.shutdown(socket.SHUT_WR)


class Link:
    """One connection of the program, and its connection to the gateway."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        ends: tuple[socket.socket, socket.socket],
        heads: Heads,
    ) -> None:
        self._selector = selector
        self._ends = ends
        self._heads = heads
        self._up, self._down = Flow(ends[0], ends[1]), Flow(ends[1], ends[0])
        self._masks: dict[socket.socket, int] = {}
        for end in ends:
            end.setblocking(False)
        self._await()

    def _move(self) -> None:
        try:
            if self._up.wants_to_read and self._up.read():
                self._heads.request()
            self._up.write()
            if self._down.wants_to_read:
                self._heads.response(self._down.read())
            self._down.write()
        except OSError:
            self._close()
            return
        if self._up.done and self._down.done:
            self._close()
        else:
            self._await()

    def _await(self) -> None:
        """Ask to be called when something can move; one mask for each end."""
        for source, sink in ((self._up, self._down), (self._down, self._up)):
            mask = selectors.EVENT_READ if source.wants_to_read else 0
            mask |= selectors.EVENT_WRITE if sink.wants_to_write else 0
            self._register(source.source, mask)

    def _register(self, end: socket.socket, mask: int) -> None:
        before = self._masks.get(end, 0)
        if mask and not before:
            self._selector.register(end, mask, self._move)
        elif mask and mask != before:
            self._selector.modify(end, mask, self._move)
        elif before and not mask:
            self._selector.unregister(end)
        self._masks[end] = mask

    def _close(self) -> None:
        for end in self._ends:
            self._register(end, 0)
            end.close()


class Verdict:
    """Whether, when and why the program has to be ended."""

    def __init__(self, path: str, grace_s: float) -> None:
        self._path = path
        self._grace_s = grace_s
        self._failures = 0
        self._failing_since: float | None = None
        self.code = 0
        self.reason = ""
        self.due: float | None = None

    def refused(self, why: bytes) -> None:
        """The gateway said no."""
        if why in FINAL and self.due is None:
            word = why.decode("ascii")
            self._decide(REFUSED, "the gateway refused: {}".format(word), self._grace_s)

    def connect(self) -> socket.socket | None:
        """A connection to the gateway, or None where there is no gateway."""
        gateway = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # a gateway that accepts nothing would hold everything up; the kernel's own limit, for
        # with Python's a connection that has to wait its turn fails at once
        patience = struct.pack("@ll", int(CONNECT_S), int(CONNECT_S % 1 * 1e6))
        gateway.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        try:
            gateway.connect(self._path)
        except OSError:
            gateway.close()
            self._failed()
            return None
        self._failures, self._failing_since = 0, None
        return gateway

    def look(self) -> None:
        """Try the gateway once more when it has been failing for long."""
        since = self._failing_since
        if self.due is None and since is not None and time.monotonic() - since > FAILING_S:
            gateway = self.connect()
            if gateway is None:
                self._decide(GONE, "the gateway does not answer any more", 0)
            else:
                gateway.close()

    @property
    def wait_s(self) -> float | None:
        """How long nothing has to be decided."""
        now = time.monotonic()
        if self.due is not None:
            return max(0.0, self.due - now)
        return None if self._failing_since is None else self._failing_since + FAILING_S - now + 0.01

    def _failed(self) -> None:
        self._failures += 1
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        if self._failures >= MAX_FAILURES and self.due is None:
            self._decide(GONE, "the gateway does not answer any more", KILL_S)

    def _decide(self, code: int, reason: str, grace_s: float) -> None:
        self.code, self.reason = code, reason
        self.due = time.monotonic() + grace_s


class Forwarder:
    """Serves a port while a program runs."""

    def __init__(self, listener: socket.socket, verdict: Verdict) -> None:
        self._listener = listener
        self._verdict = verdict
        self._selector = selectors.DefaultSelector()
        self._wake, write = os.pipe()
        for fd in (self._wake, write):
            os.set_blocking(fd, False)
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

    def run(self, argv: Sequence[str]) -> int:
        """Until the program ends, or has to; its exit code, else one of ours."""
        child = subprocess.Popen(argv, start_new_session=True)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: child.send_signal(number))
        while child.poll() is None:
            for key, _ in self._selector.select(self._verdict.wait_s):
                key.data()
            self._verdict.look()
            due = self._verdict.due
            if due is not None and time.monotonic() >= due and child.poll() is None:
                return self._end(child)
        code = child.returncode
        return SIGNAL_BASE - code if code < 0 else code

    def _end(self, child: subprocess.Popen[bytes]) -> int:
        print("forward: {}".format(self._verdict.reason), file=sys.stderr, flush=True)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with suppress(subprocess.TimeoutExpired):
                child.wait(KILL_S)
                break
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # what it left of its group
        return self._verdict.code

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:  # it went away again, or there are no descriptors left
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gateway = self._verdict.connect()
        if gateway is None:
            with client, suppress(OSError):
                client.settimeout(KILL_S)
                client.recv(CHUNK)  # closing with something unread would take the answer back
                client.sendall(BAD_GATEWAY)
            return
        Link(self._selector, (client, gateway), Heads(self._verdict.refused))

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake, CHUNK)


def listen(port: int) -> socket.socket:
    """A listener on the loopback; raises OSError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def options(argv: Sequence[str]) -> Any:  # noqa: ANN401  # argparse's own
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="forward.py", description=__doc__)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--grace", type=float, default=GRACE_S)
    parser.add_argument("argv", nargs="+")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Listen, run, forward."""
    asked = options(argv)
    try:
        listener = listen(asked.port)
    except OSError as error:
        print("forward: no port {}: {}".format(asked.port, error.strerror), file=sys.stderr)
        return NO_PORT
    port = listener.getsockname()[1]
    os.environ[PORT_VARIABLE] = str(port)
    os.environ[URL_VARIABLE] = "http://127.0.0.1:{}".format(port)
    try:
        return Forwarder(listener, Verdict(asked.socket, asked.grace)).run(asked.argv)
    except OSError as error:
        name, why = asked.argv[0], error.strerror
        if isinstance(error, FileNotFoundError):
            if not os.path.exists(name):
                print("forward: no program {!r}".format(name), file=sys.stderr)
                return NOT_FOUND
            why = "this image lacks the loader or interpreter that it was made for"
        print("forward: cannot run {!r}: {}".format(name, why), file=sys.stderr)
        return NOT_EXECUTABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
