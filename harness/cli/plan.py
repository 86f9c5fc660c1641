"""`bench plan`: what a run would be, and what it could show, before money is spent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from harness import wiring
from harness.cli.console import clean, money, output, print_json, table
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.forecast import (
    cell_documents,
    forecast_document,
    forecast_of,
    known_runs,
    print_forecast,
    stored_like,
)
from harness.cli.lookup import find_batch
from harness.cli.models import Asked, model_options
from harness.cli.pace import Pace, pace_options
from harness.cli.purses import day_purse, limits_of
from harness.cli.readiness import Gap, engine_of, gaps_of
from harness.cli.reusing import reuse_option
from harness.cli.selection import Picked, cells_of, selection_options
from harness.cli.wearing import Worn, specialist_options, without_chooser
from harness.errors import UsageError
from harness.gateway.budget import Purse
from harness.plan import Conditions
from harness.report.compared import outlook_document
from harness.report.families import as_one
from harness.report.forecast import Forecast
from harness.report.limits import refuse_hopeless
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


@click.command(context_settings={"max_content_width": 100})
@selection_options
@specialist_options
@model_options
@pace_options
@reuse_option
@click.option("--power", "wants_power", is_flag=True, help="What a comparison of it could show.")
@click.option(
    "--difference", "wanted", type=float, metavar="X",
    help=f"With --power: the least difference worth telling, of 0..1.  [default: {WANTED}]",
)  # fmt: skip
@click.option(
    "--from", "pilot_batch", metavar="BATCH",
    help="Learn cost, time and spread from a batch, instead of from the project's newest runs.",
)  # fmt: skip
@json_option
@root_option
def plan(  # noqa: PLR0913  # click hands over one argument per option
    *,
    picked: Picked,
    worn: Worn,
    asked: Asked,
    pace: Pace,
    wants_reuse: bool,
    wants_power: bool,
    wanted: float | None,
    pilot_batch: str | None,
    as_json: bool,
    root: Path | None,
) -> int:
    """Show which runs a command would make, what they would cost and take, and what they miss.

    It takes the options of bench run. What is estimated rests on runs that are stored, and is not
    known where none are. With --power it says how small a difference the runs could show. Nothing
    runs; an engine or a key that is not there is only said to be missing.

    \b
    Examples:
      bench plan bug-fix --all-scenarios --tier L0,L1 --specialist @org/name --with-baseline
      bench plan bug-fix --all-scenarios --iterations 3 --power --difference 0.1
      bench plan bug-fix --all-scenarios --power --from last
      bench plan --matrix matrix.yaml --jobs auto --max-batch-cost 50 --max-batch-time 8h
    """  # noqa: D301  # click wants its \b
    if wanted is not None and not wants_power:
        raise UsageError("--difference goes with --power, which is missing")
    wanted = WANTED if wanted is None else wanted
    if not 0 < wanted < 1:
        raise UsageError(f"--difference is {wanted:g}; scores go from 0 to 1, so say 0.05 or so")
    settings = settings_for(root)
    conditions = Conditions(budget=asked.budget, user=asked.user)
    specs = cells_of(settings, picked, asked, without_chooser(worn), conditions).specs
    engine = engine_of(settings, len(specs))
    jobs = (pace.jobs or 1) if isinstance(engine, Gap) else pace.jobs_on(engine, specs)
    known = known_runs(settings, pilot_batch)
    like = stored_like(settings, asked.shared) if wants_reuse else None
    found = forecast_of(specs, known, asked.shared, jobs, like)
    day = day_purse(settings, asked.shared.of_day)
    limits = limits_of(Purse(asked.shared.budget, day=day), pace.most_s)
    gaps = gaps_of(settings, specs, asked.shared, pace.min_free_bytes)
    gaps = (engine, *gaps) if isinstance(engine, Gap) else gaps
    design = design_of(specs)
    power = _power(settings, design, wanted, pilot_batch) if wants_power else None
    if as_json:
        print_json(
            {**_document(design, found, power), "estimate": forecast_document(found, limits, gaps)}
        )
    else:
        console = output()
        print_forecast(console, settings, found, limits, gaps)
        if power:
            console.print()
            _print_power(console, design, *power)
    refuse_hopeless(found, limits)
    return PASSED


def _power(
    settings: Settings, design: Design, wanted: float, batch: str | None
) -> tuple[Pilot, Outlook]:
    pilot = _pilot(settings, batch) if batch else assumptions(design)
    return pilot, outlook_of(design, pilot.spreads, wanted)


def _pilot(settings: Settings, name: str) -> Pilot:
    store = wiring.open_store(settings)
    batch = find_batch(store, name).id
    return pilot_of(store.outlines(batch), batch)


def _print_power(console: Console, design: Design, pilot: Pilot, view: Outlook) -> None:
    known = view.spreads.known
    against = "with a specialist against without one; of several, each by itself"
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
    design: Design, found: Forecast, power: tuple[Pilot, Outlook] | None
) -> dict[str, Any]:
    cost = found.total("cost_usd")
    document: dict[str, Any] = {
        "runs": found.planned,
        "iterations": design.iterations,
        "cost_usd": None if cost.missing else cost.value,
        "cells": cell_documents(found),
    }
    if power:
        pilot, view = power
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
