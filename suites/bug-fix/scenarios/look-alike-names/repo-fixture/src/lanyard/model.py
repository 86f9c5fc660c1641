"""The values that travel between the modules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attendee:
    handle: str
    name: str
    joined: datetime
