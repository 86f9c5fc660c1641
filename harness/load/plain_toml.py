"""TOML that anyone wrote: reading a dotted key takes the square of its length, so none is long."""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_DOTS = 32
"""Of one line, outside of its texts."""

_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")


def parse_plain_toml(text: str) -> dict[str, Any]:
    """The document; raises ValueError and RecursionError."""
    for line in text.splitlines():
        if line.count(".") > MOST_DOTS and _TEXT.sub("", line).count(".") > MOST_DOTS:
            raise ValueError(f"a key of more than {MOST_DOTS} parts")
    return tomllib.loads(text)
