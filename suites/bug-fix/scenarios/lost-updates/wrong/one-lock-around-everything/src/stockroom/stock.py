"""What is on the shelves."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from stockroom.errors import UnknownSku
from stockroom.models import Level


class Stock:
    """One instance serves the whole process, from any thread."""

    def __init__(self, levels: Iterable[Level] = ()) -> None:
        self._levels = {level.sku: level for level in levels}
        self._lock = threading.RLock()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep everybody else out between a `level` and the `save` that builds on it.

        One lock for all articles, so that two baskets cannot wait for each other.
        Never wait for anything outside the stock while holding it.
        """
        with self._lock:
            yield

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
