"""Durations as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """`90m`, `2h`, `3d`; a bare number means minutes."""
    match = re.fullmatch(r"([0-9]+)([mhd]?)", text.strip())
    if match is None:
        raise ValueError(f"not a duration: {text!r}")
    return timedelta(**{_UNITS[match[2] or "m"]: int(match[1])})
