from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats import exchange as exchanging
from harness.stats.exact import permutation
from harness.stats.exchange import exchange
from harness.stats.validity import fisher

RUNS = st.lists(st.integers(0, 4), min_size=1, max_size=3)
CELLS = st.lists(st.tuples(RUNS, RUNS), min_size=1, max_size=3)


def gap(before: list[int], after: list[int]) -> float:
    return math.fsum(after) / len(after) - math.fsum(before) / len(before)


@settings(deadline=None, max_examples=60)
@given(CELLS)
def test_every_deal_is_counted(cells: list[tuple[list[int], list[int]]]) -> None:
    deals = []
    for before, after in cells:
        pool = [*before, *after]
        hands = [set(hand) for hand in combinations(range(len(pool)), len(after))]
        deals.append(
            [
                gap([v for i, v in enumerate(pool) if i not in hand], [pool[i] for i in hand])
                for hand in hands
            ]
        )
    observed = abs(math.fsum(gap(*cell) for cell in cells))
    sums = [math.fsum(each) for each in product(*deals)]

    found = exchange(cells)

    assert found == pytest.approx(sum(abs(s) >= observed - 1e-9 for s in sums) / len(sums))


def test_of_one_cell_it_is_the_exact_permutation_test() -> None:
    before, after = [0.1, 0.4, 0.35, 0.2], [0.5, 0.3, 0.8]

    assert exchange([(before, after)]) == permutation(before, after)


def test_deals_that_are_too_many_are_drawn_and_come_near(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(5)  # noqa: S311  # the same every time
    cells = [
        ([dice.random() for _ in range(5)], [dice.random() + 0.15 for _ in range(3)])
        for _ in range(3)
    ]
    counted = exchange(cells)
    monkeypatch.setattr(exchanging, "MOST_SPLITS", 1)

    drawn = exchange(cells)

    assert drawn == pytest.approx(counted, abs=0.015)
    assert drawn == exchange(cells)
    assert drawn != exchange(cells, seed=2)


def many(shape: str, runs: int, seed: int) -> list[float]:
    dice = random.Random(f"{shape} {seed}")  # noqa: S311  # the same every time
    return [SHAPES[shape](dice) for _ in range(runs)]


SHAPES: dict[str, Callable[[random.Random], float]] = {
    "continuous": lambda dice: dice.random(),
    "lattice": lambda dice: dice.randrange(5) / 4,
    "mostly passed": lambda dice: dice.randrange(4) / 4 if dice.random() < 0.4 else 1.0,
    "hardly anything in between": lambda d: d.random() if d.random() < 0.02 else d.randrange(2),
    "one in ten": lambda dice: dice.random() if dice.random() < 0.1 else 1.0,
    "outlying": lambda dice: dice.lognormvariate(0, 2),
}


@pytest.mark.parametrize("shape", list(SHAPES)[:4])
@pytest.mark.parametrize("sizes", [[(100, 100)], [(100, 250)], [(130, 110), (100, 120)]])
def test_sums_of_many_runs_are_normal_and_need_no_draws(
    shape: str, sizes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [
        (many(shape, before, 2 * n), many(shape, after, 2 * n + 1))
        for n, (before, after) in enumerate(sizes)
    ]
    known = exchange(cells)
    assert known == exchange(cells, seed=2)
    monkeypatch.setattr(exchanging, "MANY", 1_000)

    assert -0.02 < known - exchange(cells) < 0.03


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [("continuous", (99, 100)), ("one in ten", (150, 150)), ("outlying", (150, 150))],
)
def test_few_runs_or_few_that_decide_are_not_taken_for_normal(
    shape: str, sizes: tuple[int, int]
) -> None:
    before, after = (many(shape, runs, runs + n) for n, runs in enumerate(sizes))

    assert exchange([(before, after)]) != exchange([(before, after)], seed=2)


def test_of_two_values_every_deal_is_counted_however_many_runs_there_are() -> None:
    passed, failed = [1.0] * 246, [0.0] * 4

    assert exchange([(passed + [1.0] * 4, passed + failed)]) == pytest.approx(
        fisher((250, 250), (246, 250))
    )


def test_a_cell_whose_runs_are_all_equal_changes_nothing() -> None:
    cells = [([0.1] * 40, [0.1] * 300), ([0.2, 0.4, 0.5], [0.1, 0.6])]

    assert exchange(cells) == exchange(cells[1:])
    assert exchange(cells[:1]) == 1


def test_what_was_drawn_never_gives_a_p_of_nothing() -> None:
    low, high = [n / 900 for n in range(30)], [1 - n / 900 for n in range(30)]

    assert exchange([(low, high)] * 4) == pytest.approx(1 / 2501)


def test_no_cells_are_no_question() -> None:
    with pytest.raises(ValueError, match="no cell"):
        exchange([])
