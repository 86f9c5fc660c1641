"""On which dates a series falls; no times and no zones here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from convene.model import Repeat, Series

WEEK = timedelta(weeks=1)


def dates(series: Series, earliest: date, latest: date) -> Iterator[date]:
    """The dates of a series from `earliest` to `latest`, both included, in order."""
    last = latest if series.until is None else min(latest, series.until)
    for day in _all(series):
        if day > last:
            return
        if day >= earliest and day not in series.skip:
            yield day


def _all(series: Series) -> Iterator[date]:
    repeat = series.repeat
    if repeat is None:
        yield series.first
    elif repeat.unit == "day":
        yield from _daily(series.first, repeat)
    elif repeat.unit == "week":
        yield from _weekly(series.first, repeat)
    else:
        yield from _monthly(series.first, repeat)


def _daily(first: date, repeat: Repeat) -> Iterator[date]:
    day = first
    while True:
        yield day
        day += timedelta(days=repeat.every)


def _weekly(first: date, repeat: Repeat) -> Iterator[date]:
    monday = first - timedelta(days=first.weekday())
    while True:
        for weekday in repeat.on or (first.weekday(),):
            day = monday + timedelta(days=weekday)
            if day >= first:
                yield day
        monday += WEEK * repeat.every


def _monthly(first: date, repeat: Repeat) -> Iterator[date]:
    months = first.year * 12 + first.month - 1
    while True:
        year, month = divmod(months, 12)
        day = _nth(year, month + 1, first, repeat.nth) if repeat.nth else _same(year, month + 1, first)
        if day is not None and day >= first:
            yield day
        months += repeat.every


def _same(year: int, month: int, first: date) -> date | None:
    try:
        return first.replace(year=year, month=month)
    except ValueError:
        return None


def _nth(year: int, month: int, first: date, nth: int) -> date | None:
    start = date(year, month, 1)
    day = start + timedelta(days=(first.weekday() - start.weekday()) % 7)
    days = []
    while day.month == month:
        days.append(day)
        day += WEEK
    index = nth - 1 if nth > 0 else nth
    return days[index] if -len(days) <= index < len(days) else None
