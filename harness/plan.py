"""Which runs: the selection of a command, spread out into cells; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from harness.domain.grading import JUDGE, Grading, graded
from harness.domain.ids import Digest
from harness.domain.model import Budget, ModelRef
from harness.domain.record import Cell
from harness.domain.scenario import TIERS, Prompt, Scenario
from harness.domain.spec import AgentRef, RunSpec, Specialist, Warmup
from harness.errors import UsageError, nearest

MAX_ITERATIONS = 1000

Outfit = Callable[[Prompt, AgentRef], Specialist]
"""A specialist, as it is for one prompt and one agent's model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How cells are run, whoever works in them."""

    warmup: Warmup = Warmup.RUN
    budget: Budget = field(default_factory=Budget)
    user: ModelRef | None = None
    grading: Grading = field(default_factory=Grading)


@dataclass(frozen=True, slots=True)
class Selection(Conditions):
    """What somebody asked for."""

    scenarios: tuple[Scenario, ...]
    tiers: tuple[str, ...]
    agents: tuple[AgentRef, ...]
    specialists: tuple[Outfit | None, ...] = (None,)
    iterations: int = 1
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
        cell_of(selection, scenario, tier, agent, outfit)
        for scenario, tier, agent, outfit in product(
            selection.scenarios, selection.tiers, selection.agents, selection.specialists
        )
        if _has(scenario, tier, sole=len(selection.scenarios) == 1)
    ]
    if not cells:
        raise UsageError(
            f"no scenario of the selection has a prompt for {_listed(selection.tiers)}"
        )
    refuse_unjudged(cells)
    refuse_unequal(cells, own_tools=selection.own_tools)
    return spread([(cell, selection.iterations) for cell in cells])


def cell_of(
    given: Conditions, scenario: Scenario, tier: str, agent: AgentRef, outfit: Outfit | None
) -> RunSpec:
    """The first run of a cell."""
    prompt = prompt_of(scenario, tier)
    return RunSpec(
        scenario=graded(scenario, tier, given.grading),
        prompt=prompt,
        agent=agent,
        specialist=outfit(prompt, agent) if outfit else None,
        budget=given.budget,
        user=given.user,
        warmup=given.warmup,
        grading=given.grading,
    )


def spread(cells: Iterable[tuple[RunSpec, int]]) -> tuple[RunSpec, ...]:
    """Every cell so often, iteration by iteration."""
    wanted = list(cells)
    most = max((count for _, count in wanted), default=0)
    return tuple(
        replace(cell, iteration=n)
        for n in range(1, most + 1)
        for cell, count in wanted
        if n <= count
    )


def prompt_of(scenario: Scenario, tier: str) -> Prompt:
    """What a scenario asks for in a tier that it has."""
    return next(prompt for prompt in scenario.prompts if prompt.tier == tier)


def refuse_unjudged(cells: Sequence[RunSpec]) -> None:
    """Judges that were named have something to judge by."""
    asked = [cell for cell in cells if cell.grading.judges]
    judged = [check for cell in asked for check in cell.scenario.checks if check.kind == JUDGE]
    if asked and not judged:
        raise UsageError(
            f"--judge: no scenario of the selection has a check {JUDGE!r} to judge by; give it one,"
            " or judge the stored run: bench judge last --judge …"
        )


def refuse_unequal(cells: Sequence[RunSpec], *, own_tools: bool) -> None:
    """Two sides that are compared may differ in the specialist's words alone."""
    worn = [cell.specialist for cell in cells if cell.specialist]
    digests: dict[tuple[str, str], Digest] = {}
    for ref in (specialist.ref for specialist in worn):
        if digests.setdefault((ref.name, ref.version), ref.digest) != ref.digest:
            raise UsageError(
                f"two different specialists are called {ref.name}@{ref.version}: nobody could tell"
                " their runs apart; raise the version of one"
            )
    if len({cell.cell for cell in cells}) < len(cells):
        raise UsageError("the same run would be made twice: name each agent and specialist once")
    _refuse_other_conditions(cells)
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


def _refuse_other_conditions(cells: Sequence[RunSpec]) -> None:
    """Where one side has other settings than the other, a difference has two causes."""
    first: dict[Cell, RunSpec] = {}
    for cell in cells:
        side = first.setdefault(replace(cell.cell, specialist=None), cell)
        pairs = (
            ("model settings", side.agent.settings, cell.agent.settings),
            ("limits", side.budget, cell.budget),
            ("users", side.user, cell.user),
            ("grading", side.task_digest, cell.task_digest),
        )
        if differ := [name for name, one, other in pairs if one != other]:
            names = " and ".join(
                f"{s.specialist.ref.name}@{s.specialist.ref.version}" if s.specialist else "none"
                for s in (side, cell)
            )
            raise UsageError(
                f"{cell.scenario.key} {cell.prompt.tier} {cell.agent.label}: the specialists"
                f" {names} would work with different {', '.join(differ)}: whose doing a difference"
                " is could not be told; give both the same"
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
