"""Which meetings are on which day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from convene.expand import occurrences
from convene.model import AgendaDay, Calendar, Item
from convene.zones import starts

DAY = timedelta(days=1)


def bounds(first: date, last: date, zone_name: str) -> tuple[datetime, datetime]:
    """From the start of the first date to the end of the last."""
    return starts(first, zone_name), starts(last + DAY, zone_name)


def agenda(calendar: Calendar, first: date, last: date, zone_name: str) -> Iterator[AgendaDay]:
    """One entry for every date, also for those without meetings."""
    start, end = bounds(first, last, zone_name)
    found = occurrences(calendar, start, end)
    day = first
    while day <= last:
        start, end = bounds(day, day, zone_name)
        items = tuple(
            Item(one, continued=one.start < start)
            for one in found
            if max(one.start, start) < min(one.end, end)  # a left out date has no time at all
        )
        yield AgendaDay(day, items)
        day += DAY
