"""Text for people and JSON for programs, both in the zone of whoever looks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from convene.model import AgendaDay, Occurrence, Reminder, Slot
from convene.zones import shown


class Renderer:
    """Knows the zone, so that nobody prints a time of another one by mistake."""

    def __init__(self, zone_name: str) -> None:
        self._zone = zone_name

    def agenda_text(self, days: Iterable[AgendaDay]) -> str:
        lines = []
        for day in days:
            lines.append(f"{day.day:%a %Y-%m-%d}")
            for item in day.items:
                mark = " (cont.)" if item.continued else ""
                lines.append(f"  {self._span(item.occurrence)}  {item.occurrence.series.title}{mark}")
            if not day.items:
                lines.append("  -")
        return "\n".join(lines)

    def agenda_json(self, days: Iterable[AgendaDay]) -> str:
        return _dump(
            [
                {
                    "date": day.day.isoformat(),
                    "items": [
                        {**self._meeting(item.occurrence), "continued": item.continued}
                        for item in day.items
                    ],
                }
                for day in days
            ]
        )

    def clashes_text(self, pairs: Iterable[tuple[Occurrence, Occurrence]]) -> str:
        return "\n".join(
            f"{self._span(one)} {one.series.title} / {self._span(other)} {other.series.title}"
            for one, other in pairs
        )

    def clashes_json(self, pairs: Iterable[tuple[Occurrence, Occurrence]]) -> str:
        return _dump([[self._meeting(one), self._meeting(other)] for one, other in pairs])

    def reminders_text(self, found: Iterable[Reminder]) -> str:
        return "\n".join(
            f"{self._clock(one.at)}  {one.occurrence.series.title}, {self._span(one.occurrence)}"
            for one in found
        )

    def reminders_json(self, found: Iterable[Reminder]) -> str:
        return _dump([{"at": self._iso(one.at), **self._meeting(one.occurrence)} for one in found])

    def free_text(self, slots: Iterable[Slot]) -> str:
        return "\n".join(
            f"{self._clock(slot.start)}-{self._clock(slot.end)}  {slot.minutes} min" for slot in slots
        )

    def free_json(self, slots: Iterable[Slot]) -> str:
        return _dump(
            [
                {
                    "start": self._iso(slot.start),
                    "end": self._iso(slot.end),
                    "minutes": slot.minutes,
                }
                for slot in slots
            ]
        )

    def _meeting(self, one: Occurrence) -> dict[str, Any]:
        return {
            "series": one.series.id,
            "title": one.series.title,
            "start": self._iso(one.start),
            "end": self._iso(one.end),
        }

    def _iso(self, when: datetime) -> str:
        return shown(when, self._zone).isoformat(timespec="minutes")

    def _clock(self, when: datetime) -> str:
        return f"{shown(when, self._zone):%H:%M}"

    def _span(self, one: Occurrence) -> str:
        return f"{self._clock(one.start)}-{self._clock(one.end)}"


def _dump(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
