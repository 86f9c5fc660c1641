"""What a command line selects: the cells to run, from its options or from a matrix."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from harness import roster, wiring
from harness.cli.bench import COMMANDS
from harness.cli.matrix import Cells, matrix_cells, refuse_beside_matrix
from harness.cli.models import Asked
from harness.cli.wearing import Worn, outfits_of, without_chooser
from harness.cli.workers import agents_of, choices, with_models
from harness.domain.ids import BatchId
from harness.domain.outline import Run
from harness.domain.scenario import Scenario
from harness.errors import UsageError
from harness.gateway.budget import Purse
from harness.load.scenarios import find_scenarios, find_suites, load_scenario
from harness.plan import Conditions, Selection, plan, spread
from harness.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_TIER = "L1"


@dataclass(frozen=True, slots=True)
class Picked:
    """The cells that a command line names."""

    suite: str | None
    scenario: str | None
    everything: bool = False
    tiers: str = DEFAULT_TIER
    agents: tuple[str, ...] = ()
    with_baseline: bool = False
    iterations: int = 1
    matrix: Path | None = None


_OPTIONS = (
    click.argument("suite", required=False),
    click.argument("scenario", required=False),
    click.option("--all-scenarios", is_flag=True, help="Every scenario of the suite."),
    click.option(
        "--tier", "tiers", default=DEFAULT_TIER, show_default=True, metavar="T[,T…]",
        help="Prompt tiers: L0 L1 L2 L3 Lx, or 'all'.",
    ),
    click.option(
        "--agent", "agents", multiple=True, metavar="NAME[:ARG]",
        help="Who works: anthropic:MODEL, openai:MODEL, openrouter:MODEL, claude-code, codex,"
        " command:NAME, echo, oracle[:WRONG], scripted[:SCRIPT]; repeatable [the one that worked in"
        " the batch, else echo].",
    ),
    click.option("--with-baseline", is_flag=True, help="Every cell without the specialist too."),
    click.option(
        "--iterations", default=1, show_default=True, help="How often each cell is run."
    ),
    click.option(
        "--matrix", metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The cells of a matrix.yaml, or those of SUITE [SCENARIO] in it.",
    ),
)  # fmt: skip
_NAMES = ("suite", "scenario", "tiers", "agents", "with_baseline", "iterations", "matrix")


def selection_options(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command those options; it receives them as one `picked`."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **given: P.kwargs) -> R:
        taken: dict[str, Any] = {name: given.pop(name) for name in _NAMES}
        picked = Picked(everything=bool(given.pop("all_scenarios")), **taken)
        if picked.matrix:
            refuse_beside_matrix(click.get_current_context())
        elif picked.suite is None:
            raise UsageError("name a suite, or give --matrix FILE; bench list shows the suites")
        return command(*args, picked=picked, **given)  # type: ignore[arg-type]  # one more than click gave

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def cells_of(  # noqa: PLR0913  # each is a group of options
    settings: Settings,
    picked: Picked,
    asked: Asked,
    worn: Worn,
    conditions: Conditions,
    *,
    purses: Mapping[BatchId, Purse] | None = None,
    before: Sequence[Run] = (),
) -> Cells:
    """The runs that are to be made; raises UsageError for what could not be run or compared.

    A model that chooses words is paid from `purses`; who works where nobody said it is who worked
    `before`.
    """
    if picked.matrix:
        of = functools.partial(matrix_cells, settings, picked.matrix)
        if worn.wearing.chooser:
            # whatever is wrong is found before a model is asked for words
            of(without_chooser(worn), suite=picked.suite, scenario=picked.scenario)
        return of(worn, suite=picked.suite, scenario=picked.scenario, purses=purses)
    suite = str(picked.suite)
    loaded = scenarios_of(settings, suite, picked.scenario, everything=picked.everything)
    outfits = outfits_of(settings, worn, purses)
    named = agents_of(picked.agents, asked.model, asked.settings, before)
    workers = with_models(named, outfits)
    specs = plan(
        Selection(
            scenarios=loaded,
            tiers=tiers_of(picked.tiers, loaded),
            agents=workers,
            specialists=(None, *outfits) if picked.with_baseline or not outfits else outfits,
            iterations=picked.iterations,
            own_tools=worn.own_tools,
            **{each.name: getattr(conditions, each.name) for each in fields(conditions)},
        )
    )
    said = tuple(choices(picked.agents, asked.model, workers))
    cells = [roster.identify(spec) for spec in specs if spec.iteration == 1]
    return Cells(spread((cell, picked.iterations) for cell in cells), outfits, said)


def scenarios_of(
    settings: Settings, suite: str, scenario: str | None, *, everything: bool
) -> tuple[Scenario, ...]:
    """One scenario of a suite, or all; raises UsageError for neither and for both."""
    known = find_suites(settings.root)
    if suite not in known and (near := get_close_matches(suite, COMMANDS, n=1)):
        raise UsageError(f"no command or suite {suite!r}; did you mean the command {near[0]!r}?")
    names = find_scenarios(settings.root, suite)
    if everything and scenario is not None:
        raise UsageError(f"give the scenario {scenario!r} or --all-scenarios, not both")
    if not everything and scenario is None:
        raise UsageError(
            f"name one scenario of {suite!r} or give --all-scenarios; it has {', '.join(names)}"
        )
    wanted = names if everything else [str(scenario)]
    kinds = wiring.evaluator_kinds()
    return tuple(load_scenario(settings.root, suite, name, kinds=kinds) for name in wanted)


def tiers_of(text: str, scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """Tiers of a list with commas, or 'all' that the scenarios have."""
    if text == "all":
        return tuple(dict.fromkeys(tier for s in scenarios for tier in s.tiers))
    return tuple(dict.fromkeys(part.strip() for part in text.split(",")))
