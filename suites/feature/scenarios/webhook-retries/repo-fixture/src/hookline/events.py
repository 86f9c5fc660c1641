"""What is delivered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """Something that happened; `id` is chosen by the producer and unique."""

    id: str
    type: str
    data: Mapping[str, Any]
    created: float


def parse_event(raw: Any, created: float) -> Event:
    """Read an event as producers write it: an object with id, type and data."""
    if not isinstance(raw, dict):
        raise ValueError("an event is a JSON object")
    for key in ("id", "type"):
        if not isinstance(raw.get(key), str) or not raw[key]:
            raise ValueError(f"event: {key!r} must be a text that is not empty")
    if ":" in raw["id"]:
        raise ValueError(f"event: 'id' must not contain a colon: {raw['id']!r}")
    if not isinstance(raw.get("data", {}), dict):
        raise ValueError("event: 'data' must be an object")
    return Event(raw["id"], raw["type"], raw.get("data", {}), created)


def body_of(event: Event) -> bytes:
    """The canonical JSON that is posted and signed."""
    content = {
        "created": event.created,
        "data": event.data,
        "id": event.id,
        "type": event.type,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()
