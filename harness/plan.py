"""Which runs: the selection of a command, spread out into cells; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from harness.domain.grading import JUDGE, Grading, graded
from harness.domain.ids import Digest
from harness.domain.model import Budget, ModelRef
from harness.domain.scenario import TIERS, Prompt, Scenario
from harness.domain.spec import AgentRef, RunSpec, Specialist, Warmup
from harness.errors import UsageError, nearest

MAX_ITERATIONS = 1000

Outfit = Callable[[Prompt, AgentRef], Specialist]
"""A specialist, as it is for one prompt and one agent's model."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What somebody asked for."""

    scenarios: tuple[Scenario, ...]
    tiers: tuple[str, ...]
    agents: tuple[AgentRef, ...]
    specialists: tuple[Outfit | None, ...] = (None,)
    iterations: int = 1
    warmup: Warmup = Warmup.RUN
    budget: Budget = field(default_factory=Budget)
    user: ModelRef | None = None
    grading: Grading = field(default_factory=Grading)
    own_tools: bool = False
    """A specialist may bring servers of tools that the baseline beside it does not have."""


def plan(selection: Selection) -> tuple[RunSpec, ...]:
    """Every cell, iteration by iteration, so that a batch stopped halfway is balanced.

    Raises UsageError for a selection that is empty, or whose comparison would say nothing.
    """
    if not 1 <= selection.iterations <= MAX_ITERATIONS:
        raise UsageError(
            f"iterations is {selection.iterations}; it goes from 1 to {MAX_ITERATIONS}"
        )
    cells = [
        RunSpec(
            scenario=graded(scenario, tier, selection.grading),
            prompt=prompt_of(scenario, tier),
            agent=agent,
            specialist=outfit(prompt_of(scenario, tier), agent) if outfit else None,
            budget=selection.budget,
            user=selection.user,
            warmup=selection.warmup,
            grading=selection.grading,
        )
        for scenario, tier, agent, outfit in product(
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
    _refuse_confounded(cells, own_tools=selection.own_tools)
    return tuple(
        replace(cell, iteration=n) for n in range(1, selection.iterations + 1) for cell in cells
    )


def prompt_of(scenario: Scenario, tier: str) -> Prompt:
    """What a scenario asks for in a tier that it has."""
    return next(prompt for prompt in scenario.prompts if prompt.tier == tier)


def _refuse_confounded(cells: Sequence[RunSpec], *, own_tools: bool) -> None:
    """Two sides that are compared may differ in the specialist's words alone."""
    worn = [cell.specialist for cell in cells if cell.specialist]
    digests: dict[tuple[str, str], Digest] = {}
    for ref in (specialist.ref for specialist in worn):
        if digests.setdefault((ref.name, ref.version), ref.digest) != ref.digest:
            raise UsageError(
                f"two different specialists are called {ref.name}@{ref.version}: nobody could tell"
                " their runs apart; raise the version of one"
            )
    if len({cell.digest for cell in cells}) < len(cells):
        raise UsageError("the same run would be made twice: name each agent and specialist once")
    tools = {specialist.mcps: specialist.ref for specialist in worn}
    bare = any(cell.specialist is None for cell in cells)
    if own_tools or len(tools) + (bare and () not in tools) < 2:  # noqa: PLR2004  # sides
        return
    ref, servers = next((ref, mcps) for mcps, ref in tools.items() if mcps)
    names = ", ".join(server.name for server in servers)
    others = "the baseline" if bare else "another specialist"
    raise UsageError(
        f"{ref.name}@{ref.version} brings servers of tools ({names}) that {others} does not have:"
        " whether its words or its tools made the difference could not be told; take them out of"
        " the template, or compare words and tools together with --own-tools"
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
