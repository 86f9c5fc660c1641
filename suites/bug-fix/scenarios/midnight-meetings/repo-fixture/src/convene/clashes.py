"""Which meetings take place at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from convene.agenda import bounds
from convene.expand import occurrences
from convene.model import Calendar, Occurrence


def clashes(
    calendar: Calendar, first: date, last: date, zone_name: str
) -> Iterator[tuple[Occurrence, Occurrence]]:
    """Pairs that overlap, the earlier one first; back to back is no clash."""
    found = occurrences(calendar, *bounds(first, last, zone_name))
    for index, one in enumerate(found):
        for other in found[index + 1 :]:
            if other.start >= one.end:
                break
            yield one, other
