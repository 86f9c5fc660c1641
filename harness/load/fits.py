"""Whether many values fit a schema, without saying why one does not: that the library says.

A snapshot holds thousands of small objects of one form, and is verified in under a second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

Check = Callable[[Any], bool]
Schema = Mapping[str, Any]

_KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_SILENT = frozenset({"$defs", "$id", "$schema", "title", "description"})


@cache
def fits(ref: str) -> Check:
    """A test of values for the schema at `file#/pointer`.

    What it lets pass the library lets pass too; of the rest the library has to be asked.
    """
    file, _, pointer = ref.partition("#")
    schema = _load(file)
    for step in filter(None, pointer.split("/")):
        schema = schema[step]
    return _all(_checks(schema, file))


def _all(checks: Iterator[Check]) -> Check:
    every = tuple(checks)
    if len(every) == 1:
        return every[0]

    def check(value: Any) -> bool:  # noqa: ANN401  # a JSON value
        # no generator: this is called for every value of every run
        for each in every:  # noqa: SIM110
            if not each(value):
                return False
        return True

    return check


def _checks(schema: Schema, file: str) -> Iterator[Check]:
    yield from _of_objects(schema, file)
    for word, said in schema.items():
        if word in _SILENT or word in _OF_OBJECTS:
            continue
        if word == "$ref":
            yield fits(said if not said.startswith("#") else file + said)
        elif word == "items":
            yield _items(_all(_checks(said, file)))
        else:
            yield _WORDS.get(word, _unknown)(said)


def _of_objects(schema: Schema, file: str) -> Iterator[Check]:
    named = {key: _all(_checks(part, file)) for key, part in schema.get("properties", {}).items()}
    required = frozenset(schema.get("required", ()))
    beside = {key: frozenset(more) for key, more in schema.get("dependentRequired", {}).items()}
    rest = schema.get("additionalProperties", True)
    other = _all(_checks(rest, file)) if isinstance(rest, Mapping) else (lambda _: bool(rest))

    def check(value: Any) -> bool:  # noqa: ANN401  # a JSON value
        if not isinstance(value, dict):
            return True
        keys = value.keys()
        if not required <= keys or any(k in keys and not m <= keys for k, m in beside.items()):
            return False
        for key, item in value.items():  # noqa: SIM110  # as above
            if not named.get(key, other)(item):
                return False
        return True

    if not _OF_OBJECTS.isdisjoint(schema):
        yield check


def _items(each: Check) -> Check:
    return lambda value: not isinstance(value, list) or all(map(each, value))


def _type(said: str | list[str]) -> Check:
    # bool is an int to Python, hence the very type
    names = [said] if isinstance(said, str) else said
    kinds = frozenset(kind for name in names for kind in _KINDS[name])
    return lambda value: type(value) in kinds


def _enum(said: list[str]) -> Check:
    return lambda value: isinstance(value, str) and value in said


def _least(said: float) -> Check:
    return lambda value: not isinstance(value, int | float) or value >= said


def _most(said: float) -> Check:
    return lambda value: not isinstance(value, int | float) or value <= said


def _min_length(said: int) -> Check:
    return lambda value: not isinstance(value, str) or len(value) >= said


def _pattern(said: str) -> Check:
    found = re.compile(said.replace("$", r"\Z")).search
    return lambda value: not isinstance(value, str) or found(value) is not None


def _unknown(_said: object) -> Check:
    return lambda _value: False


_OF_OBJECTS = frozenset({"properties", "required", "dependentRequired", "additionalProperties"})
_WORDS: Mapping[str, Callable[[Any], Check]] = {
    "type": _type,
    "enum": _enum,
    "minimum": _least,
    "maximum": _most,
    "minLength": _min_length,
    "pattern": _pattern,
}


@cache
def _load(name: str) -> dict[str, Any]:
    text = resources.files("harness.load").joinpath("schemas", name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
