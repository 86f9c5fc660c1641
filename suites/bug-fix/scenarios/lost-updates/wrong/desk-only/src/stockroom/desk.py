"""Placing and cancelling orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from stockroom.catalogue import Catalogue
from stockroom.errors import OutOfStock
from stockroom.models import Line, Order, OrderStatus
from stockroom.orders import OrderBook
from stockroom.payments import Payments
from stockroom.stock import Stock


def _now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """Serves one customer; the web layer opens a new one for every request."""

    def __init__(
        self,
        stock: Stock,
        book: OrderBook,
        payments: Payments,
        catalogue: Catalogue,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._stock = stock
        self._book = book
        self._payments = payments
        self._catalogue = catalogue
        self._clock = clock

    def place(self, customer: str, lines: Iterable[Line]) -> Order:
        """Sell a basket, or raise OutOfStock, UnknownSku or whatever the payment raised."""
        basket = tuple(lines)
        if not basket:
            raise ValueError("an order needs at least one line")
        total_cents = self._catalogue.total_cents(basket)
        units: Counter[str] = Counter()
        for line in basket:
            units[line.sku] += line.quantity
        # Hold before charging: the charge may block for minutes and must not be
        # taken from a customer who is refused afterwards.
        self._take(units)
        try:
            receipt = self._payments.charge(customer, total_cents)
        except BaseException:
            self._put_back(units)
            raise
        order = Order(
            id=self._book.next_id(),
            customer=customer,
            lines=basket,
            total_cents=total_cents,
            receipt=receipt,
            placed_at=self._clock(),
        )
        self._book.save(order)
        return order

    def cancel(self, order_id: str) -> Order:
        """Refund an order and put its units back, or raise NotCancellable."""
        with self._book.cancelling(order_id) as order:
            self._payments.refund(order.receipt)
            cancelled = replace(order, status=OrderStatus.CANCELLED)
            self._book.save(cancelled)
        units: Counter[str] = Counter()
        for line in order.lines:
            units[line.sku] += line.quantity
        self._put_back(units)
        return cancelled

    def _take(self, units: Mapping[str, int]) -> None:
        with self._stock.exclusive():
            levels = [self._stock.level(sku) for sku in units]
            for level in levels:
                if level.on_hand < units[level.sku]:
                    raise OutOfStock(level.sku, units[level.sku], level.on_hand)
            for level in levels:
                self._stock.save(replace(level, on_hand=level.on_hand - units[level.sku]))

    def _put_back(self, units: Mapping[str, int]) -> None:
        with self._stock.exclusive():
            for sku, quantity in units.items():
                level = self._stock.level(sku)
                self._stock.save(replace(level, on_hand=level.on_hand + quantity))
