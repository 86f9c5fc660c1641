"""The queue file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hookline.config import Endpoint
from hookline.events import Event

_VERSION = 1


class StateError(ValueError):
    """The queue file cannot be used."""


@dataclass
class Pending:
    """A delivery that has not arrived yet."""

    event: str
    endpoint: str
    last_error: str | None = None


@dataclass(frozen=True)
class Delivered:
    """A delivery that arrived."""

    event: str
    endpoint: str
    status: int
    at: float


class Store:
    """Events and deliveries; `open` reads them, `save` writes them."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._events: dict[str, Event] = {}
        self._pending: list[Pending] = []
        self._delivered: list[Delivered] = []

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
        if not isinstance(raw, dict) or raw.get("version") != _VERSION:
            raise StateError(f"{path}: not a queue file of version {_VERSION}")
        store._load(raw)
        return store

    def _load(self, raw: dict[str, Any]) -> None:
        for id_, event in raw["events"].items():
            self._events[id_] = Event(id_, event["type"], event["data"], event["created"])
        self._pending = [Pending(**item) for item in raw["pending"]]
        self._delivered = [Delivered(**item) for item in raw["delivered"]]

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
        }
        partial = self._path.with_name(self._path.name + ".part")
        partial.write_text(json.dumps(raw, indent=1, ensure_ascii=False), encoding="utf-8")
        os.replace(partial, self._path)

    def enqueue(self, event: Event, endpoints: Mapping[str, Endpoint]) -> int:
        """Add a delivery for every endpoint that wants the event, and save."""
        wanted = [name for name, endpoint in endpoints.items() if endpoint.wants(event.type)]
        self._events[event.id] = event
        self._pending.extend(Pending(event.id, name) for name in wanted)
        self.save()
        return len(wanted)

    def event(self, id_: str) -> Event:
        return self._events[id_]

    def pending(self) -> list[Pending]:
        """In the order they were queued."""
        return list(self._pending)

    def delivered(self) -> list[Delivered]:
        """In the order they arrived."""
        return list(self._delivered)

    def mark_delivered(self, item: Pending, status: int, at: float) -> None:
        self._pending.remove(item)
        self._delivered.append(Delivered(item.event, item.endpoint, status, at))

    def mark_failed(self, item: Pending, error: str) -> None:
        item.last_error = error
