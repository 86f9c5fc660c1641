"""JSON lines to and from the tool daemon, over the stream that the engine attaches."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from harness.errors import BoxClosed
from harness.interrupts import INTERRUPTS

MAX_LINE_BYTES = 96 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
SAID_BYTES = 2048
_HEADER = struct.Struct(">BxxxL")
_STDOUT = 1

Message = Mapping[str, object]


class Stream(Protocol):
    """The part of a socket that the channel uses."""

    def sendall(self, data: bytes, /) -> None:
        """Send everything."""
        ...

    def recv(self, size: int, /) -> bytes:
        """Receive something; nothing means the end."""
        ...

    def settimeout(self, seconds: float | None, /) -> None:
        """How long a receive may wait."""
        ...

    def shutdown(self, how: int, /) -> None:
        """End it for both sides; a receive that waits in another thread comes back."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Channel:
    """One question, one answer; raises BoxClosed when the other end is gone or silent."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._raw = bytearray()
        self._lines = bytearray()
        self._said = bytearray()
        self.is_cut = False
        """The stream itself came to its end; nothing that the daemon said ended it."""

    def send(self, message: Message) -> None:
        """Send one line."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            self._stream.settimeout(None)
            self._stream.sendall(data)
        except OSError as error:
            self.is_cut = True
            raise BoxClosed(f"the sandbox ended: {error}") from error

    def receive(self, timeout_s: float) -> dict[str, object]:
        """The next line, within `timeout_s` seconds."""
        deadline = time.monotonic() + timeout_s
        searched = 0
        while (end := self._lines.find(b"\n", searched)) < 0:
            searched = len(self._lines)
            if searched > MAX_LINE_BYTES:
                raise BoxClosed("the sandbox sent an endless line")
            self._fill(deadline)
        line = bytes(self._lines[:end])
        del self._lines[: end + 1]
        try:
            message = json.loads(line)
        except ValueError as error:
            raise BoxClosed(f"the sandbox sent no JSON: {line[:80]!r}") from error
        if not isinstance(message, dict):
            raise BoxClosed(f"the sandbox sent no message: {line[:80]!r}")
        return message

    @property
    def said(self) -> str:
        """The end of what the daemon wrote to its standard error: a healthy one writes nothing."""
        return self._said.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Close the stream; the engine cannot remove a container whose stream nobody reads."""
        self._stream.close()

    def _fill(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise BoxClosed("the sandbox did not answer in time")
        self._stream.settimeout(left)
        try:
            with INTERRUPTS.cutting(self._cut):
                data = self._stream.recv(CHUNK_BYTES)
        except (socket.timeout, TimeoutError) as error:  # noqa: UP041  # ssl raises the former
            raise BoxClosed("the sandbox did not answer in time") from error
        except OSError as error:
            INTERRUPTS.check()
            self.is_cut = True
            raise BoxClosed(f"the sandbox ended: {error}") from error
        if not data:
            INTERRUPTS.check()
            self.is_cut = True
            raise BoxClosed("the sandbox ended")
        self._raw += data
        self._unpack()

    def _cut(self) -> None:
        with suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)

    def _unpack(self) -> None:
        """Take whole frames off the engine's multiplexed stream."""
        while len(self._raw) >= _HEADER.size:
            kind, size = _HEADER.unpack_from(self._raw)
            if len(self._raw) < _HEADER.size + size:
                return
            data = self._raw[_HEADER.size : _HEADER.size + size]
            if kind == _STDOUT:
                self._lines += data
            else:
                self._said = (self._said + data)[-SAID_BYTES:]
            del self._raw[: _HEADER.size + size]
