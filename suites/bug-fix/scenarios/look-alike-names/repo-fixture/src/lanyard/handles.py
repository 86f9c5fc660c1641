"""Which handles are allowed, and which are the same."""

from __future__ import annotations

import re
import unicodedata

ALLOWED = re.compile(r"[^\W\d_]\w{1,19}")


def is_allowed(handle: str) -> bool:
    return ALLOWED.fullmatch(unicodedata.normalize("NFC", handle)) is not None


def key(handle: str) -> str:
    """Equal for handles that are the same."""
    return unicodedata.normalize("NFC", handle).lower()
