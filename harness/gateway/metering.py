"""Counts what an answer used while its bytes pass on to the client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from harness.domain.model import Api, Usage
from harness.domain.price import Terms
from harness.gateway.loose import Object, as_object, parse
from harness.gateway.readings import WIRES, Reading, Wire
from harness.gateway.sse import Event, Events

MAX_BODY_BYTES = 64 * 1024 * 1024
"""A larger body goes on to the client, but is not read."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What one answer said about itself; of an answer that was cut, what it had said until then."""

    usage: Usage | None
    """None when the provider did not say."""
    complete: bool
    """The stream ended as its protocol ends one, or the body was whole."""
    model: str | None = None
    stop: str | None = None
    tool_calls: tuple[str, ...] = ()
    """Names of the tools that the client shall run."""
    terms: Terms = field(default_factory=Terms)


class Meter(Protocol):
    """Reads one answer; no bytes make it raise."""

    @property
    def began(self) -> bool:
        """The model has said something: text, thought or a tool call."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """What goes on to the client now."""
        ...

    def finish(self) -> tuple[bytes, Metered]:
        """The bytes still held back, and the result."""
        ...


def meter_for(api: Api, *, streamed: bool, hide_usage: bool = False) -> Meter:
    """A meter for one answer; `hide_usage` takes out the chunk that only the gateway asked for."""
    wire = WIRES[api]
    return _StreamMeter(wire, hide_usage=hide_usage) if streamed else _BodyMeter(wire)


class _StreamMeter:
    def __init__(self, wire: Wire, *, hide_usage: bool) -> None:
        self._wire = wire
        self._hides = hide_usage
        self._events = Events()
        self._reading = Reading()

    @property
    def began(self) -> bool:
        return self._reading.began

    def feed(self, chunk: bytes) -> bytes:
        passed = self._read(self._events.feed(chunk))
        return passed if self._hides else chunk

    def finish(self) -> tuple[bytes, Metered]:
        passed = self._read(self._events.finish())
        return passed if self._hides else b"", _metered(self._wire, self._reading)

    def _read(self, events: list[Event]) -> bytes:
        return b"".join([event.raw for event in events if not self._is_hidden(event)])

    def _is_hidden(self, event: Event) -> bool:
        if event.data is None:
            return False
        if event.data.strip() == self._wire.last_word:
            self._reading.ended = True
            return False
        said = as_object(parse(event.data))
        self._wire.event(self._reading, said)
        return self._hides and _is_only_usage(said)


def _is_only_usage(chunk: Object) -> bool:
    return chunk.get("choices") == [] and isinstance(chunk.get("usage"), dict)


class _BodyMeter:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._body = bytearray()
        self._is_too_large = False
        self._reading = Reading()

    @property
    def began(self) -> bool:
        return self._is_too_large or bool(self._body)

    def feed(self, chunk: bytes) -> bytes:
        self._is_too_large = self._is_too_large or len(self._body) + len(chunk) > MAX_BODY_BYTES
        if self._is_too_large:
            self._body.clear()
        else:
            self._body += chunk
        return chunk

    def finish(self) -> tuple[bytes, Metered]:
        body = parse(self._body.decode("utf-8-sig", errors="replace"))
        if isinstance(body, dict):
            self._wire.body(self._reading, body)
            # whole, even where it only says what went wrong
            self._reading.ended, self._reading.failed = True, False
        return b"", _metered(self._wire, self._reading)


def _metered(wire: Wire, reading: Reading) -> Metered:
    usage = wire.usage(reading)
    written = usage.cache_write_tokens if usage else 0
    kept = reading.counts.get("cache_write_1h", 0)
    return Metered(
        usage=usage,
        complete=reading.complete,
        model=reading.model,
        stop=reading.stop,
        tool_calls=tuple(reading.calls.values()),
        terms=Terms(min(kept, written), reading.service_tier, reading.speed),
    )
