"""The endpoints file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TOP_KEYS = {"endpoints"}
_ENDPOINT_KEYS = {"name", "url", "secret", "events", "ordered"}


class ConfigError(ValueError):
    """The endpoints file says something hookline does not understand."""


@dataclass(frozen=True)
class Endpoint:
    """A receiver, and which events it wants."""

    name: str
    url: str
    secret: str
    events: tuple[str, ...]
    ordered: bool = False

    def wants(self, event_type: str) -> bool:
        return "*" in self.events or event_type in self.events


def load_endpoints(path: str | Path) -> dict[str, Endpoint]:
    """Read the endpoints file; the result keeps the order of the file."""
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    return parse_endpoints(raw)


def parse_endpoints(raw: Any) -> dict[str, Endpoint]:
    """Check the content of an endpoints file and give the endpoints by name."""
    if not isinstance(raw, dict) or not isinstance(raw.get("endpoints"), list):
        raise ConfigError("the endpoints file is an object with a list 'endpoints'")
    _refuse_unknown(raw, _TOP_KEYS, "the endpoints file")
    endpoints: dict[str, Endpoint] = {}
    for number, item in enumerate(raw["endpoints"], 1):
        endpoint = _parse_endpoint(item, f"endpoint {number}")
        if endpoint.name in endpoints:
            raise ConfigError(f"endpoint {endpoint.name!r} is there twice")
        endpoints[endpoint.name] = endpoint
    return endpoints


def _parse_endpoint(item: Any, where: str) -> Endpoint:
    if not isinstance(item, dict):
        raise ConfigError(f"{where}: must be an object")
    for key in ("name", "url", "secret"):
        if not isinstance(item.get(key), str) or not item[key]:
            raise ConfigError(f"{where}: {key!r} must be a text that is not empty")
    where = f"endpoint {item['name']!r}"
    _refuse_unknown(item, _ENDPOINT_KEYS, where)
    events = item.get("events")
    if not isinstance(events, list) or not all(isinstance(name, str) for name in events):
        raise ConfigError(f"{where}: 'events' must be a list of event types")
    ordered = item.get("ordered", False)
    if not isinstance(ordered, bool):
        raise ConfigError(f"{where}: 'ordered' must be true or false")
    return Endpoint(item["name"], item["url"], item["secret"], tuple(events), ordered)


def _refuse_unknown(raw: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(raw) - known)
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}")
