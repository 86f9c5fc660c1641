"""Hands messages to whoever subscribed."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__version__ = "1.2.0"

Handler = Callable[[Any], object]


@dataclass(frozen=True)
class Receipt:
    """What became of a message."""

    topic: str
    delivered: int
    errors: tuple[Exception, ...] = ()


class Bus:
    """Handlers of a topic are called at once, in the order of their subscription."""

    def __init__(self, *, on_error: str = "collect", isolate: bool = True) -> None:
        if on_error not in {"collect", "raise"}:
            raise ValueError(f"on_error is 'collect' or 'raise', not {on_error!r}")
        self._on_error = on_error
        self._isolate = isolate
        self._handlers: dict[str, list[Handler]] = {}

    def subscribe(self, topic: str, handler: Handler) -> None:
        """Call the handler with every payload of the topic."""
        self._handlers.setdefault(topic, []).append(handler)

    def publish(self, topic: str, payload: Any) -> Receipt:
        """Call every handler; `delivered` counts those that did not raise."""
        delivered, errors = 0, []
        for handler in list(self._handlers.get(topic, ())):
            try:
                handler(copy.deepcopy(payload) if self._isolate else payload)
                delivered += 1
            except Exception as error:
                if self._on_error == "raise":
                    raise
                errors.append(error)
        return Receipt(topic, delivered, tuple(errors))
