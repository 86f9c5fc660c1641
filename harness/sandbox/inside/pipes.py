"""Moves bytes between this process and one child, without ever blocking or keeping too much."""

from __future__ import annotations

import os
import select
import time

MYPY = False
if MYPY:
    from typing import Protocol

    class Sink(Protocol):
        """Where the bytes of a pipe go."""

        def feed(self, data: bytes) -> None:
            """Take some."""


CHUNK = 65536
STDIN, STDOUT, STDERR, RESULT = 0, 1, 2, 3
FAILURE_BYTES = 200


class Capture:
    """The first and the last half of a stream, and how much was between them."""

    def __init__(self, limit: int) -> None:
        self._head_limit = limit - limit // 2
        self._tail_limit = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.dropped = 0

    def feed(self, data: bytes) -> None:
        """Take some; only what fits is kept."""
        room = self._head_limit - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        excess = len(self._tail) - self._tail_limit
        if excess > 0:
            del self._tail[:excess]
            self.dropped += excess

    def kept(self, marker: str = "") -> bytes:
        """What was kept; `marker`, with the count filled in, stands where something was dropped."""
        between = marker.format(self.dropped).encode() if self.dropped else b""
        return bytes(self._head) + between + bytes(self._tail)


class Pipes:
    """The pipes of one child: stdin, stdout, stderr, a result, and why it could not start."""

    def __init__(self, stdin: bytes | None, *, output_bytes: int, result_bytes: int) -> None:
        self.out = Capture(output_bytes)
        self.err = Capture(output_bytes)
        self.result = Capture(result_bytes)
        self.failure = Capture(FAILURE_BYTES)
        self._poll = select.poll()
        self._sinks: dict[int, Sink] = {}
        self._input: int | None = None
        self._unsent = memoryview(stdin or b"")
        self.childs: dict[int, int] = {}
        self.report = -1
        try:
            self._open(stdin, with_result=result_bytes > 0)
        except OSError:
            self.close()
            raise

    def _open(self, stdin: bytes | None, *, with_result: bool) -> None:
        if stdin is None:
            self.childs[STDIN] = os.open(os.devnull, os.O_RDONLY)
        else:
            self.childs[STDIN], self._input = os.pipe()
            os.set_blocking(self._input, False)
            self._poll.register(self._input, select.POLLOUT)
        self._incoming(STDOUT, self.out)
        self._incoming(STDERR, self.err)
        if with_result:
            self._incoming(RESULT, self.result)
        self.report = self._pipe_into(self.failure)

    def _incoming(self, target: int, sink: Sink) -> None:
        self.childs[target] = self._pipe_into(sink)

    def _pipe_into(self, sink: Sink) -> int:
        read, write = os.pipe()
        os.set_blocking(read, False)
        self._sinks[read] = sink
        self._poll.register(read, select.POLLIN)
        return write

    def started(self) -> None:
        """The child has its ends; close ours, so that its end can be noticed."""
        for fd in (*self.childs.values(), self.report):
            if fd >= 0:
                os.close(fd)
        self.childs = {}
        self.report = -1

    def also_wake_on(self, fd: int) -> None:
        """A step ends when this is readable, too."""
        self._poll.register(fd, select.POLLIN)

    def send_result_to(self, sink: Sink) -> None:
        """Hand the result on as it comes, instead of keeping it."""
        self._sinks = {fd: sink if old is self.result else old for fd, old in self._sinks.items()}

    def step(self, timeout_s: float) -> None:
        """Wait for something to move, and move it once."""
        for fd, _ in self._poll.poll(max(0, int(timeout_s * 1000 + 0.999))):
            if fd == self._input:
                self._send(fd)
            elif fd in self._sinks:
                self._receive(fd)

    def drain(self, grace_s: float) -> None:
        """Take what is still coming; processes that stay behind may hold a pipe open for ever."""
        until = time.monotonic() + grace_s
        while self._sinks:
            left = until - time.monotonic()
            if left <= 0:
                return
            self.step(left)

    def release(self) -> list[int]:
        """Give away the pipes that are still held open by somebody."""
        held, self._sinks = list(self._sinks), {}
        return held

    def close(self) -> None:
        """Close what is open."""
        self.started()
        for fd in self.release():
            os.close(fd)
        self._close_input()

    def _send(self, fd: int) -> None:
        try:
            sent = os.write(fd, self._unsent[:CHUNK])
        except BlockingIOError:
            return
        except OSError:  # the child closed its stdin: it does not want the rest
            self._close_input()
            return
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._close_input()

    def _close_input(self) -> None:
        if self._input is not None:
            self._poll.unregister(self._input)
            os.close(self._input)
            self._input = None

    def _receive(self, fd: int) -> None:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        if data:
            self._sinks[fd].feed(data)
            return
        self._poll.unregister(fd)
        del self._sinks[fd]
        os.close(fd)
