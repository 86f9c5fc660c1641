"""What a specialist changes at the same tasks: cells matched one to one, clustered by scenario."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from harness.stats.clustered import NOISE, from_influence
from harness.stats.estimate import ALPHA, Estimate, with_t, without_error
from harness.stats.exact import SignFlip, sign_flip
from harness.stats.inputs import finite, positive
from harness.stats.moments import mean, variance

LEAST_BASELINE = 0.05
"""Below it a relative change explodes and is not given."""


# without slots, so that what many questions ask of a cell is computed once
@dataclass(frozen=True)
class PairedCell:
    """One task done by both: the values of the baseline's runs and of the specialist's."""

    cluster: str
    """The scenario, or whatever binds several scenarios together."""
    baseline: tuple[float, ...]
    specialist: tuple[float, ...]
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuses a cell without runs on a side, or with a weight of nothing."""
        finite(self.baseline, f"baseline values of {self.cluster!r}")
        finite(self.specialist, f"specialist values of {self.cluster!r}")
        positive(self.weight, "the weight of a cell")

    @cached_property
    def means(self) -> tuple[float, float]:
        """Of the baseline and of the specialist."""
        return mean(self.baseline), mean(self.specialist)

    @cached_property
    def variances(self) -> tuple[float, float]:
        """The same of runs, where a side has several."""
        return variance(self.baseline), variance(self.specialist)

    @cached_property
    def difference(self) -> float:
        """Mean of the specialist less mean of the baseline."""
        return _apart(self.means, self.scale)

    @cached_property
    def scale(self) -> float:
        """The largest size of a value."""
        return _scale(self.baseline, self.specialist)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Both answers to "how much better": they differ in what they speak about."""

    cells: int
    clusters: int
    baseline: float
    """Weighted mean of the cells' means."""
    specialist: float
    general: Estimate
    """On scenarios like these: CR1 with the t of clusters - 1. Claims and gates go by this one."""
    these: Estimate
    """On exactly these scenarios, would a re-run differ: the noise of the runs alone."""
    cluster_means: tuple[tuple[str, float], ...]
    contributions: tuple[float, ...]
    """What each cluster adds to the difference; they sum to it."""

    @property
    def delta(self) -> float:
        """Specialist less baseline."""
        return self.general.mean

    @property
    def check(self) -> SignFlip:
        """The same question as `general` without assuming a distribution; computed when asked."""
        return sign_flip(self.contributions)

    @property
    def relative_pct(self) -> float | None:
        """The difference in percent of the baseline; None where the baseline is next to nothing."""
        return 100 * self.delta / self.baseline if self.baseline >= LEAST_BASELINE else None

    def is_fragile(self, alpha: float = ALPHA) -> bool:
        """The t test and the sign-flip test fall on different sides of `alpha`."""
        p = self.general.p_two_sided
        return p is not None and (p < alpha) != (self.check.p_two_sided < alpha)


@dataclass(frozen=True, slots=True)
class EffectSize:
    """The difference in units of a spread; None where nothing spreads, and `why` says so."""

    d: float | None
    """In standard deviations of single runs: Cohen's d with the mean variance of both sides."""
    g: float | None
    """The same without the upward bias of small samples: Hedges' g."""
    d_z: float | None
    """In standard deviations of the scenarios' own differences."""
    why: str = ""


def paired_difference(cells: Iterable[PairedCell], *, alpha: float = ALPHA) -> PairedDifference:
    """The weighted mean of the cells' differences, by both estimands.

    Cells weigh the same unless they say otherwise; their numbers of runs never weigh.
    """
    cells = _ordered(cells)
    total = math.fsum(cell.weight for cell in cells)
    shares = [cell.weight / total for cell in cells]
    delta = math.fsum(s * c.difference for s, c in zip(shares, cells, strict=True))
    totals, weights = by_cluster(cells)
    averages = {name: totals[name] / weights[name] for name in totals}
    leans = [(totals[name] - delta * weights[name]) / total for name in totals]
    return PairedDifference(
        cells=len(cells),
        clusters=len(totals),
        baseline=math.fsum(s * c.means[0] for s, c in zip(shares, cells, strict=True)),
        specialist=math.fsum(s * c.means[1] for s, c in zip(shares, cells, strict=True)),
        general=from_influence(delta, leans, scale=_widest(cells), alpha=alpha),
        these=_these(cells, shares, delta, alpha),
        cluster_means=tuple(averages.items()),
        contributions=tuple(each / total for each in totals.values()),
    )


def difference(baseline: Sequence[float], specialist: Sequence[float]) -> float:
    """Mean less mean; 0 where only rounding tells them apart, which has a sign like any other."""
    return _apart((mean(baseline), mean(specialist)), _scale(baseline, specialist))


