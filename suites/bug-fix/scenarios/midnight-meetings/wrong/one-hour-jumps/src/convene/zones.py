"""From dates and wall-clock times to instants."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class UnknownZone(ValueError):
    """The system has no data for a zone of this name."""


@functools.cache
def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnknownZone(f"no time zone {name!r}") from None


def instant(day: date, at: time, zone_name: str) -> datetime:
    """When the clocks of a zone show this, in UTC.

    A time that occurs twice is the first of the two. One that does not exist is read
    with the offset from before the clocks jumped, so it comes later by that jump.
    Always UTC: arithmetic and comparison within one zone go by what clocks show.
    """
    wall = datetime.combine(day, at)
    found = wall.replace(tzinfo=zone(zone_name)).astimezone(UTC)
    if shown(found, zone_name).replace(tzinfo=None) != wall:
        wall += timedelta(hours=1)
        return wall.replace(tzinfo=zone(zone_name)).astimezone(UTC)
    return found


def starts(day: date, zone_name: str) -> datetime:
    """The first instant of a date; for one that the zone left out, that of the next."""
    return instant(day, time.min, zone_name)


def left_out(day: date, zone_name: str) -> bool:
    return starts(day, zone_name) == starts(day + timedelta(days=1), zone_name)


def shown(when: datetime, zone_name: str) -> datetime:
    """What the clocks of a zone show at an instant."""
    return when.astimezone(zone(zone_name))
