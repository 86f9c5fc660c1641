"""Tells receivers inside the process what happened."""

from collections.abc import Callable
from typing import Any

from saltern_bus import Bus

Facts = dict[str, Any]
Receiver = Callable[[Facts], object]


class Hub:
    """Topics and who listens to them; receivers are called in the order in which they came."""

    def __init__(self) -> None:
        self._bus = Bus(on_error="raise", isolate=False)

    def on(self, topic: str, receiver: Receiver) -> None:
        """Call the receiver with the facts of every announcement."""
        self._bus.subscribe(topic, receiver)

    def announce(self, topic: str, facts: Facts) -> int:
        """How many receivers were told.

        What a receiver raises is raised here, at once: later receivers are not told, and the caller
        takes back what it was about to do.
        """
        return self._bus.publish(topic, facts).delivered

    def gather(self, topic: str, facts: Facts) -> Facts:
        """The facts with all that the receivers added; each sees what the ones before it added."""
        self._bus.publish(topic, facts)
        return facts
