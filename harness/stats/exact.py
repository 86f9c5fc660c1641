"""Tests that count outcomes instead of assuming a distribution."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from harness.stats.distributions import binomial_mass, binomial_tail, chi_square_tail
from harness.stats.inputs import finite, probability
from harness.stats.streams import SEED, Stream, sha256_stream

EXACT_CLUSTERS = 20
"""Up to here every pattern of signs is counted; above, a random sample of them."""
FLIPS = 100_000
MOST_HALVES = 2**15
"""Choices among half of the runs up to which every split is counted by pairs of them."""
_SAME = 1e-12
_BYTE = 8


@dataclass(frozen=True, slots=True)
class SignFlip:
    """How often a total at least as far out arises when every cluster's sign is a coin toss."""

    p_two_sided: float
    p_greater: float
    flips: int
    """How many patterns of signs were looked at."""
    is_exact: bool


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two graders of the same pass-or-fail tasks, by the tasks on which they differ."""

    delta: float
    """The share that passes after, less the share that passed before."""
    wald_se: float
    p_exact: float
    p_mid: float
    """The one to report: the exact p is too careful."""
    chi2: float | None
    """None, like its p, when no task differs."""
    p_chi2: float | None
    chi2_corrected: float | None
    p_chi2_corrected: float | None


def smallest_p(clusters: int) -> float:
    """The least two-sided p that a sign-flip test of so many clusters can reach."""
    if clusters < 1:
        raise ValueError(f"{clusters} clusters have no signs")
    return 2.0 ** (1 - clusters)


def clusters_for_p(alpha: float) -> int:
    """The fewest clusters whose sign-flip test can fall below `alpha`: 6 for 0.05."""
    probability(alpha, "alpha")
    clusters = 1
    while smallest_p(clusters) >= alpha:
        clusters += 1
    return clusters


def sign_flip(totals: Sequence[float], *, flips: int = FLIPS, seed: int = SEED) -> SignFlip:
    """Whether clusters sum to something, given what each contributes.

    Every pattern is counted up to 20 clusters. Above, pattern r takes ceil(G / 8) bytes of the
    SHA-256 stream `bench-signflip-v1`, lowest bit first, a set bit turning a cluster round; the
    p then counts the observed pattern too and is never 0.
    """
    finite(totals, "cluster totals")
    if flips < 1:
        raise ValueError(f"{flips} patterns of signs are none")
    return _sign_flip(tuple(totals), flips, seed)


@lru_cache(maxsize=256)
def _sign_flip(totals: tuple[float, ...], flips: int, seed: int) -> SignFlip:
    observed = math.fsum(totals)
    slack = _SAME * math.fsum(map(abs, totals))
    if len(totals) <= EXACT_CLUSTERS:
        half = len(totals) // 2
        left, right = sorted(_signed(totals[:half])), _signed(totals[half:])
        above = sum(len(left) - bisect_left(left, observed - slack - r) for r in right)
        beyond = sum(len(left) - bisect_left(left, abs(observed) - slack - r) for r in right)
        every = 2 ** len(totals)
        return SignFlip(min(1.0, 2 * beyond / every), above / every, every, is_exact=True)
    sums = list(_flipped(totals, flips, sha256_stream("bench-signflip-v1", seed)))
    above = sum(each >= observed - slack for each in sums)
    beyond = sum(abs(each) >= abs(observed) - slack for each in sums)
    return SignFlip((1 + beyond) / (1 + flips), (1 + above) / (1 + flips), flips, is_exact=False)


def wilcoxon(values: Sequence[float]) -> float | None:
    """The exact two-sided p of the signed-rank test; None when every value is 0."""
    finite(values, "values")
    sized = sorted((value for value in values if value), key=abs)
    if not sized:
        return None
    # twice the ranks, so that the mean rank of a tie is a whole number
    doubled = [round(2 * rank) for rank in ranks([abs(value) for value in sized])]
    observed = sum(rank for rank, value in zip(doubled, sized, strict=True) if value > 0)
    ways = [1] + [0] * sum(doubled)
    for rank in doubled:
        for place in range(len(ways) - 1, rank - 1, -1):
            ways[place] += ways[place - rank]
    fewest = min(sum(ways[: observed + 1]), sum(ways[observed:]))
    return min(1.0, 2 * fewest / (1 << len(doubled)))


def permutation(before: Sequence[float], after: Sequence[float]) -> float | None:
    """The exact two-sided p that two sets of runs of one scenario differ in their mean.

    None when there are too many ways to split them to count.
    """
    finite(before, "runs before")
    finite(after, "runs after")
    pool = [*before, *after]
    expected = math.fsum(pool) / len(pool)
    fewer = [value - expected for value in min(before, after, key=len)]
    least = abs(math.fsum(fewer)) - _SAME * math.fsum(map(abs, pool))
    if least <= 0:
        return 1.0
    hand, middle = len(fewer), len(pool) // 2
    if _choices(len(pool) - middle, hand) > MOST_HALVES:
        return None
    # every hand is one of a half of the pool and the rest of the other half
    left, right = (
        _sums([value - expected for value in half], hand) for half in (pool[:middle], pool[middle:])
    )
    beyond = 0
    for some, others in zip(map(sorted, left), reversed(right), strict=True):
        above = sum(len(some) - bisect_left(some, least - other) for other in others)
        below = sum(bisect_right(some, -least - other) for other in others)
        beyond += above + below
    return beyond / math.comb(len(pool), hand)


def mcnemar(*, both: int, before_only: int, after_only: int, neither: int) -> McNemar:
    """Of pairs of single runs: with several runs a scenario, take the clustered comparison."""
    n = both + before_only + after_only + neither
    if min(both, before_only, after_only, neither) < 0 or not n:
        raise ValueError("counts of pairs are not below 0, and there is at least one pair")
    differing, gap = before_only + after_only, after_only - before_only
    fewer = min(before_only, after_only)
    se = math.sqrt(max(0.0, differing - gap**2 / n)) / n
    if not differing:
        return McNemar(gap / n, se, 1.0, 1.0, None, None, None, None)
    p_exact = min(1.0, 2 * binomial_tail(differing - fewer, differing, 0.5))
    chi2 = gap**2 / differing
    corrected = max(0, abs(gap) - 1) ** 2 / differing
    return McNemar(
        delta=gap / n,
        wald_se=se,
        p_exact=p_exact,
        p_mid=p_exact - binomial_mass(fewer, differing, 0.5),
        chi2=chi2,
        p_chi2=chi_square_tail(chi2),
        chi2_corrected=corrected,
        p_chi2_corrected=chi_square_tail(corrected),
    )


def ranks(values: Sequence[float]) -> list[float]:
    """The rank of each from 1 up; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    given = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            given[place] = (start + 1 + end) / 2
        start = end
    return given


