"""What is on the shelves."""

from __future__ import annotations

from collections.abc import Iterable

from stockroom.errors import UnknownSku
from stockroom.models import Level


class Stock:
    """One instance serves the whole process."""

    def __init__(self, levels: Iterable[Level] = ()) -> None:
        self._levels = {level.sku: level for level in levels}

    def level(self, sku: str) -> Level:
        try:
            return self._levels[sku]
        except KeyError:
            raise UnknownSku(sku) from None

    def save(self, level: Level) -> None:
        """Replace what is known about an article, or add a new one."""
        self._levels[level.sku] = level

    def levels(self) -> list[Level]:
        return sorted(self._levels.values(), key=lambda level: level.sku)
