"""Keeping what was asked of a model and what came back, without keys and without repetition."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from harness.gateway import cassette
from harness.gateway.exchange import Exchange, Recording, redacted
from harness.gateway.pieces import Cutter, Piece
from harness.gateway.redaction import Redactor

__all__ = ["Exchange", "Recorder"]

_OWN_BLOB = 256
"""A longer value is kept by itself, so that a change elsewhere does not store it again."""


def merged(*dumps: bytes) -> bytes:
    """Several lines' recordings as one, which answers every one of them."""
    if len(dumps) == 1:
        return dumps[0]
    loaded = [cassette.load(dump) for dump in dumps]
    recorder = Recorder((), ", ".join(recording.model for recording in loaded))
    for exchange in chain.from_iterable(loaded):
        recorder.add(exchange)
    return recorder.dump()


class Recorder:
    """Takes exchanges from any thread; what it hands on is without keys."""

    def __init__(self, secrets: Iterable[str], model: str = "") -> None:
        self._redactor = Redactor(secrets)
        self._model = self._redactor.clean_text(model)
        self._lock = threading.Lock()
        self._cutter = Cutter()
        self._index: dict[bytes, int] = {}
        self._places: dict[str, int] = {}
        self._kept: list[tuple[Exchange, tuple[int, ...]]] = []

    def add(self, exchange: Exchange) -> None:
        """Keep one more exchange."""
        clean = redacted(replace(exchange, request=b""), self._redactor)
        with self._lock:
            places = tuple(self._cut(exchange.request))
            self._kept.append((clean, places))

    def recording(self) -> Recording:
        """Everything so far."""
        with self._lock:
            return Recording(self._model, tuple(self._index), tuple(self._kept))

    def dump(self) -> bytes:
        """Everything so far, as `cassette.load` reads it."""
        return cassette.dump(self.recording())

    def _place(self, piece: bytes) -> int:
        return self._index.setdefault(self._redactor.clean(piece), len(self._index))

    def _cut(self, request: bytes) -> Iterator[int]:
        """Where the pieces are kept; what a conversation repeats is looked through only once."""
        try:
            pieces = self._cutter.cut(request.decode())
        except UnicodeDecodeError:
            pieces = None
        if pieces is None:
            if request:
                yield self._place(request)
            return
        for text in _joined(pieces):
            place = self._places.get(text)
            if place is None:
                place = self._places[text] = self._place(text.encode())
            yield place


def _joined(pieces: Iterable[Piece]) -> Iterator[str]:
    """Elements of lists and long values by themselves, the short rest between them in one."""
    rest: list[str] = []
    for text, _, listed in pieces:
        if listed or len(text) > _OWN_BLOB:
            if rest:
                yield rest[0] if len(rest) == 1 else "".join(rest)
                rest.clear()
            yield text
        else:
            rest.append(text)
    if rest:
        yield "".join(rest)
