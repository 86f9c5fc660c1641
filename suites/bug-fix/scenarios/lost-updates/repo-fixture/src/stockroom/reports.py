"""Figures for the back office."""

from __future__ import annotations

from collections import Counter

from stockroom.catalogue import Catalogue
from stockroom.models import OrderStatus
from stockroom.orders import OrderBook
from stockroom.stock import Stock


def low_stock(stock: Stock, catalogue: Catalogue) -> list[str]:
    """One line for every article at or below its reorder point."""
    return [
        f"{level.sku:<12}{level.on_hand:>6}  {catalogue.name(level.sku)}"
        for level in stock.levels()
        if level.on_hand <= level.reorder_at
    ]


def takings_cents(book: OrderBook) -> int:
    """Money from orders that were not cancelled."""
    return sum(order.total_cents for order in book.all() if order.status is OrderStatus.PLACED)


def best_sellers(book: OrderBook, top: int = 5) -> list[tuple[str, int]]:
    """The articles sold most often, by units."""
    sold: Counter[str] = Counter()
    for order in book.all():
        if order.status is OrderStatus.PLACED:
            for line in order.lines:
                sold[line.sku] += line.quantity
    return sorted(sold.items(), key=lambda item: (-item[1], item[0]))[:top]


def stock_value_cents(stock: Stock, catalogue: Catalogue) -> int:
    return sum(level.on_hand * catalogue.price_cents(level.sku) for level in stock.levels())