def _signed(totals: Sequence[float]) -> list[float]:
    sums = [0.0]
    for total in totals:
        sums = [each + total for each in sums] + [each - total for each in sums]
    return sums


def _choices(runs: int, most: int) -> int:
    """How many there are among runs, of so many at most; counted until they are too many."""
    choices = ways = 1
    for size in range(min(runs, most)):
        if choices > MOST_HALVES:
            break
        ways = ways * (runs - size) // (size + 1)
        choices += ways
    return choices


def _sums(values: Sequence[float], most: int) -> list[list[float]]:
    """Of every choice among the values, by how many are chosen, up to so many."""
    sums: list[list[float]] = [[0.0], *([] for _ in range(most))]
    for value in values:
        for size in range(most, 0, -1):
            sums[size] += [each + value for each in sums[size - 1]]
    return sums


def _flipped(totals: Sequence[float], flips: int, stream: Stream) -> Iterator[float]:
    # the sum of 8 clusters under each of the 256 patterns, so that a pattern costs G / 8 look-ups
    tables = [
        [
            math.fsum(-t if byte >> bit & 1 else t for bit, t in enumerate(totals[at : at + _BYTE]))
            for byte in range(256)
        ]
        for at in range(0, len(totals), _BYTE)
    ]
    raw = stream.take(flips * len(tables))
    for at in range(0, len(raw), len(tables)):
        yield sum(table[raw[at + n]] for n, table in enumerate(tables))
