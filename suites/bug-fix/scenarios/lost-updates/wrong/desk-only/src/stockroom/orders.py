"""The book of orders."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from stockroom.errors import NotCancellable, UnknownOrder
from stockroom.models import Order, OrderStatus


class OrderBook:
    """One instance serves the whole process, from any thread."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._numbers = itertools.count(1)
        self._being_cancelled: set[str] = set()
        self._lock = threading.Lock()

    def next_id(self) -> str:
        """A number nobody else gets, used or not."""
        with self._lock:
            return f"SO-{next(self._numbers):05d}"

    def save(self, order: Order) -> None:
        with self._lock:
            self._orders[order.id] = order

    def get(self, order_id: str) -> Order:
        with self._lock:
            return self._get(order_id)

    @contextmanager
    def cancelling(self, order_id: str) -> Iterator[Order]:
        """Hand the order to one canceller; everybody else is told NotCancellable."""
        with self._lock:
            order = self._get(order_id)
            if order.status is not OrderStatus.PLACED or order_id in self._being_cancelled:
                raise NotCancellable(order_id)
            self._being_cancelled.add(order_id)
        try:
            yield order
        finally:
            with self._lock:
                self._being_cancelled.remove(order_id)

    def all(self) -> list[Order]:
        with self._lock:
            return sorted(self._orders.values(), key=lambda order: order.id)

    def _get(self, order_id: str) -> Order:
        try:
            return self._orders[order_id]
        except KeyError:
            raise UnknownOrder(order_id) from None

    def of(self, customer: str) -> list[Order]:
        return [order for order in self.all() if order.customer == customer]
