"""A JSON request cut where the next request of the same conversation will be cut too."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_DECODER = json.JSONDecoder()
_WHITE = " \t\n\r"
_SPACE = re.compile(r"[ \t\n\r]*")
_HEAD = 64
_MOST = 100_000
"""A request of more pieces is kept whole: cutting holds up every run of the process."""


class Piece(NamedTuple):
    """A stretch of a request's text."""

    text: str
    member: str | None = None
    """The top-level member whose value this is, or an element of whose value; None for the rest."""
    listed: bool = False
    """An element of the member's list; an empty list is a value of its own."""


_COMMA = Piece(",")
_NEXT = (",{", ',"')


class Cutter:
    """Cuts requests into pieces; what it has cut before, it finds again without parsing.

    The pieces of a request, joined, are the request, whatever it is.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], str] = {}

    def cut(self, text: str) -> tuple[Piece, ...] | None:
        """The pieces, or None when the text is not a JSON object or names a member twice."""
        try:
            return tuple(self._object(text))
        except (ValueError, IndexError, RecursionError):
            return None

    def _object(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        names: set[str] = set()
        glue = 0
        at = _expect(text, 0, "{")
        more = text[at] != "}"
        while more:
            _expect(text, at, '"')
            name, at = _DECODER.raw_decode(text, at)
            if name in names:
                raise ValueError(name)
            names.add(name)
            at = _expect(text, at, ":")
            pieces.append(Piece(text[glue:at]))
            glue = self._value(text, at, name, pieces)
            at = _skip(text, glue)
            more = text[at] == ","
            if more:
                at = _expect(text, at, ",")
        end = _expect(text, at, "}")
        if end != len(text):
            raise ValueError(end)
        pieces.append(Piece(text[glue:]))
        return pieces

    def _value(self, text: str, at: int, name: str, pieces: list[Piece]) -> int:
        """Add the pieces of the value that begins here; where it ends."""
        inside = _expect(text, at, "[") if text[at] == "[" else at
        if inside == at or text[inside] == "]":
            end = _expect(text, inside, "]", trim=False) if inside != at else self._end(text, at, 0)
            pieces.append(Piece(text[at:end], name))
            return end
        pieces.append(Piece(text[at:inside]))
        index = 0
        while True:
            if len(pieces) > _MOST:
                raise ValueError(index)
            element = self._stretch(text, inside, index)
            pieces.append(Piece(element, name, True))
            end = inside + len(element)
            if text.startswith(_NEXT, end):
                # by far the most usual way from one element to the next
                pieces.append(_COMMA)
                inside = end + 1
                index += 1
                continue
            after = _skip(text, end)
            if text[after] == "]":
                pieces.append(Piece(text[end : after + 1]))
                return after + 1
            inside = _expect(text, after, ",")
            pieces.append(Piece(text[end:inside]))
            index += 1

    def _end(self, text: str, at: int, index: int) -> int:
        return at + len(self._stretch(text, at, index))

    def _stretch(self, text: str, at: int, index: int) -> str:
        """The value that begins here; the very same text as the last time where it is known."""
        key = (index, text[at : at + _HEAD])
        known = self._known.get(key)
        # objects, lists and strings say themselves where they end, so a prefix is the whole value
        if known is not None and text.startswith(known, at):
            return known
        _, end = _DECODER.raw_decode(text, at)
        value = text[at:end]
        if end - at > _HEAD and text[at] in '{["':
            self._known[key] = value
        return value


def _expect(text: str, at: int, sign: str, *, trim: bool = True) -> int:
    """Where the text goes on after the sign that has to come next."""
    at = _skip(text, at)
    if text[at] != sign:
        raise ValueError(at)
    return _skip(text, at + 1) if trim else at + 1


def _skip(text: str, at: int) -> int:
    if text[at : at + 1] not in _WHITE:
        return at
    space = _SPACE.match(text, at)
    return space.end() if space else at
