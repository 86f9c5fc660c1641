"""Promises 1, 2 and 7: units, baskets and numbers."""

from __future__ import annotations

from grading import cases

from driving import drive

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
