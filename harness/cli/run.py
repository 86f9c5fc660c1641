"""`bench run` (the default command) and `bench resume`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from harness import roster, wiring
from harness.cli.console import output, print_json, print_run, print_summary
from harness.cli.entry import NOT_PASSED, PASSED, WORLD, json_option, root_option, settings_for
from harness.cli.live import LiveWatch
from harness.cli.lookup import find_batch
from harness.cli.models import (
    Asked,
    Shared,
    Source,
    batch_options,
    look_at_models,
    model_options,
    named_model,
    remembered_grading,
    remembered_shared,
    source_of,
)
from harness.cli.pace import STEADY, Pace, pace_options
from harness.cli.selection import scenarios_of, tiers_of
from harness.cli.wearing import (
    Worn,
    outfit_again,
    outfits_of,
    refuse_confounded,
    remembered_outfits,
    remembered_specialist,
    say_worn,
    specialist_options,
    with_models,
)
from harness.crew import run_batch
from harness.domain import ids
from harness.domain.grading import Grading
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelSettings
from harness.domain.record import RunRecord
from harness.domain.spec import RunSpec, Warmup
from harness.errors import BatchStopped, EnvironmentFault, Interrupted, UsageError
from harness.load.scenarios import load_scenario
from harness.plan import Selection, plan
from harness.report.documents import batch_document
from harness.report.words import plural
from harness.settings import Settings
from harness.store.base import Planned, Wanted
from harness.tools import Tools

DEFAULT_AGENT = "echo"
DEFAULT_TIER = "L1"


@click.command(context_settings={"max_content_width": 100})
@click.argument("suite")
@click.argument("scenario", required=False)
@click.option("--all-scenarios", is_flag=True, help="Every scenario of the suite.")
@click.option(
    "--tier",
    "tiers",
    default=DEFAULT_TIER,
    show_default=True,
    metavar="T[,T…]",
    help="Prompt tiers: L0 L1 L2 L3 Lx, or 'all'.",
)
@click.option(
    "--agent",
    "agents",
    multiple=True,
    metavar="NAME[:ARG]",
    default=(DEFAULT_AGENT,),
    show_default=True,
    help="Who works: anthropic:MODEL, openai:MODEL, openrouter:MODEL, claude-code, codex,"
    " command:NAME, echo, oracle[:WRONG], scripted[:SCRIPT]; repeatable.",
)
@specialist_options
@click.option("--with-baseline", is_flag=True, help="Run every cell without the specialist too.")
@click.option("--iterations", default=1, show_default=True, help="How often each cell is run.")
@pace_options
@click.option("--batch-id", metavar="ID", help="Name a batch, or continue one.")
@click.option("--skip-warmup", is_flag=True, help="Do not grade the untouched fixture first.")
@click.option("--only", metavar="CHECK[,…]", help="Make these of the scenario's checks alone.")
@click.option("--skip", metavar="CHECK[,…]", help="Leave these of the scenario's checks out.")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="PROVIDER:MODEL",
    help="Judges in place of those that the rubric names; repeatable.",
)
@model_options
@click.option("--mint-template", metavar="REF", help="Run with and without it, then mint.")
@click.option(
    "--mint-output",
    type=click.Path(path_type=Path),
    help="Where the snapshot goes [snapshots/ of the project].",
)
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@root_option
def run(  # noqa: PLR0913  # click hands over one argument per option
    *,
    suite: str,
    scenario: str | None,
    all_scenarios: bool,
    tiers: str,
    agents: tuple[str, ...],
    asked: Asked,
    worn: Worn,
    with_baseline: bool,
    iterations: int,
    pace: Pace,
    batch_id: str | None,
    skip_warmup: bool,
    only: str | None,
    skip: str | None,
    judges: tuple[str, ...],
    mint_template: str | None,
    mint_output: Path | None,
    quiet: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Run agents on a scenario, grade their work in a fresh sandbox, store the results.

    \b
    Examples:
      bench run bug-fix lost-updates --agent oracle
      bench run bug-fix --all-scenarios --tier all --agent echo
      bench run bug-fix lost-updates --agent claude-code --model claude-sonnet-4-5 --max-cost 1
      bench run bug-fix lost-updates --agent openai:my-model@http://localhost:8000/v1
      bench run bug-fix --all-scenarios --agent oracle --agent echo --iterations 5 --jobs auto
      bench run bug-fix look-alike-names --agent scripted:demo --iterations 3 --batch-id mine
    """  # noqa: D301  # click wants its \b
    settings = settings_for(root)
    if mint_template:
        # a snapshot compares: what is minted is worn, and the same runs are made without it
        worn, with_baseline = replace(worn, refs=worn.refs or (mint_template,)), True
    loaded = scenarios_of(settings, suite, scenario, everything=all_scenarios)
    outfits = outfits_of(settings, worn)
    named = tuple(roster.agent_ref(a, asked.model, asked.settings) for a in agents)
    specs = plan(
        Selection(
            scenarios=loaded,
            tiers=tiers_of(tiers, loaded),
            agents=with_models(named, outfits),
            specialists=(None, *outfits) if with_baseline or not outfits else outfits,
            iterations=iterations,
            warmup=Warmup.SKIP if skip_warmup else Warmup.RUN,
            budget=asked.budget,
            user=asked.user,
            grading=Grading(
                only=_names(only),
                skip=_names(skip),
                judges=tuple(named_model("--judge", judge) for judge in judges),
            ),
            own_tools=worn.own_tools,
        )
    )
    specs = tuple(roster.identify(spec) for spec in specs)
    batch = new_batch(batch_id)
    refuse_confounded(wiring.open_store(settings).runs(batch), specs)
    look_at_models(settings, specs, asked.shared)
    refs = remembered_outfits(settings, outfits)
    if not (quiet or as_json):
        say_worn(specs, outfits, asked.model)
    source = source_of(settings, batch, specs, asked.shared)
    with reported(settings, batch, as_json=as_json):
        runs = execute(
            settings, specs, batch, refs=refs, quiet=quiet or as_json, source=source, pace=pace
        )
    code = report(settings, batch, runs, as_json=as_json)
    if mint_template:
        from harness.cli.mint import mint_snapshot  # noqa: PLC0415  # only when asked for

        mint_snapshot(settings, mint_template, (batch,), mint_output, quiet=as_json)
    return code


