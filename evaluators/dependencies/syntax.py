"""JSON, TOML and YAML that anyone wrote: data, or a sentence that says what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.load.plain_toml import parse_plain_toml
from harness.load.plain_yaml import parse_plain_yaml

_TRAILING = re.compile(r",(\s*[}\]])")


class Unreadable(Exception):
    """A file that is no data of its kind."""


def read_json(text: str) -> Mapping[str, Any]:
    """A JSON object; raises Unreadable."""
    return _object(json.loads, text)


def read_jsonc(text: str) -> Mapping[str, Any]:
    """A JSON object with commas at the end of lists, as bun writes it; raises Unreadable."""
    return _object(json.loads, _TRAILING.sub(r"\1", text))


def read_toml(text: str) -> Mapping[str, Any]:
    """A TOML document; raises Unreadable."""
    return _object(parse_plain_toml, text)


def read_yaml(text: str) -> Mapping[str, Any]:
    """A YAML mapping whose scalars are all text; raises Unreadable."""
    return _object(parse_plain_yaml, text)


def mapping(value: object) -> Mapping[str, Any]:
    """The value, where it is a mapping; else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Any]:
    """The value, where it is a list; else an empty one."""
    return value if isinstance(value, list) else []


def texts(value: object) -> Iterator[str]:
    """The texts of a list."""
    return (each for each in listed(value) if isinstance(each, str))


def text_of(value: object) -> str:
    """The value, where it is text; else nothing."""
    return value if isinstance(value, str) else ""


def _object(parse: Callable[[str], object], text: str) -> Mapping[str, Any]:
    try:
        value = parse(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{type(error).__name__}: {error!s:.120}") from error
    if not isinstance(value, dict):
        raise Unreadable("it holds no mapping")
    return value
