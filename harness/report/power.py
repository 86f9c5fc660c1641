"""What a comparison of a given size can show, and what it would take to show more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.report.words import outward, plural
from harness.stats.estimate import ALPHA
from harness.stats.exact import clusters_for_p
from harness.stats.moments import mean, variance
from harness.stats.paired import PairedCell
from harness.stats.power import (
    POWER,
    Components,
    assumed,
    components,
    detectable,
    detection,
    iterations_needed,
    scenarios_needed,
)

WANTED = 0.05
"""The least difference that is worth telling, on the scale 0..1, unless somebody says another."""
LEAST_SCENARIOS = clusters_for_p(ALPHA)
"""Fewer cannot reach a two-sided 5 % without assuming a distribution: 6."""
MOST_DIFFERENCE = 1.0
"""By more scores cannot differ."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """What the uncertainty of a difference is computed from, and where that is known from."""

    known: Components
    source: str
    is_split: bool = True
    """False when every cell ran once: what iterations would change is then unknown."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What so many scenarios, cells and iterations can show."""

    scenarios: int
    cells_per_scenario: float
    iterations: float
    wanted: float
    spreads: Spreads
    detectable: float | None
    """The least difference that is found four times in five; None where `reach` says why."""
    chance: float | None
    """Of finding the wanted difference if it is there; None where nothing can be said of others."""
    scenarios_needed: int | None
    """In all, at these iterations; None for more than anybody can run, or where nothing varied."""
    iterations_needed: int | None
    """A cell and side, with these scenarios; None where no number would do, or none is known."""

    @property
    def is_enough(self) -> bool:
        """The wanted difference would be found four times in five."""
        return self.chance is not None and self.chance >= POWER - _SLACK

    @property
    def is_too_narrow(self) -> bool:
        """No number of iterations says anything beyond these scenarios."""
        return self.scenarios < LEAST_SCENARIOS

    @property
    def varies(self) -> bool:
        """Runs or scenarios differed, so that it is known by how much."""
        return self.spreads.known.deviation() > 0

    @property
    def more_scenarios(self) -> int | None:
        """How many are missing."""
        return None if self.scenarios_needed is None else self.scenarios_needed - self.scenarios

    @property
    def more_iterations(self) -> int | None:
        """How many are missing of each cell on each side."""
        if self.iterations_needed is None:
            return None
        return max(0, self.iterations_needed - math.floor(self.iterations))


_SLACK = 1e-9


def spreads_of(cells: Sequence[PairedCell]) -> Spreads | None:
    """From runs of both sides; None for a single scenario, which does not say how others differ."""
    found = components(cells)
    if found is not None:
        return Spreads(found, "these runs")
    groups: dict[str, list[float]] = {}
    for cell in cells:
        groups.setdefault(cell.cluster, []).append(cell.difference)
    if len(groups) < 2:  # noqa: PLR2004  # one scenario has no spread
        return None
    seen = variance([mean(sorted(group)) for _, group in sorted(groups.items())])
    per_scenario = len(groups) / math.fsum(1 / len(group) for group in groups.values())
    return Spreads(Components(0.0, seen, per_scenario, 1), "these runs", is_split=False)


def assumed_spreads(*, cells_per_scenario: float = 1, iterations: float = 3) -> Spreads:
    """What to plan with when nothing has run."""
    known = assumed(cells_per_cluster=cells_per_scenario, iterations=iterations)
    return Spreads(known, "assumed")


def outlook(
    spreads: Spreads,
    scenarios: int,
    *,
    wanted: float = WANTED,
    cells_per_scenario: float | None = None,
    iterations: float | None = None,
) -> Outlook:
    """What a design can show; its cells and iterations are those of the spreads unless given."""
    known = replace(
        spreads.known,
        cells_per_cluster=cells_per_scenario or spreads.known.cells_per_cluster,
        iterations=iterations or spreads.known.iterations,
    )
    deviation = known.deviation()
    is_general = scenarios >= LEAST_SCENARIOS
    is_known = is_general and deviation > 0
    least = detectable(deviation, scenarios) if is_known else None
    needed = None if is_general and not is_known else scenarios_needed(known, wanted)
    return Outlook(
        scenarios=scenarios,
        cells_per_scenario=known.cells_per_cluster,
        iterations=known.iterations,
        wanted=wanted,
        spreads=replace(spreads, known=known),
        detectable=None if least is None or least > MOST_DIFFERENCE else least,
        chance=detection(wanted, deviation, scenarios) if is_known else None,
        scenarios_needed=None if needed is None else max(LEAST_SCENARIOS, needed),
        iterations_needed=iterations_needed(known, wanted, scenarios)
        if spreads.is_split and is_known
        else None,
    )


def advice(found: Outlook) -> str:
    """What would help to tell the wanted difference, and what would not."""
    scenarios, iterations = found.more_scenarios, found.more_iterations
    if found.is_enough:
        return f"this size finds a difference of {found.wanted:g} four times in five"
    if not found.varies and not found.is_too_narrow:
        return "nothing varied, so that these runs do not say what it takes"
    if scenarios is None:
        return "no number of scenarios that anybody can run would help"
    more = plural(scenarios, "more scenario")
    if iterations is not None:
        return f"{plural(iterations, 'more iteration')} of every cell would help, or {more}"
    if not found.spreads.is_split and not found.is_too_narrow:
        return f"{more} would help; what iterations would do, single runs do not say"
    return f"more iterations would not help, {more} would"


def reach(found: Outlook) -> str:
    """The least difference that is found four times in five, or why there is none."""
    if found.is_too_narrow:
        return f"nothing beyond these scenarios: that takes {LEAST_SCENARIOS} or more"
    if not found.varies:
        return "not known: nothing varied"
    if found.detectable is None:
        return "nothing that scores can differ by"
    return f"{outward(found.detectable, 2, up=True):.2f}, four times in five"
