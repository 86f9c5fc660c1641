"""A matrix file as the cells that it means in this project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import roster, wiring
from harness.cli.models import MAX_REQUESTS, MAX_TURNS, named_model
from harness.cli.wearing import Worn
from harness.cli.workers import with_models
from harness.domain.grading import Grading
from harness.domain.ids import BatchId
from harness.domain.matrix import NONE, Point
from harness.domain.matrix import Terms as Said
from harness.domain.model import Budget, ModelSettings
from harness.domain.scenario import Scenario
from harness.domain.spec import AgentRef, RunSpec, Warmup
from harness.errors import UsageError, nearest
from harness.gateway.budget import Purse
from harness.load.matrix import MatrixFile, load_matrix
from harness.load.matrix_cells import points_of
from harness.load.places import Problem
from harness.load.scenarios import find_scenarios, find_suites, load_scenario
from harness.plan import Conditions, cell_of, refuse_unequal, refuse_unjudged, spread
from harness.settings import Settings

if TYPE_CHECKING:
    from harness.specialists.outfit import Outfit

IN_FILE = {
    "all_scenarios": "scenarios",
    "tiers": "tiers",
    "agents": "agents",
    "model": "models",
    "specialists": "specialists",
    "with_baseline": "specialists: [none, …]",
    "iterations": "iterations",
    **dict.fromkeys(
        (
            *("temperature", "max_output_tokens", "reasoning_effort", "seed", "max_cost"),
            *("max_tokens", "max_requests", "max_turns", "user", "only", "skip", "judges"),
            "skip_warmup",
        ),
        "defaults",
    ),
}
"""Options that a matrix says for itself, and where in it."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Runs, in the order in which they are to be made, and the specialists among them."""

    specs: tuple[RunSpec, ...]
    outfits: tuple[Outfit, ...] = ()
    choices: tuple[str, ...] = ()
    """What nobody said, in words: the agent of a batch that goes on, and models."""