def by_cluster(cells: Iterable[PairedCell]) -> tuple[dict[str, float], dict[str, float]]:
    """Per cluster the weighted sum of differences and the weight: what a bootstrap draws from."""
    groups: dict[str, list[PairedCell]] = {}
    for cell in _ordered(cells):
        groups.setdefault(cell.cluster, []).append(cell)
    return (
        {name: math.fsum(c.weight * c.difference for c in g) for name, g in groups.items()},
        {name: math.fsum(c.weight for c in g) for name, g in groups.items()},
    )


def probability_of_improvement(cells: Iterable[PairedCell], *, alpha: float = ALPHA) -> Estimate:
    """How often a run with the specialist beats a run without it at the same task; ties are half.

    A half means no difference. The interval is clustered and may reach beyond 0 and 1.
    """
    wins = [
        PairedCell(cell.cluster, (0.0,), (_win_share(cell),), cell.weight)
        for cell in _ordered(cells)
    ]
    return paired_difference(wins, alpha=alpha).general


def effect_size(cells: Iterable[PairedCell]) -> EffectSize:
    """The difference of `paired_difference` in three units."""
    cells = _ordered(cells)
    difference = paired_difference(cells)
    before = [value for cell in cells for value in cell.baseline]
    after = [value for cell in cells for value in cell.specialist]
    d = g = d_z = None
    why = []
    floor = NOISE * _widest(cells)
    if min(len(before), len(after)) < 2:  # noqa: PLR2004  # one run has no spread
        why.append("a single run has no spread")
    elif (spread := math.sqrt((variance(before) + variance(after)) / 2)) <= floor:
        why.append("every run of a side has the same value")
    else:
        d = difference.delta / spread
        g = d * (1 - 3 / (4 * (len(before) + len(after) - 2) - 1))
    means = [average for _, average in difference.cluster_means]
    if len(means) < 2:  # noqa: PLR2004  # one scenario has no spread
        why.append("one scenario has no spread")
    elif (spread := math.sqrt(variance(means))) <= floor:
        why.append("every scenario differs by the same")
    else:
        d_z = difference.delta / spread
    return EffectSize(d, g, d_z, "; ".join(why))


def _ordered(cells: Iterable[PairedCell]) -> tuple[PairedCell, ...]:
    # in one order, so that the order of rows moves not even the last digit
    groups: dict[str, list[PairedCell]] = {}
    for cell in cells:
        groups.setdefault(cell.cluster, []).append(cell)
    if not groups:
        raise ValueError("no cell was done by both")
    return tuple(chain.from_iterable(_by_values(groups[name]) for name in sorted(groups)))


def _by_values(cells: list[PairedCell]) -> list[PairedCell]:
    if len(cells) == 1:
        return cells
    return sorted(cells, key=lambda c: (sorted(c.baseline), sorted(c.specialist), c.weight))


def _apart(means: tuple[float, float], scale: float) -> float:
    gap = means[1] - means[0]
    return gap if abs(gap) > NOISE * scale else 0.0


def _scale(*sides: Sequence[float]) -> float:
    return max(abs(end) for side in sides for end in (min(side), max(side)))


def _widest(cells: Iterable[PairedCell]) -> float:
    return max(cell.scale for cell in cells)


def _these(
    cells: Sequence[PairedCell], shares: Sequence[float], delta: float, alpha: float
) -> Estimate:
    if any(min(len(cell.baseline), len(cell.specialist)) < 2 for cell in cells):  # noqa: PLR2004  # see below
        return without_error(delta, len(cells), "a cell with a single run has no spread")
    parts = [
        (share**2 * spread / len(side), len(side) - 1)
        for share, cell in zip(shares, cells, strict=True)
        for side, spread in zip((cell.baseline, cell.specialist), cell.variances, strict=True)
    ]
    squares = math.fsum(part for part, _ in parts)
    if math.sqrt(squares) <= NOISE * _widest(cells):
        return with_t(delta, 0.0, math.fsum(df for _, df in parts), len(cells), alpha)
    # Welch's and Satterthwaite's degrees of freedom
    df = squares**2 / math.fsum(part**2 / df for part, df in parts)
    return with_t(delta, math.sqrt(squares), df, len(cells), alpha)


def _win_share(cell: PairedCell) -> float:
    others = sorted(cell.baseline)
    # how many are beaten, and half of those that are equalled
    wins = sum(
        (bisect_left(others, own) + bisect_right(others, own)) / 2 for own in cell.specialist
    )
    return wins / (len(cell.specialist) * len(cell.baseline))
