"""Whether runs of two sides could change places, whatever their numbers and values are.

Where the sides ran unequally often, their means scatter unequally, and with pass-or-fail scores
lopsidedly: of 2 runs that pass nine times in ten mostly both pass, of 50 hardly ever all. Neither t
nor signs know of that. Here the runs of every cell are dealt out again to its two sides.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from operator import itemgetter

from harness.stats.distributions import chi_square_tail, hypergeometric
from harness.stats.exact import permutation
from harness.stats.inputs import finite
from harness.stats.streams import SEED, sha256_stream

LABEL = "bench-exchange-v1"
MOST_SPLITS = 200_000
"""Deals of several cells up to which all are counted."""
DRAWN = 300_000
"""Runs that are dealt out in all, where not every deal can be counted."""
FEWEST, MOST = 2_000, 10_000
"""Deals between which that is kept."""
MANY = 100
"""Runs on the smaller side of a cell from which on sums of them may be normal."""
CARRIERS = 25
"""Of them, runs that the variance has to rest on for that."""
CLUMP = 1 / 20
"""Values no farther apart than this share of their deviation are taken together."""
BLUR = 0.3
"""A lattice is lost in a deviation of more than this share of its step."""
_SAME = 1e-12
_WORD = 2**32
_LARGE = 10

Sides = tuple[Sequence[float], Sequence[float]]
"""The runs of a cell before and after."""


def exchange(cells: Sequence[Sides], *, seed: int = SEED) -> float:
    """The two-sided p of a mean difference over cells at least this large, by dealing runs again.

    Every deal is counted where that is possible: of few runs, and of many with only two values,
    whose hands are hypergeometric. Where every cell has 100 runs or more on both sides and its
    variance rests on 25 of each or more, sums of hands are normal, and their variance is known
    exactly; where they lie on a lattice, half its step is taken off the difference. Else the
    SHA-256 stream `bench-exchange-v1` deals: 4 bytes a run, cell by cell, for the side with fewer
    runs; the p then counts what was observed too and is never 0.
    """
    if not cells:
        raise ValueError("no cell has runs to exchange")
    for before, after in cells:
        finite(before, "runs before")
        finite(after, "runs after")
    # a cell of equal runs is the same in every deal
    decks = [deck for deck in (_Deck(*cell) for cell in cells) if len(deck.values) > 1]
    observed = abs(math.fsum(deck.observed for deck in decks))
    least = observed - _SAME * math.fsum(deck.scale for deck in decks)
    if len(decks) == 1 and decks[0].is_mixed and (counted := permutation(*decks[0].sides)):
        return counted
    if math.prod(deck.hands for deck in decks) <= MOST_SPLITS:
        return _counted(decks, least)
    if all(deck.is_smooth for deck in decks):
        step = min(deck.factor * deck.step for deck in decks)
        deviation = math.sqrt(math.fsum(deck.variance for deck in decks))
        return chi_square_tail((max(0.0, observed - step / 2) / deviation) ** 2)
    dealt = tuple(_dealt(decks, seed))
    return (1 + sum(abs(each) >= least for each in dealt)) / (1 + len(dealt))


class _Deck:
    """The runs of a cell; a hand is as many of them as the side with fewer runs has."""

    def __init__(self, before: Sequence[float], after: Sequence[float]) -> None:
        self.sides = before, after
        pool = sorted((*before, *after))
        expected = math.fsum(pool) / len(pool)
        # from the middle, so that the mean of a hand tells the difference of the sides
        self.pool = [each - expected for each in pool]
        self.values = Counter(self.pool)
        self.spread = math.fsum([each * each for each in self.pool])
        hand, rest = sorted((before, after), key=len)
        self.hand = len(hand)
        self.kept = len(hand) * len(rest) / (len(pool) * (len(pool) - 1))
        """The share of the spread that is the variance of a hand's sum."""
        self.factor = 1 / len(hand) + 1 / len(rest)
        self.sign = 1 if hand is after else -1
        self.observed = self.sign * self.worth([each - expected for each in hand])
        self.scale = self.factor * math.fsum(map(abs, pool))

    @property
    def is_mixed(self) -> bool:
        """There are more than two values."""
        return len(self.values) > 2  # noqa: PLR2004  # see above

    @property
    def hands(self) -> float:
        """How many there are that differ: by their runs, or of two values by how many of each."""
        if self.is_mixed:
            # of large hands there are more than are counted, and how many takes minutes to tell
            return math.comb(len(self.pool), self.hand) if self.hand <= _LARGE else math.inf
        return 1 + min(self.hand, *self.values.values())

    @property
    def variance(self) -> float:
        """Of the difference over all deals."""
        return self.factor**2 * self.kept * self.spread

    @property
    def is_smooth(self) -> bool:
        """Hands are large, and no few runs decide their sums: a hand / kurtosis is how many do."""
        fourths = math.fsum([each**4 for each in self.pool])
        kurtosis = fourths * len(self.pool) / self.spread**2
        return self.hand >= MANY and self.hand / kurtosis >= CARRIERS

    @property
    def step(self) -> float:
        """What the sums of hands go up by; 0 where they fall on no lattice, or are blurred.

        Values lie on a lattice, as those of a few passes and failures do, where they lie so near
        it that the sum of a hand hardly ever leaves it.
        """
        least = CLUMP * math.sqrt(self.spread / len(self.pool))
        starts = [0, *(n for n, (a, b) in enumerate(pairwise(self.pool), 1) if b - a > least)]
        clumps = [self.pool[a:b] for a, b in pairwise([*starts, len(self.pool)])]
        middles = [(math.fsum(clump) / len(clump), len(clump)) for clump in clumps]
        origin, _ = max(middles, key=itemgetter(1))
        within = self.spread - math.fsum(runs * middle**2 for middle, runs in middles)
        gaps = {abs(middle - origin) / part for middle, _ in middles for part in (1, 2, 3)}
        for gap in sorted(gaps - {0.0}, reverse=True):
            off = [runs * math.remainder(middle - origin, gap) ** 2 for middle, runs in middles]
            if self.kept * (within + math.fsum(off)) <= (BLUR * gap) ** 2:
                return gap
        return 0.0

    def worth(self, hand: Sequence[float]) -> float:
        """The difference of means, were these the runs of the side with fewer."""
        return self.factor * math.fsum(hand)

    def every(self) -> Iterator[tuple[float, float]]:
        """The difference in every hand, and the hand's chance."""
        if self.is_mixed:
            chance = 1 / self.hands
            for chosen in combinations(self.pool, self.hand):
                yield self.sign * self.worth(chosen), chance
            return
        (low, _), (high, highs) = self.values.items()
        for count, chance in hypergeometric(len(self.pool), highs, self.hand).items():
            worth = self.factor * (count * high + (self.hand - count) * low)
            yield self.sign * worth, chance


def _counted(decks: Sequence[_Deck], least: float) -> float:
    sums = [(0.0, 1.0)]
    for deck in decks:
        every = tuple(deck.every())
        sums = [(total + more, p * chance) for total, p in sums for more, chance in every]
    return min(1.0, math.fsum(chance for total, chance in sums if abs(total) >= least))


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
