from __future__ import annotations

import math
import random
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats import exchange as exchanging
from harness.stats.exact import permutation
from harness.stats.exchange import exchange

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


def test_what_was_drawn_never_gives_a_p_of_nothing() -> None:
    assert exchange([([0.0] * 30, [1.0] * 30)] * 4) == pytest.approx(1 / 2501)


def test_no_cells_are_no_question() -> None:
    with pytest.raises(ValueError, match="no cell"):
        exchange([])
