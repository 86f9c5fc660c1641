from datetime import UTC, datetime

import pytest

from stockroom import (
    Catalogue,
    Desk,
    HouseAccounts,
    Level,
    Line,
    NotCancellable,
    OrderBook,
    OrderStatus,
    OutOfStock,
    PaymentDeclined,
    Stock,
    UnknownOrder,
    UnknownSku,
)

NOON = datetime(2024, 5, 2, 12, 0, tzinfo=UTC)


class Shop:
    def __init__(self, limit=100_000):
        self.stock = Stock([Level("FLOUR", 10, 4), Level("YEAST", 3)])
        self.book = OrderBook()
        self.accounts = HouseAccounts({"lund": limit})
        self.catalogue = Catalogue({"FLOUR": 1_000, "YEAST": 500})

    def desk(self):
        return Desk(self.stock, self.book, self.accounts, self.catalogue, clock=lambda: NOON)


def test_an_order_is_charged_written_down_and_taken_from_the_shelf():
    shop = Shop()
    order = shop.desk().place("lund", [Line("FLOUR", 2), Line("YEAST", 1)])
    assert order.total_cents == 2_500
    assert order.placed_at == NOON
    assert shop.book.get(order.id) == order
    assert shop.accounts.owed("lund") == 2_500
    assert shop.stock.level("FLOUR") == Level("FLOUR", 8, 4)
    assert shop.stock.level("YEAST").on_hand == 2


def test_more_than_is_there_is_refused_and_costs_nothing():
    shop = Shop()
    with pytest.raises(OutOfStock) as caught:
        shop.desk().place("lund", [Line("FLOUR", 1), Line("YEAST", 4)])
    assert (caught.value.sku, caught.value.wanted, caught.value.on_hand) == ("YEAST", 4, 3)
    assert shop.stock.level("FLOUR").on_hand == 10
    assert shop.accounts.owed("lund") == 0
    assert shop.book.all() == []


def test_a_declined_payment_leaves_nothing_behind():
    shop = Shop(limit=900)
    with pytest.raises(PaymentDeclined):
        shop.desk().place("lund", [Line("FLOUR", 1)])
    assert shop.stock.level("FLOUR").on_hand == 10
    assert shop.book.all() == []


def test_orders_are_numbered_from_one():
    shop = Shop()
    ids = [shop.desk().place("lund", [Line("FLOUR", 1)]).id for _ in range(3)]
    assert ids == ["SO-00001", "SO-00002", "SO-00003"]


def test_unknown_articles_and_empty_baskets_are_refused():
    shop = Shop()
    with pytest.raises(UnknownSku):
        shop.desk().place("lund", [Line("SUGAR", 1)])
    with pytest.raises(ValueError):
        shop.desk().place("lund", [])


def test_cancelling_refunds_and_puts_back():
    shop = Shop()
    order = shop.desk().place("lund", [Line("FLOUR", 3)])
    assert shop.desk().cancel(order.id).status is OrderStatus.CANCELLED
    assert shop.stock.level("FLOUR").on_hand == 10
    assert shop.accounts.owed("lund") == 0


def test_an_order_is_cancelled_only_once():
    shop = Shop()
    order = shop.desk().place("lund", [Line("FLOUR", 3)])
    shop.desk().cancel(order.id)
    with pytest.raises(NotCancellable):
        shop.desk().cancel(order.id)
    assert shop.stock.level("FLOUR").on_hand == 10


def test_a_failed_refund_leaves_the_order_placed():
    class Broken:
        def charge(self, customer, cents):
            return "r-1"

        def refund(self, receipt):
            raise OSError("line is dead")

    shop = Shop()
    shop.accounts = Broken()
    order = shop.desk().place("lund", [Line("FLOUR", 3)])
    with pytest.raises(OSError):
        shop.desk().cancel(order.id)
    assert shop.book.get(order.id).status is OrderStatus.PLACED
    assert shop.stock.level("FLOUR").on_hand == 7


def test_unknown_orders_cannot_be_cancelled():
    with pytest.raises(UnknownOrder):
        Shop().desk().cancel("SO-99999")
