"""How far raters agree beyond what chance would give: kappa, AC1 and alpha."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

Z_95 = 1.959963984540054
Distance = Callable[[int, int], float]
"""How far two marks are apart: 0 for equal ones, the same both ways."""


@dataclass(frozen=True, slots=True)
class Kappa:
    """A kappa, and between what it lies with 95 % confidence."""

    kappa: float
    error: float
    low: float
    high: float


def squared(a: int, b: int) -> float:
    """Marks of a scale: far apart is much worse than next to each other."""
    return float((a - b) ** 2)


def unlike(a: int, b: int) -> float:
    """Marks that are names: other is other."""
    return float(a != b)


def weighted_kappa(
    pairs: Sequence[tuple[int, int]],
    groups: Sequence[object] | None = None,
    *,
    distance: Distance = squared,
) -> Kappa | None:
    """Cohen's kappa, weighted by a distance; None when every mark is one and the same.

    The error is Fleiss', Cohen's and Everitt's (1969), summed over groups of pairs that lean on
    each other; with every pair its own group, as without `groups`, it is theirs.
    """
    if not pairs:
        raise ValueError("no pairs of marks")
    n = len(pairs)
    first, second = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    # for any mark the mean distance to all marks of the other side
    to_second = {mark: _mean_distance(mark, second, distance) for mark in first}
    to_first = {mark: _mean_distance(mark, first, distance) for mark in second}
    observed = sum(distance(a, b) for a, b in pairs) / n
    expected = sum(to_second[mark] * count for mark, count in first.items()) / n
    if not expected:
        return None
    kappa = 1 - observed / expected
    by_group: dict[object, float] = {}
    for (a, b), group in zip(pairs, range(n) if groups is None else groups, strict=True):
        chance = (to_second[a] + to_first[b]) * (1 - kappa)
        lean = (chance - distance(a, b) - (2 * expected * (1 - kappa) - observed)) / expected
        by_group[group] = by_group.get(group, 0.0) + lean
    error = math.sqrt(math.fsum(lean**2 for lean in by_group.values())) / n
    return Kappa(kappa, error, kappa - Z_95 * error, kappa + Z_95 * error)


def cohen_kappa(pairs: Sequence[tuple[int, int]]) -> Kappa | None:
    """Kappa of verdicts that have no order; None when every mark is one and the same."""
    return weighted_kappa(pairs, distance=unlike)


def percent_agreement(pairs: Sequence[tuple[int, int]]) -> float:
    """The share of pairs that are equal, 0..1."""
    if not pairs:
        raise ValueError("no pairs of marks")
    return sum(a == b for a, b in pairs) / len(pairs)


def pabak(pairs: Sequence[tuple[int, int]], levels: int = 2) -> float:
    """Kappa as it would be if every level were as frequent as the others."""
    if levels < 2:  # noqa: PLR2004  # one level is no choice
        raise ValueError("agreement beyond chance needs two levels")
    return (levels * percent_agreement(pairs) - 1) / (levels - 1)


def gwet_ac1(pairs: Sequence[tuple[int, int]], levels: Sequence[int]) -> float:
    """Gwet's AC1: chance agreement that a level almost everybody gives does not blow up."""
    if len(levels) < 2:  # noqa: PLR2004  # one level is no choice
        raise ValueError("agreement beyond chance needs two levels")
    n, agreed = len(pairs), percent_agreement(pairs)
    shares = [sum((a == each) + (b == each) for a, b in pairs) / (2 * n) for each in levels]
    chance = sum(share * (1 - share) for share in shares) / (len(levels) - 1)
    return (agreed - chance) / (1 - chance)


def fleiss_kappa(ratings: Sequence[Sequence[Hashable]]) -> float | None:
    """Of several raters' marks, one row per item; None when every mark is one and the same."""
    raters = {len(row) for row in ratings}
    if len(raters) != 1 or min(raters) < 2:  # noqa: PLR2004  # one rater agrees with nobody
        raise ValueError("every item needs the same number of marks, at least two")
    each = raters.pop()
    counts = [Counter(row) for row in ratings]
    agreed = math.fsum(sum(c * (c - 1) for c in row.values()) for row in counts)
    agreed /= each * (each - 1) * len(ratings)
    overall = Counter(mark for row in ratings for mark in row)
    chance = math.fsum((c / (each * len(ratings))) ** 2 for c in overall.values())
    return None if len(overall) == 1 else (agreed - chance) / (1 - chance)


def krippendorff_alpha(
    units: Sequence[Sequence[float | None]],
    level: Literal["nominal", "ordinal", "interval"] = "nominal",
) -> float | None:
    """Of any number of raters, one row per item, None for a mark that is missing.

    None when every mark is one and the same, or no item has two marks.
    """
    rows = [[mark for mark in row if mark is not None] for row in units]
    rows = [row for row in rows if len(row) > 1]
    totals = Counter(mark for row in rows for mark in row)
    n = totals.total()
    if len(totals) < 2:  # noqa: PLR2004  # one mark does not vary
        return None
    apart = _apart(totals, level)
    observed = math.fsum(
        count * other * apart[a, b] / (len(row) - 1)
        for row in rows
        for a, count in Counter(row).items()
        for b, other in Counter(row).items()
    )
    chance = math.fsum(totals[a] * totals[b] * d for (a, b), d in apart.items())
    return 1 - (n - 1) * observed / chance


def _apart(totals: Mapping[float, int], level: str) -> dict[tuple[float, float], float]:
    """The squared distance of every two marks."""
    marks = sorted(totals)
    if level == "interval":
        place = {mark: mark for mark in marks}
    elif level == "ordinal":
        reached = accumulate(totals[mark] for mark in marks)
        place = {m: up - totals[m] / 2 for m, up in zip(marks, reached, strict=True)}
    else:
        return {(a, b): float(a != b) for a in marks for b in marks}
    return {(a, b): (place[a] - place[b]) ** 2 for a in marks for b in marks}


def _mean_distance(mark: int, others: Counter[int], distance: Distance) -> float:
    return sum(distance(mark, b) * count for b, count in others.items()) / others.total()
