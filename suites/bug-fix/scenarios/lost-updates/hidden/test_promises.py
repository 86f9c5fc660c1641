"""Every promise of docs/promises.md, with the threads held at the worst moment.

The drivers stop a thread inside things the shop is given from outside (the payment
terminal, the clock) or inside a read of the stock, and let others run meanwhile.
A thread never waits longer than its patience, so any locking scheme gets through.
"""

from __future__ import annotations

from grading import cases, python

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


def test_the_last_unit_is_sold_and_charged_once() -> None:
    outcomes, charges, on_hand, orders = drive(
        """
def main():
    shop = Shop(FLOUR=1)
    shop.terminal.on_charge = Meeting(2)
    tasks = [Task(shop.place, name, ("FLOUR", 1)) for name in ("ann", "bob")]
    outcomes = sorted(wait_all(tasks))
    return outcomes, len(shop.terminal.charged), shop.on_hand("FLOUR"), len(shop.book.all())
"""
    )
    assert outcomes == ["OutOfStock", "ok"]
    assert charges == 1
    assert on_hand == 0
    assert orders == 1


def test_the_last_unit_is_sold_once_over_the_web() -> None:
    statuses, charges, on_hand = drive(
        """
def main():
    shop = Shop(FLOUR=1)
    shop.terminal.on_charge = Meeting(2)
    app = Application(shop.stock, shop.book, shop.terminal, Catalogue(PRICES))
    def order(name):
        body = {"customer": name, "lines": [{"sku": "FLOUR", "quantity": 1}]}
        return app.handle("POST", "/orders", body).status
    tasks = [Task(order, name) for name in ("ann", "bob")]
    wait_all(tasks)
    return sorted(str(task.value) for task in tasks), len(shop.terminal.charged), shop.on_hand("FLOUR")
"""
    )
    assert statuses == ["201", "409"]
    assert charges == 1
    assert on_hand == 0


# First action, what happens in the middle of it, units and reorder point afterwards.
BETWEEN = [
    (["place", "ann", ["FLOUR", 3]], ["receive", "FLOUR", 5], [12, 1]),
    (["place", "ann", ["FLOUR", 3]], ["write_off", "FLOUR", 2], [5, 1]),
    (["place", "ann", ["FLOUR", 3]], ["place", "bob", ["FLOUR", 4]], [3, 1]),
    (["place", "ann", ["FLOUR", 3]], ["set_point", "FLOUR", 9], [7, 9]),
    (["receive", "FLOUR", 5], ["receive", "FLOUR", 2], [17, 1]),
    (["receive", "FLOUR", 5], ["place", "bob", ["FLOUR", 4]], [11, 1]),
    (["write_off", "FLOUR", 5], ["receive", "FLOUR", 1], [6, 1]),
    (["set_point", "FLOUR", 6], ["place", "bob", ["FLOUR", 4]], [6, 6]),
    (["set_point", "FLOUR", 6], ["write_off", "FLOUR", 1], [9, 6]),
    (["cancel"], ["receive", "FLOUR", 5], [17, 1]),
    (["cancel"], ["place", "bob", ["FLOUR", 4]], [8, 1]),
]


@cases(BETWEEN)
def test_whatever_comes_in_between_every_unit_is_counted(case: tuple[list, list, list]) -> None:
    first, second, expected = case
    rounds = drive(
        """
def act(shop, name, *rest):
    if name == "cancel":
        return shop.cancel("SO-00001")
    if name == "place":
        return shop.place(rest[0], tuple(rest[1]))
    return getattr(shop, name)(*rest)


def one_round(first, second, stop_at):
    shop = Shop(FLOUR=12 if first[0] == "cancel" else 10)
    if first[0] == "cancel":
        shop.place("eve", ("FLOUR", 2))
    seen = []
    others = []
    def pause(*ignored):
        if threading.current_thread() is not mine.thread:
            return
        seen.append(1)
        if len(seen) == stop_at:
            others.append(Task(act, shop, *second))
            others[0].wait(0.25)
    ready = threading.Event()
    def work():
        ready.wait()
        return act(shop, *first)
    mine = Task(work)
    shop.stock.on_read = shop.terminal.on_charge = shop.terminal.on_refund = shop.on_clock = pause
    ready.set()
    outcome = mine.wait()
    stopped = bool(others)
    if not stopped:
        others.append(Task(act, shop, *second))
    shop.stock.on_read = nothing
    level = shop.stock.level("FLOUR") if others[0].wait() != "stuck" else None
    return stopped, [outcome, others[0].outcome, level and level.on_hand, level and level.reorder_at]


def main(first, second):
    rounds = []
    for stop_at in range(1, 8):
        stopped, result = one_round(first, second, stop_at)
        rounds.append(result)
        if not stopped:
            break
    return rounds
""",
        first,
        second,
    )
    assert rounds
    for result in rounds:
        assert result == ["ok", "ok", *expected], rounds


