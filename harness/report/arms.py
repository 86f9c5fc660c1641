"""One side of a comparison, or a whole batch, in numbers with their uncertainty."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from harness.domain.outline import Run
from harness.report.paired import Missing, Observation, observe
from harness.report.stats import by_cell
from harness.stats.clustered import (
    Clustered,
    clustered_mean,
    clustered_ratio,
    design_effect,
    effective_size,
)
from harness.stats.estimate import Estimate, Interval
from harness.stats.moments import quantile, variance
from harness.stats.passk import Tries, mean_pass_at_k, mean_pass_hat_k
from harness.stats.proportions import clopper_pearson, jeffreys, wilson
from harness.stats.validity import Bounds, bounds

PERCENTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Success:
    """How many runs passed."""

    passed: int
    rate: Estimate
    """Mean of the cells' rates, clustered by scenario."""
    design_effect: float | None
    effective: float
    """How many independent runs these are worth."""
    wilson: Interval
    """At that number: the interval to report."""
    clopper_pearson: Interval
    jeffreys: Interval
    """These two as if every run were independent."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of the runs that count and whose price is known."""

    total_usd: float
    priced: int
    per_success: Estimate | None
    """None without a success: then it is more than the total."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One side: what ran, what of it counts, and how well it did."""

    name: str
    runs: int
    scored: int
    missing: tuple[tuple[Missing, int], ...]
    simulated: int
    cells: int
    scenarios: int
    score: Estimate | None = None
    """Mean of the cells' means, clustered by scenario; None without a score."""
    deviation: float | None = None
    """Of single runs."""
    naive_se: float | None = None
    """What the error would be if every run were independent."""
    design_effect: float | None = None
    bounds: Bounds | None = None
    """Of the score, were every run that is missing worth 0, or 1."""
    success: Success | None = None
    seconds: tuple[float, ...] = ()
    """The median, and what 95 and 99 % of the runs stay below."""
    costs: Costs | None = None

    @property
    def missing_share(self) -> float:
        """Of all runs, those that have no whole grade."""
        return (self.runs - self.scored) / self.runs if self.runs else 0.0


@dataclass(frozen=True, slots=True)
class PassK:
    """What k tries are worth."""

    k: int
    at_least_one: Estimate | None
    """pass@k; None where a cell was tried fewer than k times."""
    all_of_them: Estimate | None
    """pass^k"""


def summarise(records: Iterable[Run], name: str = "batch") -> Arm:
    """A set of runs in numbers."""
    return arm(name, observe(records))


def arm(name: str, runs: Sequence[Observation]) -> Arm:
    """The same of runs that were already looked at."""
    cells = by_cell(runs)
    counted = [kept for cell in cells.values() if (kept := [r for r in cell if r.missing is None])]
    missing = Counter(run.missing for run in runs if run.missing is not None)
    bare = Arm(
        name=name,
        runs=len(runs),
        scored=sum(map(len, counted)),
        missing=tuple((kind, missing[kind]) for kind in Missing if missing[kind]),
        simulated=sum(run.simulated for run in runs),
        cells=len(counted),
        scenarios=len({cell[0].cluster for cell in counted}),
        bounds=_bounds(cells.values()),
    )
    return _scored(bare, counted) if counted else bare


def tries(runs: Iterable[Observation]) -> tuple[Tries, ...]:
    """How often each cell was tried and passed; runs without a whole grade are no tries."""
    cells = by_cell(run for run in runs if run.missing is None)
    return tuple(
        Tries(cell[0].cluster, len(cell), sum(run.passed for run in cell))
        for cell in cells.values()
    )


def pass_k(tried: Sequence[Tries], k: int) -> PassK:
    """pass@k and pass^k over the cells."""
    if not tried:
        return PassK(k, None, None)
    return PassK(k, _share(mean_pass_at_k(tried, k)), _share(mean_pass_hat_k(tried, k)))


def _scored(bare: Arm, cells: Sequence[Sequence[Observation]]) -> Arm:
    counted = list(chain.from_iterable(cells))
    scores = [run.score for run in counted if run.score is not None]
    weights = _clustered(cells, lambda cell: [1 / len(cell)] * len(cell))
    score = clustered_mean(
        _clustered(cells, lambda cell: [run.score or 0.0 for run in cell]), weights
    ).within(0, 1)
    deviation = math.sqrt(variance(scores)) if len(scores) > 1 else None
    naive = None if deviation is None else deviation / math.sqrt(len(scores))
    seconds = sorted(run.seconds for run in counted if run.seconds is not None)
    return replace(
        bare,
        score=score,
        deviation=deviation,
        naive_se=naive,
        design_effect=design_effect(score, naive**2) if naive else None,
        success=_success(cells, weights),
        seconds=tuple(quantile(seconds, p) for p in PERCENTILES) if seconds else (),
        costs=_costs(cells),
    )


def _success(cells: Sequence[Sequence[Observation]], weights: Clustered) -> Success:
    outcomes = _clustered(cells, _passes)
    n, passed = sum(map(len, cells)), int(sum(map(sum, outcomes.values())))
    rate = clustered_mean(outcomes, weights).within(0, 1)
    effect = design_effect(rate, rate.mean * (1 - rate.mean) / n)
    effective = effective_size(n, effect)
    return Success(
        passed=passed,
        rate=rate,
        design_effect=effect,
        effective=effective,
        wilson=wilson(min(rate.mean, 1.0) * effective, effective),
        clopper_pearson=clopper_pearson(passed, n),
        jeffreys=jeffreys(passed, n),
    )


def _costs(cells: Iterable[Sequence[Observation]]) -> Costs | None:
    priced = [kept for cell in cells if (kept := [r for r in cell if r.cost_usd is not None])]
    if not priced:
        return None
    spent = _clustered(priced, lambda cell: [run.cost_usd or 0.0 for run in cell])
    per_success = clustered_ratio(spent, _clustered(priced, _passes))
    return Costs(
        total_usd=math.fsum(chain.from_iterable(spent.values())),
        priced=sum(map(len, priced)),
        per_success=per_success and per_success.within(0, math.inf),
    )


def _bounds(cells: Collection[Sequence[Observation]]) -> Bounds | None:
    """Over the cells of all runs; the ends are equal where nothing is missing."""
    if not cells:
        return None
    scores = [run.score for cell in cells for run in cell]
    return bounds(scores, [1 / len(cell) for cell in cells for _ in cell])


def _clustered(
    cells: Iterable[Sequence[Observation]],
    values: Callable[[Sequence[Observation]], Sequence[float]],
) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {}
    for cell in cells:
        groups.setdefault(cell[0].cluster, []).extend(values(cell))
    return groups


def _passes(cell: Iterable[Observation]) -> list[float]:
    return [float(run.passed) for run in cell]


def _share(found: Estimate | None) -> Estimate | None:
    return found and found.within(0, 1)
