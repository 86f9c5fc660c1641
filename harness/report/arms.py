"""One side of a comparison, or a whole batch, in numbers with their uncertainty."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from harness.domain.outline import Run
from harness.domain.record import Cell
from harness.report.paired import Missing, Observation, observe
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
    counted = [run for run in runs if run.missing is None]
    missing = Counter(run.missing for run in runs if run.missing is not None)
    bare = Arm(
        name=name,
        runs=len(runs),
        scored=len(counted),
        missing=tuple((kind, missing[kind]) for kind in Missing if missing[kind]),
        simulated=sum(run.simulated for run in runs),
        cells=len({run.cell for run in counted}),
        scenarios=len({run.cluster for run in counted}),
        bounds=_bounds(runs),
    )
    return _scored(bare, counted) if counted else bare


def tries(runs: Iterable[Observation]) -> tuple[Tries, ...]:
    """How often each cell was tried and passed; runs without a whole grade are no tries."""
    cells: dict[tuple[Cell, str], list[bool]] = {}
    for run in runs:
        if run.missing is None:
            cells.setdefault((run.cell, run.cluster), []).append(run.passed)
    return tuple(Tries(kin, len(passed), sum(passed)) for (_, kin), passed in cells.items())


def pass_k(tried: Sequence[Tries], k: int) -> PassK:
    """pass@k and pass^k over the cells."""
    if not tried:
        return PassK(k, None, None)
    return PassK(k, _share(mean_pass_at_k(tried, k)), _share(mean_pass_hat_k(tried, k)))


def _scored(bare: Arm, counted: Sequence[Observation]) -> Arm:
    scores = [run.score for run in counted if run.score is not None]
    weights = _weights(counted)
    score = clustered_mean(_clustered(counted, lambda r: r.score or 0.0), weights).within(0, 1)
    deviation = math.sqrt(variance(scores)) if len(scores) > 1 else None
    naive = None if deviation is None else deviation / math.sqrt(len(scores))
    seconds = sorted(run.seconds for run in counted if run.seconds is not None)
    return replace(
        bare,
        score=score,
        deviation=deviation,
        naive_se=naive,
        design_effect=design_effect(score, naive**2) if naive else None,
        success=_success(counted, weights),
        seconds=tuple(quantile(seconds, p) for p in PERCENTILES) if seconds else (),
        costs=_costs(counted),
    )


def _success(counted: Sequence[Observation], weights: Clustered) -> Success:
    n, passed = len(counted), sum(run.passed for run in counted)
    rate = clustered_mean(_clustered(counted, lambda run: float(run.passed)), weights).within(0, 1)
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


def _costs(counted: Sequence[Observation]) -> Costs | None:
    priced = [run for run in counted if run.cost_usd is not None]
    if not priced:
        return None
    spent = _clustered(priced, lambda run: run.cost_usd or 0.0)
    per_success = clustered_ratio(spent, _clustered(priced, lambda run: float(run.passed)))
    return Costs(
        total_usd=math.fsum(run.cost_usd for run in priced if run.cost_usd is not None),
        priced=len(priced),
        per_success=per_success and per_success.within(0, math.inf),
    )


def _bounds(runs: Sequence[Observation]) -> Bounds | None:
    """Over the cells of all runs; the ends are equal where nothing is missing."""
    if not runs:
        return None
    sizes = Counter(run.cell for run in runs)
    return bounds([run.score for run in runs], [1 / sizes[run.cell] for run in runs])


def _clustered(
    runs: Iterable[Observation], value: Callable[[Observation], float]
) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {}
    for run in runs:
        groups.setdefault(run.cluster, []).append(value(run))
    return groups


def _weights(counted: Iterable[Observation]) -> dict[str, list[float]]:
    """So that every cell weighs the same, however often it ran."""
    counted = tuple(counted)
    sizes = Counter(run.cell for run in counted)
    return _clustered(counted, lambda run: 1 / sizes[run.cell])


def _share(found: Estimate | None) -> Estimate | None:
    return found and found.within(0, 1)
