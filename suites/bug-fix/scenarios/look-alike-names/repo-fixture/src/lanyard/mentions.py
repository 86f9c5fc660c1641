"""`@handle` in chat messages."""

from __future__ import annotations

import re

from lanyard.directory import Directory
from lanyard.errors import UnknownAttendee
from lanyard.model import Attendee

MENTION = re.compile(r"(?<!\w)@(\w+)")


def mentioned(directory: Directory, message: str) -> list[Attendee]:
    """The guests a message names, everybody once, in the order of first mention."""
    found: list[Attendee] = []
    for handle in MENTION.findall(message):
        try:
            guest = directory.find(handle)
        except UnknownAttendee:
            continue
        if guest not in found:
            found.append(guest)
    return found
