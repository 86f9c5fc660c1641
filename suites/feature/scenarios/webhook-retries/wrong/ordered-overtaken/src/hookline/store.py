"""The queue file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hookline.config import Endpoint
from hookline.events import Event

_VERSION = 2
_READABLE = {1, 2}


class StateError(ValueError):
    """The queue file cannot be used."""


class EventConflict(ValueError):
    """The id of an event is taken by a different one."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"event {id_!r} is known with another type or other data")


@dataclass
class Pending:
    """A delivery that has not arrived yet."""

    event: str
    endpoint: str
    last_error: str | None = None
    attempts: int = 0
    next_attempt_at: float = 0.0

    @property
    def id(self) -> str:
        return f"{self.event}:{self.endpoint}"


@dataclass(frozen=True)
class Delivered:
    """A delivery that arrived."""

    event: str
    endpoint: str
    status: int
    at: float


@dataclass(frozen=True)
class DeadLetter:
    """A delivery that was given up."""

    id: str
    event: str
    endpoint: str
    attempts: int
    reason: str
    status: int | None
    at: float


class Store:
    """Events and deliveries; `open` reads them, every change writes them."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._events: dict[str, Event] = {}
        self._pending: list[Pending] = []
        self._delivered: list[Delivered] = []
        self._dead: list[DeadLetter] = []

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """The queue in `path`; an empty one if there is no such file."""
        store = cls(path)
        try:
            text = store._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return store
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise StateError(f"{path}: not JSON: {error}") from error
        if not isinstance(raw, dict) or raw.get("version") not in _READABLE:
            raise StateError(f"{path}: not a queue file of version 1 or 2")
        store._load(raw)
        return store

    def _load(self, raw: dict[str, Any]) -> None:
        for id_, event in raw["events"].items():
            self._events[id_] = Event(id_, event["type"], event["data"], event["created"])
        self._pending = [Pending(**item) for item in raw["pending"]]
        self._delivered = [Delivered(**item) for item in raw["delivered"]]
        self._dead = [DeadLetter(**item) for item in raw.get("dead", [])]

    def save(self) -> None:
        """Replace the file in one step."""
        raw = {
            "version": _VERSION,
            "events": {
                event.id: {"type": event.type, "data": event.data, "created": event.created}
                for event in self._events.values()
            },
            "pending": [asdict(item) for item in self._pending],
            "delivered": [asdict(item) for item in self._delivered],
            "dead": [asdict(item) for item in self._dead],
        }
        partial = self._path.with_name(self._path.name + ".part")
        partial.write_text(json.dumps(raw, indent=1, ensure_ascii=False), encoding="utf-8")
        os.replace(partial, self._path)

    def enqueue(self, event: Event, endpoints: Mapping[str, Endpoint]) -> int:
        """Add a delivery for every endpoint that wants the event; none if it is known."""
        known = self._events.get(event.id)
        if known is not None:
            if (known.type, dict(known.data)) != (event.type, dict(event.data)):
                raise EventConflict(event.id)
            return 0
        wanted = [name for name, endpoint in endpoints.items() if endpoint.wants(event.type)]
        self._events[event.id] = event
        self._pending.extend(Pending(event.id, name) for name in wanted)
        self.save()
        return len(wanted)

    def knows(self, id_: str) -> bool:
        return id_ in self._events

    def event(self, id_: str) -> Event:
        return self._events[id_]

    def pending(self) -> list[Pending]:
        """In the order they were queued."""
        return list(self._pending)

    def delivered(self) -> list[Delivered]:
        """In the order they arrived."""
        return list(self._delivered)

    def dead(self) -> list[DeadLetter]:
        """In the order they were given up."""
        return list(self._dead)

    def mark_delivered(self, item: Pending, status: int, at: float) -> None:
        self._pending.remove(item)
        self._delivered.append(Delivered(item.event, item.endpoint, status, at))
        self.save()

    def mark_failed(self, item: Pending, error: str, next_attempt_at: float) -> None:
        item.attempts += 1
        item.last_error = error
        item.next_attempt_at = next_attempt_at
        self.save()

    def mark_dead(self, item: Pending, reason: str, status: int | None, at: float) -> None:
        self._pending.remove(item)
        letter = DeadLetter(
            item.id, item.event, item.endpoint, item.attempts + 1, reason, status, at
        )
        self._dead.append(letter)
        self.save()

    def redrive(self, ids: Iterable[str]) -> None:
        """Put dead letters back at the end of the queue: all of `ids`, or KeyError."""
        wanted = list(dict.fromkeys(ids))
        letters = {letter.id: letter for letter in self._dead}
        chosen = [letters[id_] for id_ in wanted]
        self._dead = [letter for letter in self._dead if letter not in chosen]
        self._pending.extend(Pending(letter.event, letter.endpoint) for letter in chosen)
        self.save()
