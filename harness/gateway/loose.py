"""JSON from elsewhere, read without believing it: what does not fit is as good as absent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

MAX_COUNT = 10**12
"""No answer has more tokens than this; a larger number is no count."""
MAX_TEXT = 200

Object = Mapping[str, object]


def parse(text: str) -> object:
    """The value of a JSON text; None when it is none."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def as_object(value: object) -> Object:
    """The value when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> Iterator[tuple[int, Object]]:
    """The objects of a list, with their places in it."""
    for place, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield place, item


def dig(value: object, path: tuple[str, ...]) -> object:
    """What stands at the end of the keys; None when they lead nowhere."""
    for key in path:
        value = as_object(value).get(key)
    return value


def word(value: object) -> str | None:
    """A short text such as a name, safe to store; None when it is none."""
    if not isinstance(value, str) or not value:
        return None
    return value[:MAX_TEXT].encode(errors="replace").decode()


def whole(value: object) -> int | None:
    """A whole number that is not negative; true, 1.0 and "1" are none."""
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None
