"""What a plan is, before any of it runs: its cells, what it may cost, and what it could show."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.domain.outline import Run
from harness.domain.spec import RunSpec
from harness.errors import UsageError
from harness.report.compare import specialists
from harness.report.effects import MEASURES, SCORE, paired_cells, values
from harness.report.families import families, namesakes
from harness.report.paired import Observation, observe, pair_specialist
from harness.report.power import (
    WANTED,
    Outlook,
    Spreads,
    assumed_spreads,
    outlook,
    spreads_of,
)
from harness.report.stats import by_cell
from harness.stats.moments import mean, variance


@dataclass(frozen=True, slots=True)
class Design:
    """The size of a comparison; each side runs every cell so often."""

    scenarios: int
    cells_per_scenario: float
    """Tiers × agents of one side; the harmonic mean where scenarios differ."""
    iterations: int
    sides: int
    """1 where everything that is planned is one side, and another batch is to be the other."""
    namesakes: tuple[tuple[str, ...], ...] = ()
    """Names that have one fixture and count as one scenario."""

    @property
    def runs_per_scenario(self) -> float:
        """Of both sides, for one iteration."""
        return 2 * self.cells_per_scenario


@dataclass(frozen=True, slots=True)
class Pilot:
    """What earlier runs say about later ones."""

    spreads: Spreads
    cost_usd: float | None
    """Of a run, on average; None where no price is known."""
    seconds: float | None
    is_simulated: bool = False
    """Scripts played some of them: models vary in other ways."""


@dataclass(frozen=True, slots=True)
class Step:
    """One way to a comparison that shows the wanted difference, and its price."""

    scenarios: int
    iterations: int
    runs: int
    """Of both sides, in all."""
    cost_usd: float | None


def design_of(specs: Sequence[RunSpec]) -> Design:
    """The comparison that a plan makes possible: with a specialist against without, if it has both.

    Without both, all of it is one side.
    """
    cells = [spec for spec in specs if spec.iteration == 1]
    bare = [spec for spec in cells if spec.specialist is None]
    has_both = 0 < len(bare) < len(cells)
    one_side = bare if has_both else cells
    heads = families((spec.scenario.key, spec.scenario.digests.fixture) for spec in one_side)
    sizes = Counter(heads[spec.scenario.key] for spec in one_side)
    return Design(
        scenarios=len(sizes),
        cells_per_scenario=len(sizes) / math.fsum(1 / n for n in sizes.values()),
        iterations=len(specs) // len(cells),
        sides=2 if has_both else 1,
        namesakes=namesakes(heads),
    )


def pilot_of(records: Iterable[Run], batch: str) -> Pilot:
    """What a batch says: both spreads where it has a baseline and a specialist, else one of them.

    Raises UsageError where no cell of it ran twice, so that nothing can be learnt of chance.
    """
    known = tuple(records)
    runs = observe(known)
    counted = [run for run in runs if run.missing is None]
    costs, times = ([v for run in counted if (v := MEASURES[name].of(run)) is not None]
                    for name in ("cost_usd", "seconds"))  # fmt: skip
    return Pilot(
        spreads=_paired_spreads(known, runs, batch) or _bare_spreads(counted, batch),
        cost_usd=mean(costs) if costs else None,
        seconds=mean(times) if times else None,
        is_simulated=any(run.simulated for run in runs),
    )


def outlook_of(design: Design, spreads: Spreads, wanted: float = WANTED) -> Outlook:
    """What a plan can show."""
    return outlook(
        spreads,
        design.scenarios,
        wanted=wanted,
        cells_per_scenario=design.cells_per_scenario,
        iterations=design.iterations,
    )


def assumptions(design: Design) -> Pilot:
    """What is taken for granted where nothing has run."""
    return Pilot(
        assumed_spreads(cells_per_scenario=design.cells_per_scenario, iterations=design.iterations),
        None,
        None,
    )


def steps(design: Design, view: Outlook, pilot: Pilot) -> tuple[Step, ...]:
    """What was planned, then what would show the wanted difference: by iterations, by scenarios."""
    ways = [(design.scenarios, design.iterations)]
    if not view.is_enough and view.iterations_needed:
        ways.append((design.scenarios, view.iterations_needed))
    if not view.is_enough and view.scenarios_needed:
        ways.append((view.scenarios_needed, design.iterations))
    return tuple(_step(design, pilot, *way) for way in ways)


def _step(design: Design, pilot: Pilot, scenarios: int, iterations: int) -> Step:
    runs = round(scenarios * iterations * design.runs_per_scenario)
    cost = None if pilot.cost_usd is None else runs * pilot.cost_usd
    return Step(scenarios, iterations, runs, cost)


def _paired_spreads(
    records: Sequence[Run], runs: Sequence[Observation], batch: str
) -> Spreads | None:
    """Of the specialist with the most cells; None without a comparison of several scenarios."""
    found = []
    for name, version in specialists(records):
        pairing = pair_specialist(runs, name, version)
        cells = paired_cells(MEASURES[SCORE], [p for p in pairing.pairs if p.is_graded])
        spreads = spreads_of(cells) if cells else None
        if spreads is not None and spreads.is_split:
            found.append((len(cells), name, replace(spreads, source=f"batch {batch}")))
    return max(found, key=lambda each: each[:2])[2] if found else None


def _bare_spreads(counted: Sequence[Observation], batch: str) -> Spreads:
    """How runs of one cell differ, and an assumption for how scenarios would."""
    scores = [values(MEASURES[SCORE], runs) for runs in by_cell(counted).values()]
    repeated = [variance(each) for each in scores if len(each) > 1]
    if not repeated:
        raise UsageError(
            f"batch {batch} says nothing about chance: no cell of it has two runs with a whole"
            " grade; name another, or leave --from out and plan with assumptions"
        )
    assumed = assumed_spreads()
    return Spreads(
        replace(assumed.known, within=mean(repeated), assumed=False),
        f"runs: batch {batch}; scenarios: assumed",
    )
