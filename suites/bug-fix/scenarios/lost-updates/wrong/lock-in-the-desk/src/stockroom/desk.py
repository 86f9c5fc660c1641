"""Placing and cancelling orders."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from stockroom.catalogue import Catalogue
from stockroom.errors import NotCancellable, OutOfStock
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
        self._lock = threading.RLock()

    def place(self, customer: str, lines: Iterable[Line]) -> Order:
        """Sell a basket, or raise OutOfStock, UnknownSku or whatever the payment raised."""
        with self._lock:
            basket = tuple(lines)
            if not basket:
                raise ValueError("an order needs at least one line")
            total_cents = self._catalogue.total_cents(basket)
            for line in basket:
                level = self._stock.level(line.sku)
                if level.on_hand < line.quantity:
                    raise OutOfStock(line.sku, line.quantity, level.on_hand)
            receipt = self._payments.charge(customer, total_cents)
            for line in basket:
                level = self._stock.level(line.sku)
                self._stock.save(replace(level, on_hand=level.on_hand - line.quantity))
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
        with self._lock:
            order = self._book.get(order_id)
            if order.status is not OrderStatus.PLACED:
                raise NotCancellable(order_id)
            self._payments.refund(order.receipt)
            for line in order.lines:
                level = self._stock.level(line.sku)
                self._stock.save(replace(level, on_hand=level.on_hand + line.quantity))
            cancelled = replace(order, status=OrderStatus.CANCELLED)
            self._book.save(cancelled)
            return cancelled
