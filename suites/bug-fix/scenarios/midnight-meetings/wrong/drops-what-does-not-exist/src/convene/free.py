"""When there is still time for a meeting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from convene.expand import occurrences
from convene.model import Calendar, Slot
from convene.zones import instant


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours; an end that is not after the start is on the next date."""

    opens: time
    closes: time

    def on(self, day: date, zone_name: str) -> tuple[datetime, datetime]:
        last = day if self.closes > self.opens else day + timedelta(days=1)
        return instant(day, self.opens, zone_name), instant(last, self.closes, zone_name)


def free(
    calendar: Calendar, day: date, hours: Hours, zone_name: str, least: int = 1
) -> Iterator[Slot]:
    """The gaps of at least `least` minutes between the meetings of a working day."""
    opens, closes = hours.on(day, zone_name)
    start = opens
    for one in occurrences(calendar, opens, closes):
        yield from _slot(start, one.start, least)
        start = max(start, one.end)
    yield from _slot(start, closes, least)


def _slot(start: datetime, end: datetime, least: int) -> Iterator[Slot]:
    slot = Slot(start, end)
    if slot.minutes >= least:
        yield slot
