"""JSON5 that people like to read; reading it back gives the same value.

Keys are bare where they may be, short things stand on one line, and a long text is broken where
it breaks itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

WIDTH = 100
INDENT = "  "

Place = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_WORDS = frozenset({"null", "true", "false", "Infinity", "NaN"})
"""Legal as keys, and mistaken for values by some readers."""
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_json5(value: object, comments: Mapping[Place, str] | None = None) -> str:
    """A file's text; `comments` go above the key or item at their place, () is the whole file.

    Raises ValueError for what JSON cannot hold: NaN, infinities, keys that are not text.
    """
    writer = _Writer(comments or {})
    lines = [*writer.comment((), ""), *writer.lines(value, (), "", "")]
    return "\n".join(lines) + "\n"


class _Writer:
    def __init__(self, comments: Mapping[Place, str]) -> None:
        self._comments = comments
        self._around = frozenset(place[:n] for place in comments for n in range(len(place)))
        """What has a comment inside, and cannot stand on one line."""

    def comment(self, place: Place, indent: str) -> Iterator[str]:
        for line in self._comments.get(place, "").splitlines():
            yield f"{indent}// {line}".rstrip()

    def lines(self, value: object, place: Place, indent: str, end: str) -> Iterator[str]:
        """The value's lines; the first lacks its indent because a key may stand before it."""
        if not isinstance(value, dict | list | tuple) or not value:
            yield from _scalar_lines(value, len(indent), end)
            return
        is_object = isinstance(value, dict)
        yield "{" if is_object else "["
        inner = indent + INDENT
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            head = inner + (f"{_key(step)}: " if is_object else "")
            yield from self._item(item, (*place, step), inner, head)
        yield f"{indent}{'}' if is_object else ']'}{end}"

    def _item(self, item: object, place: Place, indent: str, head: str) -> Iterator[str]:
        yield from self.comment(place, indent)
        # what is too long for a line whatever its letters is not spelt out to see that
        if place not in self._around and _room(item, WIDTH - len(head)) >= 0:
            line = f"{head}{_inline(item)},"
            if len(line) <= WIDTH or not item:
                yield line
                return
        first, *rest = self.lines(item, place, indent, ",")
        yield head + first
        yield from rest


def _scalar_lines(value: object, indent: int, end: str) -> Iterator[str]:
    text = _inline(value)
    if not isinstance(value, str) or "\n" not in value.rstrip("\n") or len(text) + indent <= WIDTH:
        yield text + end
        return
    # a backslash before the line's end continues the text: a prompt reads as it was written
    *parts, last = value.split("\n")
    yield '"\\'
    for part in parts:
        yield f"{_escaped(part)}\\n\\"
    yield f'{_escaped(last)}"{end}'


def _room(value: object, room: int) -> int:
    """What a value leaves of a line at most; below 0 it is longer, whatever has to be escaped."""
    if isinstance(value, str):
        return room - len(value)
    if not isinstance(value, dict | list | tuple):
        return room
    for step in value:
        item = value[step] if isinstance(value, dict) else step
        room = _room(item, room - (len(str(step)) + 2 if isinstance(value, dict) else 1))
        if room < 0:
            break
    return room


def _inline(value: object) -> str:
    if isinstance(value, dict):
        items = ", ".join(f"{_key(key)}: {_inline(item)}" for key, item in value.items())
        return f"{{ {items} }}" if items else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, str):
        return f'"{_escaped(value)}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _number(value)


def _number(value: object) -> str:
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float) and math.isfinite(value):
        return repr(float(value))
    raise ValueError(f"{value!r} cannot be written as JSON5")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{key!r} is a key of JSON5 only as text")  # noqa: TRY004  # see to_json5
    if _BARE_KEY.fullmatch(key) and key not in _WORDS:
        return key
    return f'"{_escaped(key)}"'


def _escaped(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(map(_escape, text))


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
