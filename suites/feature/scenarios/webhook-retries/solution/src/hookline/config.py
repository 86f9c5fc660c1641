"""The endpoints file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hookline.retry import RetryPolicy

_TOP_KEYS = {"endpoints", "retry"}
_ENDPOINT_KEYS = {"name", "url", "secret", "events", "ordered", "retry"}
_RETRY_KEYS = {"max_attempts", "base_s", "factor", "cap_s"}


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
    retry: RetryPolicy = RetryPolicy()

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
    common = _parse_retry(raw.get("retry", {}), RetryPolicy(), "retry")
    endpoints: dict[str, Endpoint] = {}
    for number, item in enumerate(raw["endpoints"], 1):
        endpoint = _parse_endpoint(item, common, f"endpoint {number}")
        if endpoint.name in endpoints:
            raise ConfigError(f"endpoint {endpoint.name!r} is there twice")
        endpoints[endpoint.name] = endpoint
    return endpoints


def _parse_endpoint(item: Any, common: RetryPolicy, where: str) -> Endpoint:
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
    retry = _parse_retry(item.get("retry", {}), common, f"{where}: retry")
    return Endpoint(item["name"], item["url"], item["secret"], tuple(events), ordered, retry)


def _parse_retry(raw: Any, base: RetryPolicy, where: str) -> RetryPolicy:
    if not isinstance(raw, dict):
        raise ConfigError(f"{where}: must be an object")
    _refuse_unknown(raw, _RETRY_KEYS, where)
    for key, value in raw.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{where}: {key!r} must be a number, not {value!r}")
    policy = replace(base, **raw)
    if not isinstance(policy.max_attempts, int) or policy.max_attempts < 1:
        raise ConfigError(f"{where}: 'max_attempts' must be a whole number >= 1")
    if not policy.base_s > 0:
        raise ConfigError(f"{where}: 'base_s' must be > 0")
    if not policy.factor >= 1:
        raise ConfigError(f"{where}: 'factor' must be >= 1")
    if not policy.cap_s >= policy.base_s:
        raise ConfigError(f"{where}: 'cap_s' must be >= 'base_s', which is {policy.base_s:g}")
    return policy


def _refuse_unknown(raw: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(raw) - known)
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}")
