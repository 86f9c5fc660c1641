"""What one measure changed over some cells: the difference, by both estimands, and its tests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from harness.report.paired import CellPair, Observation
from harness.report.power import LEAST_SCENARIOS
from harness.stats.estimate import ALPHA, Estimate
from harness.stats.exact import EXACT_CLUSTERS, SignFlip
from harness.stats.exchange import Sides, exchange
from harness.stats.multiplicity import benjamini_hochberg, holm
from harness.stats.paired import PairedCell, PairedDifference, paired_difference

MEASURE, SCENARIO, TIER, MODEL, CHECK = "measure", "scenario", "tier", "model", "check"
SCORE, SUCCESS, COST, TIME = "score", "success", "cost_usd", "seconds"
HOLM, BH = "Holm", "Benjamini-Hochberg"


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that every run has, or has not."""

    name: str
    of: Callable[[Observation], float | None]
    most: float = 1.0
    """What no run has more of; none has less than 0."""


MEASURES: Mapping[str, Measure] = {
    SCORE: Measure(SCORE, lambda o: o.score),
    SUCCESS: Measure(SUCCESS, lambda o: float(o.passed)),
    COST: Measure(COST, lambda o: o.cost_usd, math.inf),
    TIME: Measure(TIME, lambda o: o.seconds, math.inf),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """After minus before, over the cells in which both sides have the measure."""

    kind: str
    """`measure`, or what a part of the cells is taken by: scenario, tier, model, check."""
    name: str
    cells: int
    scenarios: int
    runs: tuple[int, int]
    before: float
    after: float
    """Means of the cells' means."""
    general: Estimate
    """On scenarios like these: clustered by scenario."""
    these: Estimate
    """On exactly these scenarios: only the runs are a sample."""
    sign_flip: SignFlip | None
    """The same question as `general` without assuming a distribution; None where not asked."""
    exchanged: tuple[Sides, ...] = ()
    """The runs of every cell, where claims may hang on whether they could change places."""
    differing: int = 0
    """Scenarios that did not come out the same on both sides."""
    p: float | None = None
    adjusted: float | None = None
    """For the other questions that were asked at the same time."""
    method: str = ""

    @property
    def asked(self) -> str:
        """What a hypothesis about it is called: `score`, `tier L1`."""
        return self.name if self.kind == MEASURE else f"{self.kind} {self.name}"

    @property
    def delta(self) -> float:
        """After minus before."""
        return self.general.mean

    @property
    def permutation(self) -> float | None:
        """By exchanging the runs of every cell; computed when asked, as it may take its time."""
        return _exchange(self.exchanged) if self.exchanged else None

    def is_fragile(self, alpha: float = ALPHA) -> bool:
        """The t test and the sign-flip test fall on different sides of `alpha`."""
        p = self.general.p_two_sided
        if p is None or self.sign_flip is None:
            return False
        return (p < alpha) != (self.sign_flip.p_two_sided < alpha)


def values(measure: Measure, runs: Iterable[Observation]) -> tuple[float, ...]:
    """The measure of the runs that count and have it."""
    of = measure.of
    return tuple([value for run in runs if run.missing is None and (value := of(run)) is not None])


def paired_cells(measure: Measure, pairs: Iterable[CellPair]) -> tuple[PairedCell, ...]:
    """The cells in which both sides have the measure."""
    sides = [(p.cluster, values(measure, p.before), values(measure, p.after)) for p in pairs]
    return tuple(PairedCell(s, before, after) for s, before, after in sides if before and after)


def check_measure(name: str) -> Measure:
    """One evaluator's score."""
    return Measure(f"check {name}", lambda o: dict(o.checks).get(name))


def effect(
    kind: str,
    name: str,
    cells: Sequence[PairedCell],
    *,
    exact: bool = True,
    most: float = 1.0,
    alpha: float = ALPHA,
) -> Effect | None:
    """What changed over some cells; None where no cell has both sides.

    With `exact` the sign-flip test is made however many scenarios there are; else only where
    every pattern can be counted, because a random sample of them takes its time. Values lie from 0
    to `most`, so that no interval of their differences reaches beyond it.
    """
    if not cells:
        return None
    found = paired_difference(cells, alpha=alpha)
    is_tested = found.clusters > 1 and (exact or found.clusters <= EXACT_CLUSTERS)
    made = Effect(
        kind=kind,
        name=name,
        cells=found.cells,
        scenarios=found.clusters,
        runs=_runs(cells),
        before=found.baseline,
        after=found.specialist,
        general=found.general.within(-most, most),
        these=found.these.within(-most, most),
        sign_flip=found.check if is_tested else None,
        exchanged=_exchanged(cells, found, exact=exact),
        differing=sum(map(bool, found.contributions)),
    )
    return replace(made, p=_p(made))


def adjusted(effects: Sequence[Effect], declared: Sequence[str]) -> tuple[Effect, ...]:
    """The effects with p values raised for their number: Holm among the declared, BH for the rest.

    A question whose p value is not known is in no family, nor is a part that is the whole.
    """
    parts = Counter(each.kind for each in effects if each.kind != MEASURE)
    raised: dict[int, Effect] = {}
    for method, adjust, is_declared in ((HOLM, holm, True), (BH, benjamini_hochberg, False)):
        family = [
            (place, each.p)
            for place, each in enumerate(effects)
            if each.p is not None
            and (each.asked in declared) is is_declared
            and (is_declared or parts[each.kind] != 1)
        ]
        for (place, _), p in zip(family, adjust([p for _, p in family]), strict=True):
            raised[place] = replace(effects[place], adjusted=p, method=method)
    return tuple(raised.get(place, each) for place, each in enumerate(effects))


_exchange = lru_cache(maxsize=64)(exchange)


def _exchanged(
    cells: Sequence[PairedCell], found: PairedDifference, *, exact: bool
) -> tuple[Sides, ...]:
    """Signs answer the same question of many scenarios whose sides ran equally often."""
    runs = tuple((cell.baseline, cell.specialist) for cell in cells)
    is_even = all(len(before) == len(after) for before, after in runs)
    is_few = found.clusters < LEAST_SCENARIOS
    says = (found.these if is_few else found.general).excludes(0)
    return runs if len(runs) == 1 or (exact and says and (is_few or not is_even)) else ()


def _p(found: Effect) -> float | None:
    """By t over scenarios; of one scenario by its runs, and by signs where nothing varies."""
    if found.general.se is None:
        return found.these.p_two_sided
    if found.general.se == 0:
        return found.sign_flip.p_two_sided if found.sign_flip else None
    return found.general.p_two_sided


def _runs(cells: Iterable[PairedCell]) -> tuple[int, int]:
    cells = tuple(cells)
    return sum(len(c.baseline) for c in cells), sum(len(c.specialist) for c in cells)
