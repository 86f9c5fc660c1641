"""Where one request departs from another, as text that a person can act on."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from itertools import zip_longest

from harness.gateway.pieces import Piece
from harness.gateway.sameness import JsonValue, Level, normal

_CONTEXT = 2
_LINES = 10
_BEFORE, _AFTER = 60, 120

Members = dict[str, list[Piece]]


def departure(recorded: Sequence[Piece], asked: Sequence[Piece], level: Level) -> str | None:
    """The first place where two requests do not agree at a level, and what stands there."""
    one, other = _members(recorded), _members(asked)
    # a conversation departs where it begins to, so whatever is not part of it is looked at first
    names = sorted({**one, **other}, key=lambda name: name in {"messages", "input"})
    for name in names:
        if found := _member(name, one.get(name, []), other.get(name, []), level):
            # what is shown goes into an answer, which holds no half of a surrogate pair
            return found.encode("utf-8", "replace").decode()
    return None


def _members(pieces: Sequence[Piece]) -> Members:
    members: Members = {}
    for piece in pieces:
        if piece.member is not None:
            members.setdefault(piece.member, []).append(piece)
    return members


def _member(name: str, one: list[Piece], other: list[Piece], level: Level) -> str | None:
    for index, (left, right) in enumerate(zip_longest(one, other)):
        listed = any(piece.listed for piece in (*one, *other))
        place = f"{name}[{index}]" if listed else name
        if left is None or right is None:
            return _only(place, left, right, f"{len(one)} recorded, {len(other)} asked")
        if left.listed != right.listed:
            return _hunk(name, left.text, right.text)
        if left.text == right.text:
            continue
        try:
            values = normal(left, level), normal(right, level)
            path = _path(*values)
            if path is not None:
                return _shown(place, path, *values)
        except RecursionError:
            return _hunk(place, left.text, right.text)
    return None


def _only(place: str, left: Piece | None, right: Piece | None, counts: str) -> str:
    if left is not None:
        return _hunk(f"{place}, which is not in the request ({counts})", _pretty(left), "")
    return _hunk(f"{place}, which is not in the recording ({counts})", "", _pretty(right))


def _path(one: JsonValue, other: JsonValue) -> tuple[str | int, ...] | None:
    """The way to the first value that differs; None when none does."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name, value in one.items():
            if (below := _path(value, other[name])) is not None:
                return (name, *below)
        return None
    if isinstance(one, list) and isinstance(other, list):
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            if (below := _path(left, right)) is not None:
                return (index, *below)
        return None if len(one) == len(other) else ()
    same = type(one) is type(other) and json.dumps(one) == json.dumps(other)
    return None if same else ()


def _shown(place: str, path: tuple[str | int, ...], one: JsonValue, other: JsonValue) -> str:
    for step in path:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
        one, other = one[step], other[step]  # type: ignore[index]  # `_path` went here
    return _hunk(place, _as_text(one), _as_text(other))


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)


def _pretty(piece: Piece | None) -> str:
    try:
        return _as_text(json.loads(piece.text)) if piece else ""
    except RecursionError:
        return piece.text if piece else ""


def _hunk(place: str, one: str, other: str) -> str:
    """A unified difference of a few lines around the first that differs."""
    left, right = one.splitlines(), other.splitlines()
    same = _common(left, right)
    start = max(0, same - _CONTEXT)
    column = _common("".join(left[same : same + 1]), "".join(right[same : same + 1]))
    old, new = (
        [_cut(line, column) for line in side[start : start + _LINES]] for side in (left, right)
    )
    lines = list(difflib.unified_diff(old, new, lineterm="", n=_CONTEXT))[3:]
    text = "\n".join(["--- recorded", "+++ asked", f"@@ from line {start + 1} on @@", *lines])
    return f"{_cut(place, 0)}:\n{text}"


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How long the beginning is that two texts, or two lists of lines, share."""
    most = min(len(one), len(other))
    return next((at for at in range(most) if one[at] != other[at]), most)


def _cut(line: str, column: int) -> str:
    """A long line's part around the column."""
    first = max(0, column - _BEFORE)
    end = column + _AFTER
    head, tail = "…" if first else "", "…" if end < len(line) else ""
    return f"{head}{line[first:end]}{tail}"