def test_two_new_articles_of_one_name_are_added_up() -> None:
    on_hand = drive(
        """
def main():
    shop = Shop()
    shop.stock.on_read = Meeting(2)
    tasks = [Task(shop.receive, "SALT", n) for n in (3, 4)]
    wait_all(tasks)
    shop.stock.on_read = nothing
    return shop.on_hand("SALT")
"""
    )
    assert on_hand == 7


def test_no_two_orders_share_a_number() -> None:
    ids, found = drive(
        """
def main():
    shop = Shop(FLOUR=20)
    shop.on_clock = Meeting(3)
    tasks = [Task(shop.place, name, ("FLOUR", 1)) for name in ("ann", "bob", "cai")]
    wait_all(tasks)
    ids = [task.value.id for task in tasks]
    return ids, [shop.book.get(task.value.id).customer for task in tasks]
"""
    )
    assert len(set(ids)) == 3
    assert found == ["ann", "bob", "cai"]


def test_baskets_in_opposite_order_both_finish() -> None:
    outcomes, flour, yeast = drive(
        """
def main():
    shop = Shop(FLOUR=10, YEAST=10)
    shop.stock.on_read = Meeting(2)
    tasks = [
        Task(shop.place, "ann", ("FLOUR", 1), ("YEAST", 2)),
        Task(shop.place, "bob", ("YEAST", 1), ("FLOUR", 2)),
    ]
    outcomes = wait_all(tasks, 5)
    if "stuck" in outcomes:
        return outcomes, None, None
    return outcomes, shop.on_hand("FLOUR"), shop.on_hand("YEAST")
"""
    )
    assert outcomes == ["ok", "ok"]
    assert (flour, yeast) == (7, 7)


@cases(["charge", "refund"])
def test_a_slow_terminal_holds_up_nobody(case: str) -> None:
    outcomes, slow, on_hand = drive(
        """
def main(slow):
    shop = Shop(FLOUR=10, YEAST=10)
    old = shop.place("eve", ("FLOUR", 2)).id
    gone = shop.place("fay", ("YEAST", 2)).id
    inside, release = threading.Event(), threading.Event()
    def block(who):
        if who in ("slow", "r-2"):
            inside.set()
            release.wait(20)
    shop.terminal.on_charge = shop.terminal.on_refund = block
    if slow == "charge":
        waiting = Task(shop.place, "slow", ("FLOUR", 1))
    else:
        waiting = Task(shop.cancel, gone)
    inside.wait(5)
    tasks = [
        Task(shop.place, "ann", ("FLOUR", 1)),
        Task(shop.place, "bob", ("YEAST", 1)),
        Task(shop.receive, "FLOUR", 5),
        Task(shop.write_off, "FLOUR", 1),
        Task(shop.set_point, "FLOUR", 3),
        Task(shop.cancel, old),
    ]
    outcomes = wait_all(tasks, 3)
    release.set()
    done = waiting.wait()
    wait_all(tasks, 3)
    return outcomes, done, [shop.on_hand("FLOUR"), shop.on_hand("YEAST")]
""",
        case,
    )
    assert outcomes == ["ok"] * 6
    assert slow == "ok"
    assert on_hand == ([12, 7] if case == "charge" else [13, 9])


