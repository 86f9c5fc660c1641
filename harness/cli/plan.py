"""`bench plan`: what a run would be, and what it could show, before money is spent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from harness import wiring
from harness.cli.console import money, output, print_json, table, who
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.lookup import find_batch
from harness.cli.models import Asked, model_options
from harness.cli.selection import Picked, cells_of, selection_options
from harness.cli.wearing import Worn, specialist_options, without_chooser
from harness.domain.spec import RunSpec
from harness.errors import UsageError
from harness.report.compared import outlook_document
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
from harness.report.power import LEAST_SCENARIOS, WANTED, Outlook, advice
from harness.report.words import plural
from harness.settings import Settings

NONE = "–"


@click.command(context_settings={"max_content_width": 100})
@selection_options
@specialist_options
@model_options
@click.option("--power", "wants_power", is_flag=True, help="What a comparison of it could show.")
@click.option(
    "--difference", "wanted", type=float, default=WANTED, show_default=True, metavar="X",
    help="The least difference of the score that is worth telling, of 0..1.",
)  # fmt: skip
@click.option(
    "--from", "pilot_batch", metavar="BATCH",
    help="Learn the spread and the cost of runs from a batch, instead of assuming them.",
)  # fmt: skip
@json_option
@root_option
def plan(  # noqa: PLR0913  # click hands over one argument per option
    *,
    picked: Picked,
    worn: Worn,
    asked: Asked,
    wants_power: bool,
    wanted: float,
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
    if not 0 < wanted < 1:
        raise UsageError(f"--difference is {wanted:g}; scores go from 0 to 1, so say 0.05 or so")
    settings = settings_for(root)
    specs = cells_of(settings, picked, asked, without_chooser(worn)).specs
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
    return pilot_of(store.runs(batch), batch)


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
        ("Detectable", _detectable(view)),
        (f"To tell {view.wanted:g}", _told(view)),
    ]  # fmt: skip
    console.print(table(None, [("", "id"), ("", "")], rows))
    console.print()
    console.print(
        table(None, STEP_COLUMNS, [_step_row(n, s) for n, s in _ways(design, view, pilot)])
    )
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


def _detectable(view: Outlook) -> str:
    if view.is_too_narrow:
        return f"nothing beyond these scenarios: that takes {LEAST_SCENARIOS} or more"
    return NONE if view.detectable is None else f"{view.detectable:.2f}, four times in five"


def _told(view: Outlook) -> str:
    if view.is_enough:
        return f"enough: found in {view.chance:.0%} of such comparisons"
    if view.is_too_narrow or view.chance is None:
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
