"""Settings as data; what could keep a parser busy for ever is not parsed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.load.plain_toml import parse_plain_toml

MOST_CONFIG = 256 * 1024


def toml_of(text: str) -> Mapping[str, Any] | None:
    """The document, unless it is broken or made to be slow."""
    if len(text) > MOST_CONFIG:
        return None
    try:
        return parse_plain_toml(text)
    except (ValueError, RecursionError):
        return None


def json_of(text: str) -> Mapping[str, Any] | None:
    """The object, unless it is broken or something else."""
    if len(text) > MOST_CONFIG:
        return None
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def below(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """The table at a path; an empty one when there is none."""
    for key in keys:
        found = document.get(key)
        document = found if isinstance(found, dict) else {}
    return document
