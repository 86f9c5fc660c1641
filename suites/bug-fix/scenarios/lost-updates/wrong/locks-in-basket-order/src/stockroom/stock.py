"""What is on the shelves."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from stockroom.errors import UnknownSku
from stockroom.models import Level


class Stock:
    """One instance serves the whole process, from any thread."""

    def __init__(self, levels: Iterable[Level] = ()) -> None:
        self._levels = {level.sku: level for level in levels}
        self._lock = threading.RLock()
        self._locks: dict[str, threading.RLock] = {}

    @contextmanager
    def exclusive(self, *skus: str) -> Iterator[None]:
        """Keep everybody else away from these articles only."""
        with ExitStack() as held:
            for sku in skus:
                held.enter_context(self._lock_of(sku))
            yield

    def _lock_of(self, sku: str) -> threading.RLock:
        with self._lock:
            return self._locks.setdefault(sku, threading.RLock())

    def level(self, sku: str) -> Level:
        with self._lock:
            try:
                return self._levels[sku]
            except KeyError:
                raise UnknownSku(sku) from None

    def save(self, level: Level) -> None:
        """Replace what is known about an article, or add a new one."""
        with self._lock:
            self._levels[level.sku] = level

    def levels(self) -> list[Level]:
        with self._lock:
            return sorted(self._levels.values(), key=lambda level: level.sku)
