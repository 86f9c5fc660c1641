"""Whether runs of two sides could change places, whatever their numbers and values are.

Where the sides ran unequally often, their means scatter unequally, and with pass-or-fail scores
lopsidedly: of 2 runs that pass nine times in ten mostly both pass, of 50 hardly ever all. Neither t
nor signs know of that. Here the runs of every cell are dealt out again to its two sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

from harness.stats.exact import MOST_SPLITS, permutation
from harness.stats.inputs import finite
from harness.stats.streams import SEED, sha256_stream

LABEL = "bench-exchange-v1"
DRAWN = 300_000
"""Runs that are dealt out in all, where not every deal can be counted."""
FEWEST, MOST = 2_000, 10_000
"""Deals between which that is kept."""
_SAME = 1e-12
_WORD = 2**32

Sides = tuple[Sequence[float], Sequence[float]]
"""The runs of a cell before and after."""


def exchange(cells: Sequence[Sides], *, seed: int = SEED) -> float:
    """The two-sided p of a mean difference over cells at least this large, by dealing runs again.

    Every deal is counted where that is possible. Else the SHA-256 stream `bench-exchange-v1` deals:
    4 bytes a run, cell by cell, for the side with fewer runs; the p then counts what was observed
    too and is never 0.
    """
    if not cells:
        raise ValueError("no cell has runs to exchange")
    for before, after in cells:
        finite(before, "runs before")
        finite(after, "runs after")
    if len(cells) == 1 and (counted := permutation(*cells[0])) is not None:
        return counted
    decks = [_Deck(before, after) for before, after in cells]
    observed = abs(math.fsum(deck.observed for deck in decks))
    least = observed - _SAME * math.fsum(deck.scale for deck in decks)
    if math.prod(deck.splits for deck in decks) <= MOST_SPLITS:
        sums = [0.0]
        for deck in decks:
            every = tuple(deck.every())
            sums = [each + more for each in sums for more in every]
        return sum(abs(each) >= least for each in sums) / len(sums)
    dealt = tuple(_dealt(decks, seed))
    return (1 + sum(abs(each) >= least for each in dealt)) / (1 + len(dealt))


class _Deck:
    """The runs of a cell; a hand is as many of them as the side with fewer runs has."""

    def __init__(self, before: Sequence[float], after: Sequence[float]) -> None:
        pool = sorted((*before, *after))
        expected = math.fsum(pool) / len(pool)
        # from the middle, so that the mean of a hand tells the difference of the sides
        self.pool = [each - expected for each in pool]
        hand, rest = sorted((before, after), key=len)
        self.hand = len(hand)
        self.factor = 1 / len(hand) + 1 / len(rest)
        sign = 1 if hand is after else -1
        self.observed = sign * self.worth(each - expected for each in hand)
        self.scale = self.factor * math.fsum(map(abs, pool))
        self.sign = sign

    @property
    def splits(self) -> int:
        return math.comb(len(self.pool), self.hand)

    def worth(self, hand: Iterator[float] | Sequence[float]) -> float:
        """The difference of means, were these the runs of the side with fewer."""
        return self.factor * math.fsum(hand)

    def every(self) -> Iterator[float]:
        for chosen in combinations(self.pool, self.hand):
            yield self.sign * self.worth(chosen)


def _dealt(decks: Sequence[_Deck], seed: int) -> Iterator[float]:
    picks = sum(deck.hand for deck in decks)
    deals = min(MOST, max(FEWEST, DRAWN // picks))
    words = iter(sha256_stream(LABEL, seed).indices(picks * deals, _WORD))
    # what lies in a deck after one deal is as good an order as any for the next
    piles = [
        (list(deck.pool), [(place, len(deck.pool) - place) for place in range(deck.hand)],
         deck.sign * deck.factor)
        for deck in decks
    ]  # fmt: skip
    for _ in range(deals):
        total = 0.0
        for pile, places, factor in piles:
            hand = 0.0
            for place, left in places:
                other = place + (next(words) * left >> 32)
                drawn = pile[other]
                pile[other], pile[place] = pile[place], drawn
                hand += drawn
            total += factor * hand
        yield total
