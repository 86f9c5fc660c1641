"""When to buy more, and how much."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stockroom.models import Level
from stockroom.stock import Stock


@dataclass(frozen=True, slots=True)
class Suggestion:
    sku: str
    quantity: int


class Reordering:
    """The buyer's view of the stock."""

    def __init__(self, stock: Stock, cover: int = 3) -> None:
        self._stock = stock
        self._cover = cover

    def set_point(self, sku: str, reorder_at: int) -> Level:
        """Change the level at which an article is bought again."""
        if reorder_at < 0:
            raise ValueError(f"a reorder point cannot be negative: {reorder_at!r}")
        level = replace(self._stock.level(sku), reorder_at=reorder_at)
        self._stock.save(level)
        return level

    def suggestions(self) -> list[Suggestion]:
        """Fill every article at or below its point up to `cover` times that point."""
        return [
            Suggestion(level.sku, level.reorder_at * self._cover - level.on_hand)
            for level in self._stock.levels()
            if 0 < level.reorder_at >= level.on_hand
        ]
