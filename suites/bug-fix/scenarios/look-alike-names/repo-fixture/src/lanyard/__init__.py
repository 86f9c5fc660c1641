"""Who is at the conference: handles, search and badges."""

from lanyard.badge import badge, fit, initials
from lanyard.directory import Directory
from lanyard.errors import BadHandle, HandleTaken, LanyardError, UnknownAttendee
from lanyard.mentions import mentioned
from lanyard.model import Attendee
from lanyard.search import highlight, search
from lanyard.storage import dump, load

__all__ = [
    "Attendee",
    "BadHandle",
    "Directory",
    "HandleTaken",
    "LanyardError",
    "UnknownAttendee",
    "badge",
    "dump",
    "fit",
    "highlight",
    "initials",
    "load",
    "mentioned",
    "search",
]
