"""TOML to values, with messages for people."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from convene.model import Calendar, Lead, Repeat, Series
from convene.zones import UnknownZone, zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = ("day", "week", "month")
KEYS = {"id", "title", "zone", "first", "at", "minutes", "repeat", "until", "skip", "remind"}


class CalendarError(ValueError):
    """The file says something that convene does not understand."""


def load(text: str) -> Calendar:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CalendarError(f"not TOML: {error}") from error
    usual = raw.get("zone", "UTC")
    series = tuple(_series(item, usual) for item in raw.get("series", []))
    ids = [one.id for one in series]
    for twice in sorted({name for name in ids if ids.count(name) > 1}):
        raise CalendarError(f"two series are called {twice!r}")
    return Calendar(series)


def _series(raw: Mapping[str, Any], usual: str) -> Series:
    name = raw.get("id", "?")
    if unknown := sorted(set(raw) - KEYS):
        raise CalendarError(f"series {name!r}: unknown key {unknown[0]!r}")
    if missing := sorted({"id", "first", "at", "minutes"} - set(raw)):
        raise CalendarError(f"series {name!r}: {missing[0]!r} is missing")
    try:
        zone(raw.get("zone", usual))
    except UnknownZone as error:
        raise CalendarError(f"series {name!r}: {error}") from error
    if raw["minutes"] < 1:
        raise CalendarError(f"series {name!r}: a meeting lasts at least a minute")
    return Series(
        id=name,
        title=raw.get("title", name),
        zone=raw.get("zone", usual),
        first=_date(raw["first"], name),
        at=_time(raw["at"], name),
        minutes=raw["minutes"],
        repeat=_repeat(raw["repeat"], name) if "repeat" in raw else None,
        until=_date(raw["until"], name) if "until" in raw else None,
        skip=frozenset(_date(day, name) for day in raw.get("skip", [])),
        remind=tuple(_lead(lead, name) for lead in raw.get("remind", [])),
    )


def _date(value: object, name: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise CalendarError(f"series {name!r}: {value!r} is not a date")


def _time(value: object, name: str) -> time:
    try:
        at = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        raise CalendarError(f"series {name!r}: {value!r} is not a time") from None
    return at.replace(tzinfo=None)


def _repeat(raw: Mapping[str, Any], name: str) -> Repeat:
    unit, every = raw.get("unit"), raw.get("every", 1)
    if unit not in UNITS:
        raise CalendarError(f"series {name!r}: unit is one of {', '.join(UNITS)}, not {unit!r}")
    if every < 1:
        raise CalendarError(f"series {name!r}: every is at least 1, not {every!r}")
    if strange := [day for day in raw.get("on", []) if day not in WEEKDAYS]:
        raise CalendarError(f"series {name!r}: no weekday {strange[0]!r}")
    on = tuple(sorted(WEEKDAYS.index(day) for day in raw.get("on", [])))
    return Repeat(unit, every, on, raw.get("nth"))


def _lead(raw: Mapping[str, Any], name: str) -> Lead:
    lead = Lead(raw.get("days", 0), raw.get("minutes", 0))
    if (lead.days > 0) == (lead.minutes > 0):
        raise CalendarError(f"series {name!r}: a reminder has either days or minutes")
    return lead
