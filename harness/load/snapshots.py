"""Snapshots read as data, however many runs they hold: no place, no schema, no limit of size."""

from __future__ import annotations

from typing import Any

import pyjson5

from harness.load.json_text import MAX_DEPTH


def parse_snapshot(data: bytes) -> dict[str, Any]:
    """A snapshot's document; raises ValueError where the bytes are none."""
    try:
        value = pyjson5.decode(data.decode("utf-8"), MAX_DEPTH)
    except (pyjson5.Json5DecoderException, UnicodeDecodeError) as error:
        said = error.args[0] if isinstance(error, pyjson5.Json5DecoderException) else error
        raise ValueError(f"not JSON5: {said}") from error
    if not isinstance(value, dict):
        raise ValueError("not a snapshot: it is no object")  # noqa: TRY004  # a file's content
    return value
