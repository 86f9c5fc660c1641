"""Orders and stock for a wholesaler's counter."""

from stockroom.catalogue import Catalogue
from stockroom.desk import Desk
from stockroom.errors import (
    NotCancellable,
    OutOfStock,
    PaymentDeclined,
    StockroomError,
    UnknownOrder,
    UnknownSku,
)
from stockroom.models import Level, Line, Order, OrderStatus
from stockroom.orders import OrderBook
from stockroom.payments import HouseAccounts, Payments
from stockroom.receiving import Receiving
from stockroom.reordering import Reordering
from stockroom.stock import Stock
from stockroom.web import Application, Response

__all__ = [
    "Application",
    "Catalogue",
    "Desk",
    "HouseAccounts",
    "Level",
    "Line",
    "NotCancellable",
    "Order",
    "OrderBook",
    "OrderStatus",
    "OutOfStock",
    "PaymentDeclined",
    "Payments",
    "Receiving",
    "Reordering",
    "Response",
    "Stock",
    "StockroomError",
    "UnknownOrder",
    "UnknownSku",
]
