"""Durations and sizes as scenario files write them; the schema has already refused the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping

SECONDS: Mapping[str, float] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}
BYTES: Mapping[str, int] = {
    "": 1,
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}

_QUANTITY = re.compile(r"([0-9.]+) ?([A-Za-z]*)")


def seconds(value: str | float) -> float:
    """`90s`, `10m`, `1h`, `7d`, `250ms`, or a plain number of seconds."""
    number, unit = _split(value)
    return number * SECONDS[unit]


def size_bytes(value: str | int) -> int:
    """`512MiB` (powers of 1024), `128MB` (powers of 1000), or plain bytes."""
    number, unit = _split(value)
    return int(number * BYTES[unit])


def _split(value: str | float) -> tuple[float, str]:
    if not isinstance(value, str):
        return float(value), ""
    found = _QUANTITY.fullmatch(value)
    if not found:
        raise ValueError(value)
    return float(found[1]), found[2]
