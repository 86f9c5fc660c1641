"""Dataclasses to JSON and back, by their type hints.

A document outlives the version that wrote it: a field that was added since takes its default,
one that was removed is passed over. A field without a default can therefore never be added.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache, lru_cache
from typing import Any, TypeVar

from harness.domain.record import Cell

T = TypeVar("T")
Step = Callable[[Any], Any]

PLAIN = frozenset({str, int, float, bool, type(None)})
_DIGEST = re.compile(r'"([0-9a-f]{64})"')
_DOCUMENT = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_KEY = json.JSONEncoder(separators=(",", ":"), sort_keys=True)
KEYS = 1024
"""So many cells are known by their keys: each is planned, claimed and stored."""
MISREAD = (ValueError, TypeError, KeyError, AttributeError)
"""What decoding a document raises that no version of this code wrote."""


def encode(value: object) -> str:
    """A dataclass as one JSON document, plain ASCII whatever its strings hold."""
    kind: Any = type(value)
    return _DOCUMENT.encode(_encoder(kind)(value))


def decode(kind: type[T], document: str) -> T:
    """The value that `encode` was given; raises one of MISREAD when it was not this kind."""
    hint: Any = kind
    value: T = _decoder(hint)(json.loads(document))
    return value


def digests_in(document: str) -> Iterator[str]:
    """Every digest that a document names, whatever for."""
    return (found[1] for found in _DIGEST.finditer(document))


@lru_cache(maxsize=KEYS)
def cell_key(cell: Cell) -> str:
    """The cell as text that is equal for equal cells and stays so when Cell gains a field."""
    return _KEY.encode(_without_none(_encoder(Cell)(cell)))


def timestamp(moment: datetime) -> str:
    """UTC ISO 8601 of one length, so that text sorts as time does."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _without_none(value: Any) -> Any:  # noqa: ANN401  # a JSON value
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401  # a JSON value
    return value


def _is_plain(kind: Any) -> bool:  # noqa: ANN401  # a type hint
    return kind in PLAIN


def _hint(kind: Any) -> Any:  # noqa: ANN401  # a type hint
    """The hint beneath NewType and Optional; no record holds any other union."""
    while hasattr(kind, "__supertype__"):
        kind = kind.__supertype__
    if typing.get_origin(kind) in {typing.Union, types.UnionType}:
        kinds = [k for k in typing.get_args(kind) if k is not type(None)]
        if len(kinds) != 1:
            raise TypeError(f"{kind} cannot be kept as JSON: it is a choice of several types")
        return _hint(kinds[0])
    return kind


def _optional(step: Step) -> Step:
    return lambda value: None if value is None else step(value)


def _hints(kind: Any) -> Mapping[str, Any]:  # noqa: ANN401  # a dataclass
    hints = typing.get_type_hints(kind)
    return {field.name: _hint(hints[field.name]) for field in fields(kind)}


@cache
def _encoder(kind: Any) -> Step:  # noqa: ANN401  # a type hint
    if _is_plain(kind):
        return _plain
    if kind is datetime:
        return timestamp
    if typing.get_origin(kind) is tuple:
        return _tuple_step(kind, _encoder, list)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda value: value.value
    if not is_dataclass(kind):
        raise TypeError(f"{kind} cannot be kept as JSON")
    steps = tuple(
        (name, None if _is_plain(hint) else _optional(_encoder(hint)))
        for name, hint in _hints(kind).items()
    )
    return lambda value: {
        name: getattr(value, name) if step is None else step(getattr(value, name))
        for name, step in steps
    }


@cache
def _decoder(kind: Any) -> Step:  # noqa: ANN401  # a type hint
    if _is_plain(kind):
        return _plain
    if kind is datetime:
        return datetime.fromisoformat
    if typing.get_origin(kind) is tuple:
        return _tuple_step(kind, _decoder, tuple)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    steps = {
        name: None if _is_plain(hint) else _decoder(hint) for name, hint in _hints(kind).items()
    }
    # a call for every value that is as it was written would be most of the time that this takes
    return lambda raw: kind(
        **{
            name: value if value is None or (step := steps[name]) is None else step(value)
            for name, value in raw.items()
            if name in steps
        }
    )


def _tuple_step(kind: Any, build: Callable[[Any], Step], into: type) -> Step:  # noqa: ANN401
    kinds = typing.get_args(kind)
    if kinds[-1] is Ellipsis:
        each = build(_hint(kinds[0]))
        return into if each is _plain else lambda value: into(map(each, value))
    steps = tuple(build(_hint(k)) for k in kinds)
    return lambda value: into(step(v) for step, v in zip(steps, value, strict=True))
