"""When two requests count as the same: equal, equal but for the day, equal but for tool output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from enum import IntEnum

from harness.gateway.masks import MASK, mask_dates, mask_printed, mask_said
from harness.gateway.pieces import Cutter, Piece

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
Parts = tuple[tuple[str, bytes], ...]
"""What a request consists of, in a fixed order: names of members, and digests of their values."""


class Level(IntEnum):
    """How closely two requests have to agree; each accepts what the one before it accepts."""

    EXACT = 0
    """As JSON, without keys."""
    VOLATILE = 1
    """But for what changes from run to run: today's date, durations, ids, names below /tmp."""
    RESULTS = 2
    """But for what tools printed."""


ABOUT_THE_CALLER = frozenset(
    {"metadata", "client_metadata", "prompt_cache_key", "safety_identifier", "user"}
)
"""Members that say who asks and not what."""

_IDS = frozenset({"id", "call_id", "tool_call_id", "tool_use_id"})


class Comparer:
    """Digests requests at each level, and what they share only once; for one thread at a time."""

    def __init__(self) -> None:
        self._cutter = Cutter()
        self._digests: dict[tuple[Level, str | None, bool, str], bytes] = {}

    def parts(self, body: bytes, level: Level) -> Parts:
        """The members of a request and the elements of its lists, digested."""
        pieces = self.pieces(body)
        if pieces is None:
            return (("", hashlib.sha256(body).digest()),)
        named = [
            (piece.member, self._digest(piece, level))
            for piece in pieces
            if piece.member is not None
        ]
        return tuple(sorted(named, key=lambda part: part[0]))

    def pieces(self, body: bytes) -> tuple[Piece, ...] | None:
        """The request, cut; None when it is not a JSON object."""
        try:
            return self._cutter.cut(body.decode())
        except UnicodeDecodeError:
            return None

    def _digest(self, piece: Piece, level: Level) -> bytes:
        key = (level, piece.member, piece.listed, piece.text)
        known = self._digests.get(key)
        if known is None:
            known = hashlib.sha256(b"%d" % piece.listed + _canonical(piece, level)).digest()
            self._digests[key] = known
        return known


def _canonical(piece: Piece, level: Level) -> bytes:
    try:
        value = normal(piece, level)
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    except RecursionError:
        return piece.text.encode()


def normal(piece: Piece, level: Level) -> JsonValue:
    """A member's value, or an element of its list, as it is compared at a level."""
    value: JsonValue = json.loads(piece.text)
    if level is Level.EXACT:
        return value
    if piece.member in ABOUT_THE_CALLER:
        return MASK
    if piece.member == "tools":
        return _described(value)
    if piece.member in {"system", "instructions", "messages", "input"}:
        return _turn(value, level) if piece.listed else _text(value, mask_said)
    return value


def _described(value: JsonValue) -> JsonValue:
    """A tool's definition: everything as it is, but for dates in what describes it."""
    if isinstance(value, list):
        return [_described(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: mask_dates(item)
        if name == "description" and isinstance(item, str)
        else _described(item)
        for name, item in value.items()
    }


def _turn(value: JsonValue, level: Level) -> JsonValue:
    """A message, an item of a conversation, or a block of a system prompt."""
    if not isinstance(value, dict):
        return _text(value, mask_said)
    turn = _nameless(value)
    kind, role = turn.get("type"), turn.get("role")
    if isinstance(kind, str) and kind.endswith("_output"):
        _change(turn, "output", lambda output: _printed(output, level))
    elif role in ("tool", "function"):
        _change(turn, "content", lambda content: _printed(content, level))
    elif role == "assistant":
        # the model's own words come from the recording and have to come back as they were
        _change(turn, "content", lambda content: _each(content, _nameless_block))
        _change(turn, "tool_calls", lambda calls: _each(calls, _nameless_block))
    elif role is not None:
        _change(turn, "content", lambda content: _each(content, lambda part: _block(part, level)))
    else:
        return _block(turn, level)
    return turn


def _change(
    turn: dict[str, JsonValue], name: str, change: Callable[[JsonValue], JsonValue]
) -> None:
    if name in turn:
        turn[name] = change(turn[name])


def _block(value: JsonValue, level: Level) -> JsonValue:
    """A part of what the agent, the user or the system says."""
    if not isinstance(value, dict):
        return _text(value, mask_said)
    block = _nameless(value)
    if block.get("type") == "tool_result":
        _change(block, "content", lambda content: _printed(content, level))
    elif block.get("type") in ("text", "input_text"):
        _change(block, "text", lambda text: _text(text, mask_said))
    return block


def _printed(value: JsonValue, level: Level) -> JsonValue:
    """What a tool gave back: text, or blocks of text and images."""
    if level is Level.RESULTS:
        return MASK
    if isinstance(value, list):
        return [_printed(item, level) for item in value]
    if isinstance(value, dict) and "text" in value:
        return {**value, "text": _text(value["text"], mask_printed)}
    return _text(value, mask_printed)


def _each(value: JsonValue, change: Callable[[JsonValue], JsonValue]) -> JsonValue:
    return [change(item) for item in value] if isinstance(value, list) else change(value)


def _nameless(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Without the ids that tie calls to results; their order ties them too."""
    return {
        name: MASK if name in _IDS and isinstance(item, str) else item
        for name, item in value.items()
    }


def _nameless_block(value: JsonValue) -> JsonValue:
    return _nameless(value) if isinstance(value, dict) else value


def _text(value: JsonValue, mask: Callable[[str], str]) -> JsonValue:
    return mask(value) if isinstance(value, str) else value


def digest(target: str, parts: Parts) -> bytes:
    """One digest for what is asked of a target."""
    named = [
        name.encode("utf-8", "surrogatepass").hex().encode() + b":" + part for name, part in parts
    ]
    return hashlib.sha256(b",".join([target.encode("utf-8", "surrogatepass"), *named])).digest()
