"""JSON Schema as sentences: the place, the value, what was expected, the nearest name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from harness.errors import nearest
from harness.load.places import Place, Problem, shown

SCENARIO = "scenario.schema.json"
ORACLE = "oracle-answers.schema.json"
TEMPLATE = "template.schema.json"
SNAPSHOT = "snapshot.schema.json"
MINTED = "minted.schema.json"
SCRIPT = "script.schema.json"
PRICES = "prices.schema.json"
AGENT = "agent.schema.json"
POLICY = "policy.schema.json"
MATRIX = "matrix.schema.json"

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


def schema_problems(value: object, schema: str) -> tuple[Problem, ...]:
    """Everything that keeps `value` from being what the named schema describes."""
    data: Any = value
    found = (p for error in _validator(schema).iter_errors(data) for p in _explain(error))
    return tuple(dict.fromkeys(found))


def option_problems(options: Mapping[str, Any], kind: str) -> tuple[Problem, ...]:
    """What the evaluator's schema says of its options; no schema is of another package."""
    schema = f"options/{kind}.schema.json"
    if not resources.files("harness.load").joinpath("schemas", schema).is_file():
        return ()
    return schema_problems(options, schema)


@cache
def _validator(schema: str) -> Validator:
    texts = {
        name: _load(name) for name in (SCENARIO, ORACLE, TEMPLATE, SNAPSHOT, SCRIPT, PRICES, AGENT)
    }
    known = [
        (name, Resource.from_contents(text, default_specification=DRAFT202012))
        for name, text in texts.items()
    ]
    registry: Registry[Any] = Registry().with_resources(known)
    make: type[Validator] = validators.extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]  # the stubs leave it so
    return make(texts.get(schema) or _load(schema), registry=registry)


def _load(name: str) -> dict[str, Any]:
    text = resources.files("harness.load").joinpath("schemas", name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _pattern(
    _validator: object, pattern: str, instance: object, _schema: object
) -> Iterator[ValidationError]:
    # $ is the very end in JSON Schema's dialect; Python's also stands before a last newline
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError("does not match")


@dataclass(frozen=True, slots=True)
class _Failure:
    """A keyword of the schema that a value does not satisfy."""

    keyword: str
    expected: Any
    instance: Any
    schema: Mapping[str, Any]


def _explain(error: ValidationError) -> Iterator[Problem]:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    failure = _Failure(str(error.validator), error.validator_value, error.instance, schema)
    place: Place = tuple(error.absolute_path)
    if "propertyNames" in list(error.relative_schema_path)[-2:]:
        # the library leaves out which key it is
        place = (*place, str(error.instance))
    for problem in _EXPLAIN.get(failure.keyword, _otherwise)(failure):
        yield problem._replace(place=(*place, *problem.place))


def _unknown_keys(failure: _Failure) -> Iterator[Problem]:
    known = failure.schema.get("properties", {})
    for key in failure.instance:
        if key in known:
            continue
        homes = [
            name
            for name, inner in known.items()
            if inner is not True and key in inner.get("properties", {})
        ]
        hint = f"it belongs in {homes[0]!r}" if homes else nearest(key, known)
        yield Problem((key,), f"unknown key {shown(key)}; {hint}", is_extra=True)


def _missing(failure: _Failure) -> Iterator[Problem]:
    for key in failure.expected:
        if key not in failure.instance:
            yield Problem((), f"{key!r} is missing")


def _missing_beside(failure: _Failure) -> Iterator[Problem]:
    for key, beside in failure.expected.items():
        for name in beside:
            if key in failure.instance and name not in failure.instance:
                yield Problem((), f"{name!r} is missing beside {key!r}")


def _wrong_type(failure: _Failure) -> Iterator[Problem]:
    names = [failure.expected] if isinstance(failure.expected, str) else failure.expected
    expected = " or ".join(_TYPES[name] for name in names)
    if failure.instance is None:
        yield Problem((), f"is empty; it must be {expected}")
        return
    yield Problem((), f"{shown(failure.instance)} is not {expected}")


def _not_listed(failure: _Failure) -> Iterator[Problem]:
    names = [name for name in failure.expected if isinstance(name, str)]
    hint = nearest(failure.instance, names) if isinstance(failure.instance, str) else _listed(names)
    yield Problem((), f"{shown(failure.instance)} is unknown here; {hint}")


def _listed(names: list[str]) -> str:
    return f"there is {', '.join(map(repr, names))}"


def _bound(failure: _Failure) -> Iterator[Problem]:
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
    }
    limit = f"{words[failure.keyword]} {failure.expected}"
    yield Problem((), f"{shown(failure.instance)} is out of range; it must be {limit}")


def _otherwise(failure: _Failure) -> Iterator[Problem]:
    said = failure.schema.get("description")
    expected = f"is not {said}" if said else f"does not satisfy {failure.keyword!r}"
    yield Problem((), f"{shown(failure.instance)} {expected}")


_EXPLAIN: Mapping[str, Callable[[_Failure], Iterator[Problem]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing,
    "dependentRequired": _missing_beside,
    "type": _wrong_type,
    "enum": _not_listed,
    "minimum": _bound,
    "maximum": _bound,
    "exclusiveMinimum": _bound,
    "exclusiveMaximum": _bound,
    "minLength": lambda failure: iter([Problem((), f"{shown(failure.instance)} is too short")]),
    "maxLength": lambda failure: iter([Problem((), f"{shown(failure.instance)} is too long")]),
    "minItems": lambda _: iter([Problem((), "the list is empty")]),
    "maxItems": lambda _: iter([Problem((), "the list is too long")]),
    "uniqueItems": lambda failure: iter(
        [Problem((), f"{shown(failure.instance)} names one thing twice")]
    ),
}
