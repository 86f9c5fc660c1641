"""Which runs: the selection of a command, spread out into cells; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from harness.domain.grading import Grading, graded
from harness.domain.model import Budget, ModelRef
from harness.domain.scenario import TIERS, Scenario
from harness.domain.spec import AgentRef, RunSpec, Specialist, Warmup
from harness.errors import UsageError, nearest

MAX_ITERATIONS = 1000
JUDGE = "llm_judge"


@dataclass(frozen=True, slots=True)
class Selection:
    """What somebody asked for."""

    scenarios: tuple[Scenario, ...]
    tiers: tuple[str, ...]
    agents: tuple[AgentRef, ...]
    specialists: tuple[Specialist | None, ...] = (None,)
    iterations: int = 1
    warmup: Warmup = Warmup.RUN
    budget: Budget = field(default_factory=Budget)
    user: ModelRef | None = None
    grading: Grading = field(default_factory=Grading)


def plan(selection: Selection) -> tuple[RunSpec, ...]:
    """Every cell, iteration by iteration, so that a batch stopped halfway is balanced."""
    if not 1 <= selection.iterations <= MAX_ITERATIONS:
        raise UsageError(
            f"iterations is {selection.iterations}; it goes from 1 to {MAX_ITERATIONS}"
        )
    cells = [
        RunSpec(
            scenario=graded(scenario, tier, selection.grading),
            prompt=next(p for p in scenario.prompts if p.tier == tier),
            agent=agent,
            specialist=specialist,
            budget=selection.budget,
            user=selection.user,
            warmup=selection.warmup,
            grading=selection.grading,
        )
        for scenario, tier, agent, specialist in product(
            selection.scenarios, selection.tiers, selection.agents, selection.specialists
        )
        if _has(scenario, tier, sole=len(selection.scenarios) == 1)
    ]
    if not cells:
        raise UsageError(
            f"no scenario of the selection has a prompt for {_listed(selection.tiers)}"
        )
    judged = [check for cell in cells for check in cell.scenario.checks if check.kind == JUDGE]
    if selection.grading.judges and not judged:
        raise UsageError(
            f"--judge: no scenario of the selection has a check {JUDGE!r} to judge by; give it one,"
            " or judge the stored run: bench judge last --judge …"
        )
    return tuple(
        replace(cell, iteration=n) for n in range(1, selection.iterations + 1) for cell in cells
    )


def _has(scenario: Scenario, tier: str, *, sole: bool) -> bool:
    if tier not in TIERS:
        raise UsageError(f"no tier {tier!r}; {nearest(tier, TIERS)}")
    if sole and tier not in scenario.tiers:
        has = _listed(scenario.tiers)
        raise UsageError(f"{scenario.key} has no prompt for tier {tier!r}; it has {has}")
    return tier in scenario.tiers


def _listed(tiers: Sequence[str]) -> str:
    return ", ".join(tiers) or "none"