def test_units_being_paid_for_are_spoken_for() -> None:
    answer, still_pending, on_hand, charged, first = drive(
        """
def main():
    shop = Shop(FLOUR=2)
    inside, release = threading.Event(), threading.Event()
    def block(who):
        if who == "ann":
            inside.set()
            release.wait(20)
    shop.terminal.on_charge = block
    ann = Task(shop.place, "ann", ("FLOUR", 2))
    inside.wait(5)
    bob = Task(shop.place, "bob", ("FLOUR", 1))
    answer = bob.wait(3)
    on_hand = Task(shop.on_hand, "FLOUR")
    on_hand.wait(3)
    pending = ann.outcome == "stuck"
    release.set()
    return answer, pending, on_hand.value, [who for who, cents in shop.terminal.charged], ann.wait()
"""
    )
    assert answer == "OutOfStock"
    assert still_pending is True
    assert on_hand == 0
    assert charged == ["ann"]
    assert first == "ok"


def test_a_failed_payment_keeps_what_others_did() -> None:
    ann, outcomes, level, orders = drive(
        """
from stockroom import PaymentDeclined

def main():
    shop = Shop(FLOUR=10)
    inside, release = threading.Event(), threading.Event()
    def decline(who):
        if who == "ann":
            inside.set()
            release.wait(20)
            raise PaymentDeclined(who, 3000)
    shop.terminal.on_charge = decline
    ann = Task(shop.place, "ann", ("FLOUR", 3))
    inside.wait(5)
    outcomes = wait_all([
        Task(shop.place, "bob", ("FLOUR", 2)),
        Task(shop.receive, "FLOUR", 20),
        Task(shop.set_point, "FLOUR", 6),
    ], 3)
    release.set()
    refused = ann.wait()
    level = shop.stock.level("FLOUR")
    return refused, outcomes, [level.on_hand, level.reorder_at], [o.customer for o in shop.book.all()]
"""
    )
    assert ann == "PaymentDeclined"
    assert outcomes == ["ok", "ok", "ok"]
    assert level == [28, 6]
    assert orders == ["bob"]


@cases(["OSError", "TimeoutError", "RuntimeError", "PaymentDeclined", "OutOfStock"])
def test_whatever_the_terminal_raises_the_units_are_back(case: str) -> None:
    outcome, on_hand, orders, charged = drive(
        """
import builtins
import stockroom

def main(name):
    shop = Shop(FLOUR=5, YEAST=5)
    def fail(who):
        if name == "PaymentDeclined":
            raise stockroom.PaymentDeclined(who, 1)
        if name == "OutOfStock":
            raise stockroom.OutOfStock("GIFTCARD", 1, 0)
        raise getattr(builtins, name)("no carrier")
    shop.terminal.on_charge = fail
    outcome = Task(shop.place, "ann", ("FLOUR", 2), ("YEAST", 5)).wait()
    return outcome, [shop.on_hand("FLOUR"), shop.on_hand("YEAST")], len(shop.book.all()), len(shop.terminal.charged)
""",
        case,
    )
    assert outcome == case
    assert on_hand == [5, 5]
    assert orders == 0
    assert charged == 1


def test_cancelling_twice_at_once_refunds_once() -> None:
    outcomes, refunds, on_hand, status = drive(
        """
def main():
    shop = Shop(FLOUR=5)
    order = shop.place("ann", ("FLOUR", 3))
    shop.terminal.on_refund = Meeting(2)
    tasks = [Task(shop.cancel, order.id) for _ in range(2)]
    outcomes = sorted(wait_all(tasks))
    return outcomes, shop.terminal.refunded, shop.on_hand("FLOUR"), shop.book.get(order.id).status.value
"""
    )
    assert outcomes == ["NotCancellable", "ok"]
    assert refunds == ["r-1"]
    assert on_hand == 5
    assert status == "cancelled"


