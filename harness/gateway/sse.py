"""Server-sent events, cut out of bytes that come in any pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_EVENT_BYTES = 32 * 1024 * 1024
"""A larger event goes on to the client, but is not read: memory stays bounded."""

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"\r\n|\n|\r")
# a \r at the very end waits for what follows: it may be half of a \r\n
_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?=[^\n])){2}")
_OVERLAP = 4
"""The longest beginning of an event's end that a chunk may stop in."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it came, blank line included, and the text that it carries."""

    raw: bytes
    data: str | None
    """None when it carries none, or is too large to be read."""


class Events:
    """A stream cut into events; their `raw` parts joined are the stream, byte for byte."""

    def __init__(self, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._searched = 0
        self._is_too_large = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` ends; an event too large may come in parts, without data."""
        self._buffer += chunk
        found = []
        while end := _EVENT_END.search(self._buffer, self._searched):
            found.append(self._cut(end.end()))
        self._searched = max(0, len(self._buffer) - _OVERLAP)
        if self._searched and (self._is_too_large or len(self._buffer) > self._max_bytes):
            self._is_too_large = True
            found.append(Event(self._take(self._searched), None))
        return found

    def finish(self) -> list[Event]:
        """What is left when the stream ends without a blank line."""
        return [self._cut(len(self._buffer))] if self._buffer else []

    def _cut(self, end: int) -> Event:
        raw = self._take(end)
        is_readable = not self._is_too_large and len(raw) <= self._max_bytes
        self._is_too_large = False
        return Event(raw, _data(raw) if is_readable else None)

    def _take(self, end: int) -> bytes:
        raw = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._searched = 0
        return raw


def _data(raw: bytes) -> str | None:
    lines = _LINE.split(raw.removeprefix(_BOM))
    found = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
    return b"\n".join(found).decode(errors="replace") if found else None
