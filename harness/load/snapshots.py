"""Snapshots read as data, however many runs they hold, and everything that is wrong with one."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import pyjson5

from harness.load.fits import fits
from harness.load.json_text import MAX_DEPTH, parse_json5
from harness.load.places import Document, Place, Problem
from harness.load.schema import MINTED, schema_problems

MANY = (
    (("benchmarks", "runs"), f"{MINTED}#/$defs/run"),
    (("snapshot_metadata", "provenance", "chain", "links"), f"{MINTED}#/$defs/link"),
)
"""Lists whose items are looked at one by one, quickly, before the library is asked."""

_SAFE = 2**53
"""Beyond it not every whole number can be written as JSON everywhere."""
_COLON = re.compile(
    r"""//[^\n\r\u2028\u2029]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|:""", re.DOTALL
)


class Read(NamedTuple):
    """A file as data, and what is wrong with it as sentences with their places."""

    text: str
    document: dict[str, Any]
    problems: tuple[str, ...] = ()


def parse_snapshot(data: bytes) -> dict[str, Any]:
    """A snapshot's document; raises ValueError where the bytes are none."""
    found = read_snapshot(data)
    if found.problems:
        raise ValueError("; ".join(found.problems))
    return found.document


def read_snapshot(data: bytes) -> Read:
    """The bytes as JSON5 in which no key stands twice and every number is one."""
    try:
        text = data.decode("utf-8")
        value = pyjson5.decode(text, MAX_DEPTH)
    except UnicodeDecodeError as error:
        return Read("", {}, (f"is not UTF-8: byte {error.start} is {data[error.start]:#04x}",))
    except pyjson5.Json5DecoderException:
        return Read("", {}, tuple(f"not JSON5: {p.text}" for p in parse_json5(text).problems))
    if not isinstance(value, dict):
        return Read(text, {}, ("not a snapshot: it is no object",))
    keys, odd = _walk(value, ())
    # every key has its colon: one that stands twice is there once as data
    if odd or keys != _COLON.findall(text).count(":"):
        twice = parse_json5(text)
        lines = Document(Path(), value, twice.lines)
        return Read(text, value, lines.report([*twice.problems, *odd]))
    return Read(text, value)


def minted_problems(found: Read) -> tuple[str, ...]:
    """What keeps a document from being a snapshot that can be verified: all of it, by line."""
    known: Any = found.document
    for place, schema in MANY:
        listed = _at(known, place)
        if isinstance(listed, list) and all(map(fits(schema), listed)):
            known = _with(known, place, [])
    problems = schema_problems(known, MINTED)
    if not problems:
        return ()
    return Document(Path(), found.document, parse_json5(found.text).lines).report(problems)


def _walk(value: object, place: Place) -> tuple[int, list[Problem]]:
    """How many keys a value has, and the numbers in it that cannot be written as JSON."""
    if not isinstance(value, dict | list):
        return 0, _odd(value, place)
    count, odd = len(value) if isinstance(value, dict) else 0, list[Problem]()
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, str) or item is None:
            continue
        more, found = _walk(item, (*place, step))
        count += more
        odd += found
    return count, odd


def _odd(value: object, place: Place) -> list[Problem]:
    if isinstance(value, float) and not math.isfinite(value):
        return [Problem(place, f"{value!r} is not a finite number")]
    if isinstance(value, int) and abs(value) > _SAFE:
        return [Problem(place, "is a whole number that is too large")]
    return []


def _at(value: object, place: Place) -> object:
    for step in place:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _with(value: dict[Any, Any], place: Place, new: object) -> dict[Any, Any]:
    """A copy that has something else at a place."""
    first, *rest = place
    return {**value, first: _with(value[first], tuple(rest), new) if rest else new}
