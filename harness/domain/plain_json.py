"""JSON as its standard has it: for `json.loads(…, parse_constant=no_number)`."""

from __future__ import annotations

from typing import NoReturn


def no_number(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python reads and nobody else does."""
    raise ValueError(f"{name} is no number")
