"""`bench plan`: what a run would be, and what it could show, before money is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from harness import roster, wiring
from harness.cli.console import clean, money, output, print_json, table, who
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.lookup import find_batch
from harness.cli.selection import scenarios_of, tiers_of
from harness.cli.wearing import Worn, outfits_of, specialist_options, with_models
from harness.domain.model import ModelSettings
from harness.domain.spec import RunSpec
from harness.errors import UsageError
from harness.plan import Selection
from harness.plan import plan as plan_runs
from harness.report.compared import outlook_document
from harness.report.families import as_one
from harness.report.planned import (
    Design,
    Pilot,
    Step,
    assumptions,
    design_of,
    outlook_of,
    pilot_of,
    steps,
)
from harness.report.power import WANTED, Outlook, advice, reach
from harness.report.words import plural
from harness.settings import Settings

DEFAULT_AGENT, DEFAULT_TIER = "echo", "L1"


@click.command(context_settings={"max_content_width": 100})
@click.argument("suite")
@click.argument("scenario", required=False)
@click.option("--all-scenarios", is_flag=True, help="Every scenario of the suite.")
@click.option(
    "--tier", "tiers", default=DEFAULT_TIER, show_default=True, metavar="T[,T…]",
    help="Prompt tiers: L0 L1 L2 L3 Lx, or 'all'.",
)  # fmt: skip
@click.option(
    "--agent", "agents", multiple=True, metavar="NAME[:ARG]", default=(DEFAULT_AGENT,),
    show_default=True, help="Who works; repeatable.",
)  # fmt: skip
@click.option("--model", metavar="MODEL[@URL]", help="The model behind the agent.")
@specialist_options
@click.option("--with-baseline", is_flag=True, help="Every cell without the specialist too.")
@click.option("--iterations", default=1, show_default=True, help="How often each cell is run.")
@click.option("--power", "wants_power", is_flag=True, help="What a comparison of it could show.")
@click.option(
    "--difference", "wanted", type=float, metavar="X",
    help=f"With --power: the least difference worth telling, of 0..1.  [default: {WANTED}]",
)  # fmt: skip
@click.option(
    "--from", "pilot_batch", metavar="BATCH",
    help="With --power: learn spread and cost of runs from a batch, instead of assuming them.",
)  # fmt: skip
@json_option
@root_option
def plan(  # noqa: PLR0913  # click hands over one argument per option
    *,
    suite: str,
    scenario: str | None,
    all_scenarios: bool,
    tiers: str,
    agents: tuple[str, ...],
    model: str | None,
    worn: Worn,
    with_baseline: bool,
    iterations: int,
    wants_power: bool,
    wanted: float | None,
    pilot_batch: str | None,
    as_json: bool,
    root: Path | None,
) -> int:
    """Show which runs a command would make; with --power, how small a difference they could show.

    Nothing runs, and no engine or key is needed.

    \b
    Examples:
      bench plan bug-fix --all-scenarios --tier L0,L1 --specialist @org/name --with-baseline
      bench plan bug-fix --all-scenarios --iterations 3 --power --difference 0.1
      bench plan bug-fix --all-scenarios --power --from last
    """  # noqa: D301  # click wants its \b
    given = {"--difference": wanted, "--from": pilot_batch}
    if not wants_power and (idle := [name for name, value in given.items() if value is not None]):
        goes = "go" if len(idle) > 1 else "goes"
        raise UsageError(f"{' and '.join(idle)} {goes} with --power, which is missing")
    wanted = WANTED if wanted is None else wanted
    if not 0 < wanted < 1:
        raise UsageError(f"--difference is {wanted:g}; scores go from 0 to 1, so say 0.05 or so")
    settings = settings_for(root)
    loaded = scenarios_of(settings, suite, scenario, everything=all_scenarios)
    # no model is asked for the words: which cells there are does not depend on them
    worn = replace(worn, wearing=replace(worn.wearing, chooser=None))
    outfits = outfits_of(settings, worn)
    named = tuple(roster.agent_ref(agent, model, ModelSettings()) for agent in agents)
    specs = plan_runs(
        Selection(
            scenarios=loaded,
            tiers=tiers_of(tiers, loaded),
            agents=with_models(named, outfits),
            specialists=(None, *outfits) if with_baseline or not outfits else outfits,
            own_tools=worn.own_tools,
            iterations=iterations,
        )
    )
    specs = tuple(roster.identify(spec) for spec in specs)
    design = design_of(specs)
    pilot = _pilot(settings, pilot_batch) if pilot_batch else assumptions(design)
    view = outlook_of(design, pilot.spreads, wanted) if wants_power else None
    if as_json:
        print_json(_document(specs, design, pilot, view))
        return PASSED
    console = output()
    _print_cells(console, specs, pilot)
    if view:
        console.print()
        _print_power(console, design, pilot, view)
    return PASSED


def _pilot(settings: Settings, name: str) -> Pilot:
    store = wiring.open_store(settings)
    batch = find_batch(store, name).id
    return pilot_of(store.outlines(batch), batch)


def _print_cells(console: Console, specs: Sequence[RunSpec], pilot: Pilot) -> None:
    cells = [spec.cell for spec in specs if spec.iteration == 1]
    each = len(specs) // len(cells)
    columns = [("Scenario", ""), ("Tier", ""), ("Agent", ""), ("Runs", "right")]
    rows = [(f"{c.suite}/{c.scenario}", c.tier, who(c), str(each)) for c in cells]
    console.print(table(None, columns, rows))
    cost = ""
    if pilot.cost_usd is not None:
        cost = f", about {money(len(specs) * pilot.cost_usd)}"
    console.print(
        f"\n{plural(len(specs), 'run')}: {plural(len(cells), 'cell')} ×"
        f" {plural(each, 'iteration')}{cost}"
    )


def _print_power(console: Console, design: Design, pilot: Pilot, view: Outlook) -> None:
    known = view.spreads.known
    against = "with the specialist against without it"
    if design.sides == 1:
        against = "all of this against another batch of the same size"
    kept = "assumed" if known.assumed else view.spreads.source
    cells = f"{view.cells_per_scenario:.3g} cell{'s' if view.cells_per_scenario != 1 else ''}"
    size = (
        f"{plural(view.scenarios, 'scenario')} × {cells} ×"
        f" {plural(design.iterations, 'iteration')} a side"
    )
    spread = f"runs {known.within**0.5:.2f}, scenarios {known.between**0.5:.2f}"
    rows = [
        ("Compared", against),
        ("Design", size),
        ("Spread", f"{spread} ({kept})"),
        ("Detectable", reach(view)),
        (f"To tell {view.wanted:g}", _told(view)),
    ]  # fmt: skip
    console.print(table(None, [("", "id"), ("", "")], rows))
    console.print()
    console.print(
        table(None, STEP_COLUMNS, [_step_row(n, s) for n, s in _ways(design, view, pilot)])
    )
    for names in design.namesakes:
        console.print(Text.assemble("\n", ("note:", "yellow"), clean(f" {as_one(names)}")))
    if pilot.is_simulated:
        console.print(
            "\n[yellow]note:[/] simulated agents played in the batch; models vary in other ways"
        )
    if known.assumed:
        console.print(
            "\n[yellow]note:[/] the spreads are assumed; --from BATCH learns them from runs"
        )


STEP_COLUMNS = (
    ("", ""),
    ("Scenarios", "right"),
    ("Iterations", "right"),
    ("Runs, both sides", "right"),
    ("Cost", "right"),
)


def _ways(design: Design, view: Outlook, pilot: Pilot) -> list[tuple[str, Step]]:
    ways = steps(design, view, pilot)
    names = ["planned"]
    names += ["more iterations" if s.iterations > design.iterations else "more scenarios"
              for s in ways[1:]]  # fmt: skip
    return list(zip(names, ways, strict=True))


def _step_row(name: str, step: Step) -> tuple[str, ...]:
    cost = money(step.cost_usd)
    return name, str(step.scenarios), str(step.iterations), f"{step.runs:,}", cost


def _told(view: Outlook) -> str:
    if view.is_enough:
        return f"enough: found in {view.chance:.0%} of such comparisons"
    if view.chance is None:
        return advice(view)
    return f"found in {view.chance:.0%} of such comparisons; {advice(view)}"


def _document(
    specs: Sequence[RunSpec], design: Design, pilot: Pilot, view: Outlook | None
) -> dict[str, Any]:
    cells = [spec.cell for spec in specs if spec.iteration == 1]
    cost = None if pilot.cost_usd is None else len(specs) * pilot.cost_usd
    document: dict[str, Any] = {
        "runs": len(specs),
        "iterations": design.iterations,
        "cost_usd": cost,
        "cells": [
            {
                "suite": cell.suite,
                "scenario": cell.scenario,
                "tier": cell.tier,
                "agent": cell.agent,
                "model": cell.model,
                "specialist": cell.specialist
                and f"{cell.specialist.name}@{cell.specialist.version}",
            }
            for cell in cells
        ],
    }
    if view:
        document["power"] = {
            **outlook_document(view),
            "sides": design.sides,
            "same_fixture": [list(names) for names in design.namesakes],
            "advice": advice(view),
            "ways": [
                {
                    "way": name,
                    "scenarios": step.scenarios,
                    "iterations": step.iterations,
                    "runs": step.runs,
                    "cost_usd": step.cost_usd,
                }
                for name, step in _ways(design, view, pilot)
            ],
        }
    return document