@click.command()
@click.argument("batch_id")
@batch_options
@pace_options
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@root_option
def resume(  # click hands over one argument per option
    *, batch_id: str, given: Budget, pace: Pace, quiet: bool, as_json: bool, root: Path | None
) -> int:
    """Run what a batch still misses: planned runs that were interrupted, faulted or lost.

    Its budget, its cassette and its demands on prices are those it was planned with; a limit that
    is given here takes the place of its own. A run whose scenario, prompt, agent or specialist has
    changed since it was planned is refused.
    """
    settings = settings_for(root)
    store = wiring.open_store(settings)
    batch = find_batch(store, batch_id).id
    missing = store.missing(batch)
    if not missing and not as_json:
        output().print(f"nothing is missing in batch {batch}")
        return PASSED
    groups = _by_source([(_replan(settings, planned), planned) for planned in missing], given)
    for shared, specs in groups:
        look_at_models(settings, specs, shared)
    # before any of them runs, each has what it plays
    sources = [(source_of(settings, batch, specs, shared), specs) for shared, specs in groups]
    runs: list[RunRecord] = []
    for source, specs in sources:
        with (
            reported(settings, batch, as_json=as_json),
            opened(settings, len(specs), source, quiet=quiet or as_json) as tools,
        ):
            runs += _run(settings, specs, batch, tools, pace)
    return report(settings, batch, runs, as_json=as_json)


def _by_source(
    missing: Sequence[tuple[RunSpec, Planned]], given: Budget
) -> list[tuple[Shared, list[RunSpec]]]:
    """The runs that play one cassette, or none, and what they were planned with."""
    groups: dict[tuple[Path | None, str | None], list[RunSpec]] = {}
    shares = [remembered_shared(json.loads(planned.settings)) for _, planned in missing]
    for (spec, _), shared in zip(missing, shares, strict=True):
        groups.setdefault((shared.cassette, shared.cassette_digest), []).append(spec)
    budget = Budget(
        usd=given.usd or min((s.budget.usd for s in shares if s.budget.usd), default=None),
        tokens=given.tokens
        or min((s.budget.tokens for s in shares if s.budget.tokens), default=None),
    )
    strict = any(shared.strict_prices for shared in shares)
    return [
        (Shared(budget, strict, path, digest), specs) for (path, digest), specs in groups.items()
    ]


