"""From dates and wall-clock times to instants."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


class UnknownZone(ValueError):
    """The system has no data for a zone of this name."""


class NoSuchTime(ValueError):
    """The clocks of the zone never showed this."""


@functools.cache
def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnknownZone(f"no time zone {name!r}") from None


def instant(day: date, at: time, zone_name: str) -> datetime:
    """When the clocks of a zone show this, in UTC."""
    wall = datetime.combine(day, at)
    found = wall.replace(tzinfo=zone(zone_name)).astimezone(UTC)
    if shown(found, zone_name).replace(tzinfo=None) != wall:
        raise NoSuchTime(f"{zone_name} had no {wall:%Y-%m-%d %H:%M}")
    return found


def shown(when: datetime, zone_name: str) -> datetime:
    """What the clocks of a zone show at an instant."""
    return when.astimezone(zone(zone_name))
