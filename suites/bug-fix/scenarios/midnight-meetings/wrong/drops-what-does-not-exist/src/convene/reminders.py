"""When somebody has to be told that a meeting is coming."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from convene.agenda import bounds
from convene.expand import MARGIN, occurrences
from convene.model import Calendar, Lead, Occurrence, Reminder
from convene.zones import instant


def reminders(calendar: Calendar, first: date, last: date, zone_name: str) -> list[Reminder]:
    """What rings on these dates, in order."""
    start, end = bounds(first, last, zone_name)
    ahead = max((_length(lead) for series in calendar.series for lead in series.remind), default=None)
    if ahead is None:
        return []
    found = [
        Reminder(_rings(one, lead), one)
        for one in occurrences(calendar, start, end + ahead + MARGIN)
        for lead in one.series.remind
    ]
    due = [reminder for reminder in found if start <= reminder.at < end]
    return sorted(due, key=lambda one: (one.at, one.occurrence.start, one.occurrence.series.id))


def _length(lead: Lead) -> timedelta:
    return timedelta(days=lead.days, minutes=lead.minutes)


def _rings(occurrence: Occurrence, lead: Lead) -> datetime:
    if lead.days:
        series = occurrence.series
        return instant(occurrence.day - timedelta(days=lead.days), series.at, series.zone)
    return occurrence.start - timedelta(minutes=lead.minutes)
