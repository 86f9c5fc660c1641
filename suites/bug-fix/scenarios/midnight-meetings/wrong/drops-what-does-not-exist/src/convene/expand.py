"""From series to occurrences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from convene.dates import dates
from convene.model import Calendar, Occurrence, Series
from convene.zones import instant, left_out, shown

# How far the date of an instant can be from its date in UTC, with a day to spare.
MARGIN = timedelta(days=2)


def occurrences(calendar: Calendar, start: datetime, end: datetime) -> list[Occurrence]:
    """Everything that takes up some of the time from `start` to `end`, in order."""
    found = [
        occurrence
        for series in calendar.series
        for occurrence in _of(series, start, end)
        if occurrence.start < end and occurrence.end > start
    ]
    return sorted(found, key=lambda one: (one.start, one.end, one.series.id))


def _of(series: Series, start: datetime, end: datetime) -> Iterator[Occurrence]:
    length = timedelta(minutes=series.minutes)
    for day in dates(series, (start - length - MARGIN).date(), (end + MARGIN).date()):
        if left_out(day, series.zone):
            continue
        begins = instant(day, series.at, series.zone)
        if shown(begins, series.zone).time() != series.at:
            continue
        yield Occurrence(series, day, begins, begins + length)
