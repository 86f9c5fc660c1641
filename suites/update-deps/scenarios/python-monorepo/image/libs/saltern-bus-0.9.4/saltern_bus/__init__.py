"""Hands messages to whoever subscribed."""

from collections.abc import Callable
from typing import Any

__version__ = "0.9.4"

Handler = Callable[[Any], object]


class Bus:
    """Handlers of a topic are called at once, in the order of their subscription.

    What a handler raises goes to the publisher. All handlers get the published object itself.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = {}

    def subscribe(self, topic: str, handler: Handler) -> None:
        """Call the handler with every payload of the topic."""
        self._handlers.setdefault(topic, []).append(handler)

    def publish(self, topic: str, payload: Any) -> int:
        """How many handlers were called."""
        handlers = list(self._handlers.get(topic, ()))
        for handler in handlers:
            handler(payload)
        return len(handlers)
