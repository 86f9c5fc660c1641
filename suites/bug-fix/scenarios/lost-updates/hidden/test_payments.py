"""Promises 3 to 6: charges, waiting, failures and cancellations."""

from __future__ import annotations

from grading import cases

from driving import drive


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
