"""The values that travel between the modules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time


@dataclass(frozen=True, slots=True)
class Repeat:
    """`on` holds weekdays, Monday is 0; `nth` counts a weekday within its month."""

    unit: str
    every: int = 1
    on: tuple[int, ...] = ()
    nth: int | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """How long before the start a reminder rings; one of the two is zero."""

    days: int = 0
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    id: str
    title: str
    zone: str
    first: date
    at: time
    minutes: int
    repeat: Repeat | None = None
    until: date | None = None
    skip: frozenset[date] = frozenset()
    remind: tuple[Lead, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    series: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One meeting; `day` is its date in the zone of the series."""

    series: Series
    day: date
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A meeting as one day of the agenda shows it."""

    occurrence: Occurrence
    continued: bool


@dataclass(frozen=True, slots=True)
class AgendaDay:
    day: date
    items: tuple[Item, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Reminder:
    at: datetime
    occurrence: Occurrence


@dataclass(frozen=True, slots=True)
class Slot:
    start: datetime
    end: datetime

    @property
    def minutes(self) -> int:
        return int((self.end - self.start).total_seconds() // 60)
