"""Names and prices."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from stockroom.errors import UnknownSku
from stockroom.models import Level, Line
from stockroom.stock import Stock


class Catalogue:
    """Prices in cents; never changes while the process runs."""

    def __init__(self, prices: Mapping[str, int], names: Mapping[str, str] | None = None) -> None:
        self._prices = dict(prices)
        self._names = dict(names or {})

    def price_cents(self, sku: str) -> int:
        try:
            return self._prices[sku]
        except KeyError:
            raise UnknownSku(sku) from None

    def name(self, sku: str) -> str:
        return self._names.get(sku, sku)

    def total_cents(self, lines: Iterable[Line]) -> int:
        return sum(self.price_cents(line.sku) * line.quantity for line in lines)


def load(path: Path) -> tuple[Catalogue, Stock]:
    """Read the opening stock and the price list, which share one CSV file."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    catalogue = Catalogue(
        {row["sku"]: int(row["price_cents"]) for row in rows},
        {row["sku"]: row["name"] for row in rows},
    )
    stock = Stock(
        Level(row["sku"], int(row["on_hand"]), int(row["reorder_at"])) for row in rows
    )
    return catalogue, stock
