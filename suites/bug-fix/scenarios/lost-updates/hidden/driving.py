"""A shop whose threads can be held at the worst moment.

The drivers stop a thread inside things the shop is given from outside (the payment
terminal, the clock) or inside a read of the stock, and let others run meanwhile.
A thread never waits longer than its patience, so any locking scheme gets through.
"""

from __future__ import annotations

from grading import python

PRELUDE = '''
import sys
import threading
import time
from datetime import UTC, datetime

from stockroom import (
    Application, Catalogue, Desk, Level, Line, OrderBook, OrderStatus, Receiving, Reordering, Stock,
)

PRICES = {"FLOUR": 1000, "YEAST": 500, "SALT": 100}


def nothing(*ignored):
    return None


class Meeting:
    """Lets everybody through once all are inside, or once the first lost patience."""

    def __init__(self, parties, patience_s=0.6):
        self.missing = parties
        self.patience_s = patience_s
        self.open = False
        self.condition = threading.Condition()

    def __call__(self, *ignored):
        with self.condition:
            self.missing -= 1
            if self.missing > 0 and not self.open:
                self.condition.wait_for(lambda: self.open, self.patience_s)
            self.open = True
            self.condition.notify_all()


class WatchedStock(Stock):
    on_read = staticmethod(nothing)

    def level(self, sku):
        try:
            return super().level(sku)
        finally:
            self.on_read(sku)


class Terminal:
    def __init__(self):
        self.charged = []
        self.refunded = []
        self.on_charge = nothing
        self.on_refund = nothing
        self.lock = threading.Lock()

    def charge(self, customer, cents):
        with self.lock:
            self.charged.append([customer, cents])
            receipt = "r-%d" % len(self.charged)
        self.on_charge(customer)
        return receipt

    def refund(self, receipt):
        with self.lock:
            self.refunded.append(receipt)
        self.on_refund(receipt)


class Shop:
    def __init__(self, **on_hand):
        self.stock = WatchedStock([Level(sku, n, 1) for sku, n in on_hand.items()])
        self.book = OrderBook()
        self.terminal = Terminal()
        self.on_clock = nothing

    def now(self):
        self.on_clock()
        return datetime(2024, 5, 2, tzinfo=UTC)

    def place(self, customer, *lines):
        desk = Desk(self.stock, self.book, self.terminal, Catalogue(PRICES), clock=self.now)
        return desk.place(customer, [Line(sku, n) for sku, n in lines])

    def cancel(self, order_id):
        desk = Desk(self.stock, self.book, self.terminal, Catalogue(PRICES), clock=self.now)
        return desk.cancel(order_id)

    def receive(self, sku, n):
        return Receiving(self.stock).receive(sku, n)

    def write_off(self, sku, n):
        return Receiving(self.stock).write_off(sku, n)

    def set_point(self, sku, n):
        return Reordering(self.stock).set_point(sku, n)

    def on_hand(self, sku):
        return self.stock.level(sku).on_hand


class Task:
    """One thread with one thing to do; `outcome` is ok, an exception's name or stuck."""

    def __init__(self, action, *arguments):
        self.outcome = "stuck"
        self.value = None
        self.thread = threading.Thread(target=self.work, args=(action, arguments), daemon=True)
        self.thread.start()

    def work(self, action, arguments):
        try:
            self.value = action(*arguments)
            self.outcome = "ok"
        except Exception as error:
            self.outcome = type(error).__name__

    def wait(self, seconds=6.0):
        self.thread.join(max(0.0, seconds))
        return self.outcome


def wait_all(tasks, seconds=6.0):
    deadline = time.monotonic() + seconds
    return [task.wait(deadline - time.monotonic()) for task in tasks]
'''


def drive(body: str, *arguments: object) -> object:
    return python(PRELUDE + body, *arguments, path=["src"])
