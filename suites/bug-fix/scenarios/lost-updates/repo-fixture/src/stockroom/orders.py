"""The book of orders."""

from __future__ import annotations

from stockroom.errors import UnknownOrder
from stockroom.models import Order


class OrderBook:
    """One instance serves the whole process."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}

    def next_id(self) -> str:
        return f"SO-{len(self._orders) + 1:05d}"

    def save(self, order: Order) -> None:
        self._orders[order.id] = order

    def get(self, order_id: str) -> Order:
        try:
            return self._orders[order_id]
        except KeyError:
            raise UnknownOrder(order_id) from None

    def all(self) -> list[Order]:
        return sorted(self._orders.values(), key=lambda order: order.id)

    def of(self, customer: str) -> list[Order]:
        return [order for order in self.all() if order.customer == customer]