def test_a_failed_refund_can_be_tried_again() -> None:
    outcomes, statuses, on_hand, refunds = drive(
        """
def main():
    shop = Shop(FLOUR=5)
    order = shop.place("ann", ("FLOUR", 3))
    def fail(receipt):
        raise ConnectionError("no carrier")
    shop.terminal.on_refund = fail
    outcomes = [Task(shop.cancel, order.id).wait()]
    statuses = [shop.book.get(order.id).status.value]
    on_hand = [shop.on_hand("FLOUR")]
    shop.terminal.on_refund = nothing
    outcomes.append(Task(shop.cancel, order.id).wait())
    statuses.append(shop.book.get(order.id).status.value)
    on_hand.append(shop.on_hand("FLOUR"))
    outcomes.append(Task(shop.cancel, order.id).wait())
    return outcomes, statuses, on_hand, len(shop.terminal.refunded)
"""
    )
    assert outcomes == ["ConnectionError", "ok", "NotCancellable"]
    assert statuses == ["placed", "cancelled"]
    assert on_hand == [2, 5]
    assert refunds == 2


def test_an_article_beeped_twice_counts_twice() -> None:
    refused, charged, left, accepted, rest = drive(
        """
def main():
    shop = Shop(FLOUR=3)
    refused = Task(shop.place, "ann", ("FLOUR", 2), ("FLOUR", 2)).wait()
    charged, left = len(shop.terminal.charged), shop.on_hand("FLOUR")
    accepted = Task(shop.place, "ann", ("FLOUR", 2), ("FLOUR", 1)).wait()
    rest = shop.on_hand("FLOUR")
    return refused, charged, left, accepted, rest
"""
    )
    assert (refused, charged, left) == ("OutOfStock", 0, 3)
    assert (accepted, rest) == ("ok", 0)


def test_a_basket_refused_for_its_last_line_takes_nothing() -> None:
    outcomes, on_hand, charged = drive(
        """
def main():
    shop = Shop(FLOUR=3, YEAST=1)
    outcomes = [
        Task(shop.place, "ann", ("FLOUR", 2), ("YEAST", 2)).wait(),
        Task(shop.place, "ann", ("FLOUR", 2), ("SALT", 2)).wait(),
    ]
    return outcomes, [shop.on_hand("FLOUR"), shop.on_hand("YEAST")], len(shop.terminal.charged)
"""
    )
    assert outcomes == ["OutOfStock", "UnknownSku"]
    assert on_hand == [3, 1]
    assert charged == 0


def test_a_busy_afternoon_adds_up() -> None:
    outcomes, left, sold, broken, numbers, orders = drive(
        """
def main():
    sys.setswitchinterval(1e-5)
    shop = Shop(FLOUR=40, YEAST=40)
    shop.stock.on_read = lambda sku: time.sleep(0.0002)
    broken = []
    def shift(number):
        for turn in range(30):
            try:
                skus = ("FLOUR", "YEAST") if (turn + number) % 2 else ("YEAST", "FLOUR")
                order = shop.place("c%d" % number, (skus[0], 2), (skus[1], 1))
                if turn % 3 == 0:
                    shop.cancel(order.id)
            except Exception as error:
                if type(error).__name__ != "OutOfStock":
                    raise
            shop.receive("FLOUR", 1)
            shop.set_point("YEAST", turn)
            if turn % 5 == 0 and shop.on_hand("FLOUR") > 20:
                shop.write_off("FLOUR", 1)
                broken.append(1)
    tasks = [Task(shift, number) for number in range(6)]
    outcomes = wait_all(tasks, 10)
    sold = {"FLOUR": 0, "YEAST": 0}
    for order in shop.book.all():
        if order.status is OrderStatus.PLACED:
            for line in order.lines:
                sold[line.sku] += line.quantity
    left = {sku: shop.on_hand(sku) for sku in sold}
    charged = len(shop.terminal.charged)
    return outcomes, left, sold, len(broken), len({o.id for o in shop.book.all()}), charged
"""
    )
    assert outcomes == ["ok"] * 6
    assert left["FLOUR"] >= 0
    assert left["YEAST"] >= 0
    assert left["FLOUR"] + sold["FLOUR"] + broken == 40 + 6 * 30
    assert left["YEAST"] + sold["YEAST"] == 40
    assert numbers == orders
