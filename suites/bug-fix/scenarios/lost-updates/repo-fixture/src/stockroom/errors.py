"""Everything stockroom raises on purpose."""

from __future__ import annotations


class StockroomError(Exception):
    """Base of the family; the web layer turns the rest into status codes."""


class UnknownSku(StockroomError):
    def __init__(self, sku: str) -> None:
        super().__init__(f"no such article: {sku!r}")
        self.sku = sku


class OutOfStock(StockroomError):
    def __init__(self, sku: str, wanted: int, on_hand: int) -> None:
        super().__init__(f"{wanted} of {sku!r} wanted, {on_hand} on hand")
        self.sku = sku
        self.wanted = wanted
        self.on_hand = on_hand


class PaymentDeclined(StockroomError):
    def __init__(self, customer: str, cents: int) -> None:
        super().__init__(f"{customer!r} may not be charged {cents} cents")
        self.customer = customer
        self.cents = cents


class UnknownOrder(StockroomError):
    def __init__(self, order_id: str) -> None:
        super().__init__(f"no such order: {order_id!r}")
        self.order_id = order_id


class NotCancellable(StockroomError):
    def __init__(self, order_id: str) -> None:
        super().__init__(f"order {order_id!r} cannot be cancelled any more")
        self.order_id = order_id