@dataclass(slots=True)
class _Known:
    """What the names in a matrix turned out to be; and those that turned out to be nothing."""

    scenarios: Mapping[str, Scenario]
    outfits: dict[str, Outfit | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def refuse_beside_matrix(context: click.Context) -> None:
    """Raise UsageError for options that would say again, or otherwise, what the file says."""
    given = click.core.ParameterSource.COMMANDLINE
    for option in context.command.params:
        name = option.name or ""
        if name in IN_FILE and context.get_parameter_source(name) is given:
            raise UsageError(
                f"{option.opts[0]} beside --matrix: say it in the file, under {IN_FILE[name]!r}"
            )


def matrix_cells(
    settings: Settings,
    path: Path,
    worn: Worn,
    *,
    suite: str | None,
    scenario: str | None,
    purses: Mapping[BatchId, Purse] | None = None,
) -> Cells:
    """The cells of a matrix, or those of one suite or scenario; everything is looked at first.

    Raises BadFile with all that is wrong with the file.
    """
    root, kinds = settings.root, wiring.evaluator_kinds()
    every = [f"{each}/{name}" for each in find_suites(root) for name in find_scenarios(root, each)]
    file = load_matrix(path, every, roster.agent_names())
    blocks = (file.matrix.product, *file.matrix.include)
    used = dict.fromkeys(named.text for block in blocks for named in block.scenarios)
    loaded = {
        key: load_scenario(root, suite_of, name, kinds)
        for key in used
        for suite_of, _, name in (key.partition("/"),)
    }
    points = points_of(
        file,
        {key: found.tiers for key, found in loaded.items()},
        lambda agent: _wants_model(agent, next(iter(loaded.values()))),
    )
    known = _Known(loaded)
    _find_outfits(settings, worn, points, known, purses)
    made = [(_spec(point, known), point.terms.iterations or 1) for point in points]
    if known.problems:
        raise file.bad(known.problems)
    cells = [(spec, count) for spec, count in made if spec]
    _compare(file, [spec for spec, _ in cells], own_tools=worn.own_tools)
    kept = _narrowed(path, cells, suite, scenario)
    return Cells(spread(kept), tuple(outfit for outfit in known.outfits.values() if outfit))


def _wants_model(agent: str, scenario: Scenario) -> bool:
    ref = roster.agent_ref(agent, None, ModelSettings())
    return bool(scenario.prompts) and roster.wants_model(
        RunSpec(scenario, scenario.prompts[0], ref)
    )


def _find_outfits(
    settings: Settings,
    worn: Worn,
    points: Sequence[Point],
    known: _Known,
    purses: Mapping[BatchId, Purse] | None,
) -> None:
    for name in dict.fromkeys(point.specialist for point in points):
        if name.text in {NONE, *known.outfits}:
            continue
        try:
            found = wiring.find_specialist(settings, name.text, worn.wearing, purses)
            known.outfits[name.text] = found
        except UsageError as error:
            known.outfits[name.text] = None
            known.problems.append(Problem(name.where, str(error)))


def _spec(point: Point, known: _Known) -> RunSpec | None:
    """The cell's first run; what is wrong with it is noted."""
    scenario = known.scenarios[point.scenario.text]
    outfit = known.outfits.get(point.specialist.text)
    if outfit is None and point.specialist.text != NONE:
        return None
    place = point.model or point.agent
    try:
        agent = _agent(point, known)
        spec = cell_of(_conditions(point.terms), scenario, point.tier, agent, outfit)
        if roster.wants_model(spec):
            known.problems.append(
                Problem(point.agent.where, f"agent {agent.label!r} needs a model, under 'models'")
            )
            return None
        return roster.identify(spec)
    except UsageError as error:
        known.problems.append(Problem(place.where, str(error)))
        return None


def _agent(point: Point, known: _Known) -> AgentRef:
    said = point.terms
    named = roster.agent_ref(
        point.agent.text, point.model.text if point.model else None, ModelSettings()
    )
    (agent,) = with_models((named,), [outfit for outfit in known.outfits.values() if outfit])
    if agent.model is None:
        # what is said of models is not for those who have none
        return agent
    asked = ModelSettings(
        said.temperature, said.max_output_tokens, said.reasoning_effort, said.seed
    )
    return replace(agent, settings=asked)


def _conditions(said: Said) -> Conditions:
    return Conditions(
        warmup=Warmup.SKIP if said.skip_warmup else Warmup.RUN,
        budget=Budget(
            usd=said.max_cost,
            tokens=said.max_tokens,
            requests=said.max_requests or MAX_REQUESTS,
            turns=said.max_turns or MAX_TURNS,
        ),
        user=named_model("user", said.user) if said.user else None,
        grading=Grading(
            only=said.only or (),
            skip=said.skip or (),
            judges=tuple(named_model("judges", judge) for judge in said.judges or ()),
        ),
    )


def _compare(file: MatrixFile, cells: Sequence[RunSpec], *, own_tools: bool) -> None:
    try:
        refuse_unjudged(cells)
        refuse_unequal(cells, own_tools=own_tools)
    except UsageError as error:
        raise file.bad([Problem((), str(error))]) from error


def _narrowed(
    path: Path, cells: Sequence[tuple[RunSpec, int]], suite: str | None, scenario: str | None
) -> Iterator[tuple[RunSpec, int]]:
    wanted = (suite, *((scenario,) if scenario else ()))
    kept = [
        (spec, count)
        for spec, count in cells
        if suite is None or wanted == (spec.scenario.suite, spec.scenario.id)[: len(wanted)]
    ]
    if not kept:
        has = {spec.scenario.suite for spec, _ in cells} | {spec.scenario.key for spec, _ in cells}
        asked = "/".join(filter(None, wanted))
        raise UsageError(f"{path} has no cell of {asked!r}; {nearest(asked, has)}")
    return iter(kept)
