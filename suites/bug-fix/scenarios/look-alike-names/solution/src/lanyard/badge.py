"""Lines for the badge printer."""

from __future__ import annotations

from lanyard.clusters import clusters
from lanyard.model import Attendee

ELLIPSIS = "…"
LINE_BYTES = 24


def badge(attendee: Attendee, limit: int = LINE_BYTES) -> list[str]:
    """Initials for the picture, then name and handle, each at most `limit` bytes."""
    return [
        initials(attendee.name),
        fit(attendee.name, limit),
        fit(f"@{attendee.handle}", limit),
    ]


def fit(text: str, limit: int) -> str:
    """The text, cut to at most `limit` bytes of UTF-8."""
    if len(text.encode()) <= limit:
        return text
    room = limit - len(ELLIPSIS.encode())
    if room < 0:
        return ""
    kept = ""
    for character in clusters(text):
        room -= len(character.encode())
        if room < 0:
            break
        kept += character
    return kept.rstrip() + ELLIPSIS


def initials(name: str) -> str:
    """The first characters of the first and the last word."""
    words = name.split()
    ends = words if len(words) < 2 else [words[0], words[-1]]
    return "".join(next(clusters(word)).upper() for word in ends)
