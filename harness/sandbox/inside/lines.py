"""Whole lines in and out of the tool daemon, however the bytes come."""

from __future__ import annotations

import os
import select

from protocol import Problem

PIECE = 1024 * 1024
REQUEST_BYTES = 64 * 1024 * 1024


class Lines:
    """Requests from a descriptor; a line that is too long is dropped, and said so."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._buffer = bytearray()
        self._searched = 0
        self._skipping = False

    def take(self) -> bytes | None:
        """A whole line that is already here, or None; raises Problem."""
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > REQUEST_BYTES:
                self._buffer.clear()
                self._searched, self._skipping = 0, True
            return None
        found = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        if self._skipping:
            self._skipping = False
            raise Problem("too_large", "a request has at most {} bytes".format(REQUEST_BYTES))
        return found

    def more(self) -> bool:
        """Read what has come; False at the end."""
        data = os.read(self.fd, PIECE)
        self._buffer += data
        return bool(data)


class Replies:
    """Replies to a descriptor; of what a child writes, whole lines only."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._pending = bytearray()

    def send(self, data: bytes) -> None:
        """Write all of it; waits for a slow reader."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest[:PIECE]) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(self._fd, select.POLLOUT)
                poll.poll()

    def feed(self, data: bytes) -> None:
        """Pass lines on as a child writes them."""
        self._pending += data
        end = self._pending.rfind(b"\n") + 1
        if end:
            self.send(bytes(self._pending[:end]))
            del self._pending[:end]

    def forget(self) -> None:
        """Drop what a child that died left of a line."""
        self._pending.clear()
