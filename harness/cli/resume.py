"""`bench resume`: what a batch still misses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.text import Text

from harness import roster, wiring
from harness.cli.console import clean, messages, output
from harness.cli.entry import PASSED, WORLD, json_option, root_option, settings_for
from harness.cli.forecast import look_ahead
from harness.cli.lookup import find_batch
from harness.cli.models import (
    Shared,
    batch_options,
    look_at_models,
    remembered_grading,
    remembered_shared,
    source_of,
)
from harness.cli.pace import Pace, pace_options
from harness.cli.purses import purses_of
from harness.cli.result import report, reported
from harness.cli.run import opened, work_on
from harness.cli.telling import Telling, telling_options, told
from harness.cli.wearing import outfit_again
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelSettings
from harness.domain.record import RunRecord
from harness.domain.scenario import Scenario
from harness.domain.spec import RunSpec, Warmup
from harness.errors import UsageError
from harness.gateway.budget import Purse
from harness.load.scenarios import load_scenario
from harness.plan import Selection, plan
from harness.report.words import plural
from harness.settings import Settings
from harness.store.base import Planned

MAX_FAULTS = 3
FEW = 5


@click.command()
@click.argument("batch_id")
@batch_options
@pace_options
@telling_options
@click.option(
    "--max-faults",
    type=click.IntRange(min=1),
    default=MAX_FAULTS,
    show_default=True,
    metavar="N",
    help="Leave a run alone that the world spoiled so often.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@root_option
def resume(  # noqa: PLR0913  # click hands over one argument per option
    *,
    batch_id: str,
    given: Shared,
    pace: Pace,
    telling: Telling,
    max_faults: int,
    quiet: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Run what a batch still misses: planned runs that were interrupted, faulted or lost.

    Its budget, its cassette and its demands on prices are those it was planned with; a limit that
    is given here takes the place of its own. A run whose scenario, prompt, agent or specialist has
    changed since it was planned is refused.
    """
    settings = settings_for(root)
    store = wiring.open_store(settings)
    batch = find_batch(store, batch_id).id
    everything = store.missing(batch)
    # as they were planned: iteration by iteration
    missing = sorted(
        (planned for planned in everything if planned.faults < max_faults),
        key=lambda planned: planned.iteration,
    )
    if not everything and not as_json:
        with told(settings, batch, telling):
            output().print(f"nothing is missing in batch {batch}")
        return PASSED
    if len(missing) < len(everything):
        _say_left_alone([each for each in everything if each.faults >= max_faults])
    shares = [remembered_shared(json.loads(planned.settings)) for planned in missing]
    limits = Shared(
        _budget([share.budget for share in shares], given.budget),
        day=_budget([share.day for share in shares], given.day),
    )
    is_asked = any(share.cassette is None for share in shares)
    purses = purses_of(settings, batch, limits.budget, limits.day if is_asked else Budget())
    specs = _replanned(settings, missing, purses)
    groups = _by_source(specs, shares, limits)
    for shared, alike in groups:
        look_at_models(settings, alike, shared)
    # before any of them runs, each has what it plays
    sources = [(source_of(alike, shared, purses), alike) for shared, alike in groups]
    for source, alike in sources:
        look_ahead(settings, alike, batch, source, pace)
    runs: list[RunRecord] = []
    with told(settings, batch, telling) as others:
        for source, alike in sources:
            with (
                reported(settings, batch, as_json=as_json),
                opened(settings, len(alike), source, others, quiet=quiet or as_json) as tools,
            ):
                runs += work_on(settings, alike, batch, tools, pace, source)
    code = report(settings, batch, runs, as_json=as_json)
    return code if len(missing) == len(everything) else WORLD


def _say_left_alone(spoiled: Sequence[Planned]) -> None:
    """Runs that fault again and again, and how to try them all the same."""
    least = max(planned.faults for planned in spoiled) + 1
    console = messages()
    console.print(
        f"[yellow]note:[/] {plural(len(spoiled), 'run')} left alone that faulted again and again;"
        f" to try once more: --max-faults {least}"
    )
    for planned in spoiled[:FEW]:
        cell = planned.cell
        name = f"{cell.suite}/{cell.scenario} {cell.tier} {cell.who} #{planned.iteration}"
        console.print(Text(clean(f"      {name}: {plural(planned.faults, 'fault')}")))
    if len(spoiled) > FEW:
        console.print(f"      and {len(spoiled) - FEW} more")


def _budget(planned: Sequence[Budget], given: Budget) -> Budget:
    """What may be used: as it is asked now, else the least that runs were planned with."""
    return Budget(
        usd=given.usd or min((each.usd for each in planned if each.usd), default=None),
        tokens=given.tokens or min((each.tokens for each in planned if each.tokens), default=None),
    )


def _by_source(
    specs: Sequence[RunSpec], shares: Sequence[Shared], limits: Shared
) -> list[tuple[Shared, list[RunSpec]]]:
    """The runs that play one cassette, or none, and what they were planned with."""
    groups: dict[tuple[Path | None, str | None], list[RunSpec]] = {}
    for spec, shared in zip(specs, shares, strict=True):
        groups.setdefault((shared.cassette, shared.cassette_digest), []).append(spec)
    strict = any(shared.strict_prices for shared in shares)
    return [
        (replace(limits, strict_prices=strict, cassette=path, cassette_digest=digest), alike)
        for (path, digest), alike in groups.items()
    ]


def _replanned(
    settings: Settings, missing: Sequence[Planned], purses: Mapping[BatchId, Purse]
) -> list[RunSpec]:
    """Each scenario is read once, however many of its runs are missing."""
    kinds = wiring.evaluator_kinds()
    names = dict.fromkeys((each.cell.suite, each.cell.scenario) for each in missing)
    loaded = {name: load_scenario(settings.root, *name, kinds=kinds) for name in names}
    return [
        _replan(settings, loaded[each.cell.suite, each.cell.scenario], each, purses)
        for each in missing
    ]


def _replan(
    settings: Settings, scenario: Scenario, planned: Planned, purses: Mapping[BatchId, Purse]
) -> RunSpec:
    cell, remembered = planned.cell, json.loads(planned.settings)
    selection = Selection(
        (scenario,),
        (cell.tier,),
        (roster.agent_ref(cell.agent, cell.model, ModelSettings(**remembered["settings"])),),
        (outfit_again(settings, remembered, purses),),
        warmup=Warmup(remembered["warmup"]),
        budget=Budget(**remembered["budget"]),
        user=ModelRef(**remembered["user"]) if remembered["user"] else None,
        grading=remembered_grading(remembered.get("grading", {})),
    )
    spec = replace(roster.identify(plan(selection)[0]), iteration=planned.iteration)
    if spec.digest != planned.spec_digest:
        raise UsageError(
            f"{scenario.key} {cell.tier} {cell.who} is not what it was when the batch was planned:"
            " its files have changed; run it in a new batch"
        )
    return spec
