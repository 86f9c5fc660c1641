"""Requests in, responses out; the threaded server in front of it is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stockroom.catalogue import Catalogue
from stockroom.desk import Desk
from stockroom.errors import (
    NotCancellable,
    OutOfStock,
    PaymentDeclined,
    UnknownOrder,
    UnknownSku,
)
from stockroom.models import Line, Order
from stockroom.orders import OrderBook
from stockroom.payments import Payments
from stockroom.receiving import Receiving
from stockroom.stock import Stock

STATUS_OF = {
    UnknownSku: 404,
    UnknownOrder: 404,
    OutOfStock: 409,
    NotCancellable: 409,
    PaymentDeclined: 402,
    ValueError: 422,
}


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: dict[str, Any] = field(default_factory=dict)


class Application:
    """Called from as many threads as the server likes."""

    def __init__(
        self, stock: Stock, book: OrderBook, payments: Payments, catalogue: Catalogue
    ) -> None:
        self._stock = stock
        self._book = book
        self._payments = payments
        self._catalogue = catalogue

    def handle(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Response:
        try:
            return self._route(method, path.strip("/").split("/"), body or {})
        except tuple(STATUS_OF) as error:
            return Response(STATUS_OF[type(error)], {"error": str(error)})

    def _route(self, method: str, parts: list[str], body: Mapping[str, Any]) -> Response:
        match method, parts:
            case "POST", ["orders"]:
                lines = [Line(line["sku"], line["quantity"]) for line in body["lines"]]
                return Response(201, _shown(self._desk().place(body["customer"], lines)))
            case "GET", ["orders", order_id]:
                return Response(200, _shown(self._book.get(order_id)))
            case "DELETE", ["orders", order_id]:
                return Response(200, _shown(self._desk().cancel(order_id)))
            case "GET", ["stock", sku]:
                return Response(200, {"sku": sku, "on_hand": self._stock.level(sku).on_hand})
            case "POST", ["deliveries"]:
                levels = Receiving(self._stock).receive_all(body["units"])
                return Response(200, {level.sku: level.on_hand for level in levels})
            case _:
                return Response(404, {"error": "no such page"})

    def _desk(self) -> Desk:
        return Desk(self._stock, self._book, self._payments, self._catalogue)


def _shown(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "customer": order.customer,
        "status": order.status.value,
        "total_cents": order.total_cents,
        "lines": [{"sku": line.sku, "quantity": line.quantity} for line in order.lines],
    }
