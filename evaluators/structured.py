"""A value at a path of a JSON, YAML or TOML text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from harness.load.json_text import parse_json5
from harness.load.places import Parsed
from harness.load.plain_toml import parse_plain_toml
from harness.load.yaml_text import parse_yaml

_WITH_COMMENTS = re.compile(r"(?:ts|js)config[^/]*\.json|.*\.jsonc|.*\.json5")


def value_at(name: str, text: str, path: Sequence[str | int]) -> str | None:
    """The value as canonical JSON, None where there is nothing; raises whatever parsers raise."""
    value = _parse(name, text)
    for step in path:
        if isinstance(value, list):
            at = int(step) if isinstance(step, str) and re.fullmatch("[0-9]{1,9}", step) else step
            if not isinstance(at, int) or not 0 <= at < len(value):
                return None
            value = value[at]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return None
    return json.dumps(value, sort_keys=True, default=str)


def same(one: str, other: str) -> bool:
    """Two texts of canonical JSON that mean the same: 1 is 1.0, and true is not 1."""
    if one == other:
        return True
    try:
        return _alike(json.loads(one), json.loads(other))
    except (ValueError, RecursionError):  # an agent may nest as deep as it likes
        return False


def _alike(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_alike(each, its) for each, its in pairs)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def dotted(path: Sequence[str | int]) -> str:
    """The path as people write it."""
    return ".".join(map(str, path))


def _parse(name: str, text: str) -> Any:  # noqa: ANN401  # whatever the file holds
    if name.endswith(".toml"):
        return parse_plain_toml(text)
    if name.endswith((".yaml", ".yml")):
        return _sound(parse_yaml(text))
    if _WITH_COMMENTS.fullmatch(PurePosixPath(name).name):
        return _sound(parse_json5(text))
    return json.loads(text)


def _sound(parsed: Parsed) -> object:
    if parsed.problems:
        raise ValueError(parsed.problems[0].text)
    return parsed.value