def execute(  # noqa: PLR0913  # each is something that the command was told
    settings: Settings,
    specs: Sequence[RunSpec],
    batch: BatchId,
    *,
    refs: dict[str, str],
    quiet: bool,
    source: Source | None = None,
    pace: Pace = STEADY,
) -> list[RunRecord]:
    """Reserve the runs in the store, then run them; nothing is reserved without an engine."""
    with opened(settings, len(specs), source or Source(), quiet=quiet) as tools:
        cells = [spec for spec in specs if spec.iteration == 1]
        count = len(specs) // len(cells)
        shared = source.shared if source else Shared()
        wanted = [Wanted(c.cell, count, c.digest, _remember(c, refs, shared)) for c in cells]
        planned = tools.store.plan(batch, wanted, tools.now())
        numbered = [
            replace(cells[i], iteration=planned[i * count + n].iteration)
            for n in range(count)
            for i in range(len(cells))
        ]
        try:
            return _run(settings, numbered, batch, tools, pace)
        except UsageError:
            tools.store.forget(batch)
            raise


def _run(
    settings: Settings, specs: Sequence[RunSpec], batch: BatchId, tools: Tools, pace: Pace
) -> list[RunRecord]:
    jobs, bounds = pace.on_engine(settings, specs)
    try:
        return list(run_batch(specs, batch, tools, jobs, bounds))
    except Interrupted as stop:
        raise Interrupted(f"stopped; to run what is missing: bench resume {batch}") from stop
    except BatchStopped as stop:
        missing = plural(len(tools.store.missing(batch)), "run")
        larger = ""
        if "budget is spent" in str(stop):
            larger = " --max-batch-tokens N" if "tokens" in str(stop) else " --max-batch-cost USD"
        raise BatchStopped(
            f"{stop}\n{missing} of the batch still to be made: bench resume {batch}{larger}"
        ) from stop
    except EnvironmentFault as fault:
        # what cannot even be stored ends the batch; what was stored before it is as it was
        raise BatchStopped(f"{fault}\nto go on after that: bench resume {batch}") from fault


@contextmanager
def reported(settings: Settings, batch: BatchId, *, as_json: bool) -> Iterator[None]:
    """A batch that stops before its plan does still shows what ran."""
    try:
        yield
    except BatchStopped:
        report(settings, batch, wiring.open_store(settings).runs(batch), as_json=as_json)
        raise


@contextmanager
def opened(settings: Settings, total: int, source: Source, *, quiet: bool) -> Iterator[Tools]:
    """The tools of this machine, after a sweep of what killed commands left."""
    with LiveWatch(total, quiet=quiet) as watch:
        tools = wiring.open_tools(settings, watch, source.purses, source.replay)
        with closing(tools.models):
            reaper = wiring.open_reaper(settings)
            for leftover in reaper.find():
                reaper.remove(leftover)
            yield tools


def report(settings: Settings, batch: BatchId, runs: Sequence[RunRecord], *, as_json: bool) -> int:
    """Show what ran; the exit code says whether all of it passed."""
    store = wiring.open_store(settings)
    if as_json:
        print_json(batch_document(store.batch(batch), store.runs(batch), store.reviews()))
    else:
        console = output()
        if len(runs) == 1:
            print_run(console, runs[0])
        else:
            print_summary(console, store.runs(batch), batch)
        console.print(f"\nBatch ID: [bold]{batch}[/]\nmore: bench show last, bench batch {batch}")
    if any(run.fault for run in runs):
        return WORLD
    return PASSED if all(run.passed for run in runs) else NOT_PASSED


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def new_batch(text: str | None) -> BatchId:
    """The batch a user names, or a new one."""
    if text is None:
        return ids.new_batch_id(datetime.now(UTC), secrets.token_hex(3))
    return ids.batch_id(text)


def _remember(spec: RunSpec, refs: dict[str, str], shared: Shared) -> str:
    """What a resumed command needs beyond the cell."""
    return json.dumps(
        {
            **remembered_specialist(spec, refs),
            "warmup": spec.warmup,
            "settings": asdict(spec.agent.settings),
            "budget": asdict(spec.budget),
            "user": asdict(spec.user) if spec.user else None,
            "grading": asdict(spec.grading),
            **shared.remembered(),
        }
    )


def _replan(settings: Settings, planned: Planned) -> RunSpec:
    cell, remembered = planned.cell, json.loads(planned.settings)
    scenario = load_scenario(
        settings.root, cell.suite, cell.scenario, kinds=wiring.evaluator_kinds()
    )
    selection = Selection(
        (scenario,),
        (cell.tier,),
        (roster.agent_ref(cell.agent, cell.model, ModelSettings(**remembered["settings"])),),
        (outfit_again(settings, remembered),),
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
