"""`@handle` in chat messages."""

from __future__ import annotations

from collections.abc import Iterator

from lanyard.directory import Directory
from lanyard.errors import UnknownAttendee
from lanyard.handles import belongs, without_invisible
from lanyard.model import Attendee

SIGN = "@"


def mentioned(directory: Directory, message: str) -> list[Attendee]:
    """The guests a message names, everybody once, in the order of first mention."""
    found: list[Attendee] = []
    for handle in _handles(message):
        try:
            guest = directory.find(handle)
        except UnknownAttendee:
            continue
        if guest not in found:
            found.append(guest)
    return found


def _handles(message: str) -> Iterator[str]:
    at = 0
    while (at := message.find(SIGN, at)) >= 0:
        end = at + 1
        while end < len(message) and belongs(message[end]):
            end += 1
        if at == 0 or not _is_text(message[at - 1]):
            yield message[at + 1 : end]
        at = end


def _is_text(char: str) -> bool:
    return belongs(char) and without_invisible(char) != ""
