"""`bench run`, the default command, and how a batch is worked on."""

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
from harness.claims import Claims
from harness.cli.batches import print_batch_document
from harness.cli.console import messages, output, print_run, print_summary
from harness.cli.entry import NOT_PASSED, PASSED, WORLD, json_option, root_option, settings_for
from harness.cli.live import LiveWatch
from harness.cli.models import (
    Asked,
    Shared,
    Source,
    look_at_models,
    look_at_prices,
    model_options,
    named_model,
    purses_of,
    source_of,
)
from harness.cli.pace import STEADY, Pace, pace_options
from harness.cli.selection import scenarios_of, tiers_of
from harness.cli.wearing import (
    Worn,
    outfits_of,
    refuse_confounded,
    refuse_unworn,
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
from harness.domain.record import RunRecord
from harness.domain.spec import RunSpec, Warmup
from harness.errors import BatchStopped, Interrupted, UsageError
from harness.plan import Selection, plan
from harness.report.words import plural
from harness.sandbox.owner import is_alive
from harness.settings import Settings
from harness.store.base import Wanted
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
    help="With --mint-template: where the snapshot goes [the project's snapshots/].",
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
    if mint_output and not mint_template:
        template = worn.refs[0] if len(worn.refs) == 1 else "REF"
        raise UsageError(f"nothing is minted without a template: add --mint-template {template}")
    if mint_template:
        # a snapshot compares: what is minted is worn, and the same runs are made without it
        worn, with_baseline = replace(worn, refs=worn.refs or (mint_template,)), True
    loaded = scenarios_of(settings, suite, scenario, everything=all_scenarios)
    batch = new_batch(batch_id)
    purses = purses_of(settings, batch, asked.shared.budget)
    if worn.refs and worn.wearing.chooser:
        look_at_prices(settings, [worn.wearing.chooser], asked.shared)
    outfits = outfits_of(settings, worn, purses)
    if mint_template:
        refuse_unworn(settings, mint_template, outfits)
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
            grading=_grading(only, skip, judges),
            own_tools=worn.own_tools,
        )
    )
    specs = tuple(roster.identify(spec) for spec in specs)
    refuse_confounded(wiring.open_store(settings).outlines(batch), specs)
    look_at_models(settings, specs, asked.shared)
    refs = remembered_outfits(settings, outfits)
    if not (quiet or as_json):
        say_worn(specs, outfits, asked.model)
    source = source_of(specs, asked.shared, purses)
    with reported(settings, batch, as_json=as_json):
        runs = execute(
            settings, specs, batch, refs=refs, quiet=quiet or as_json, source=source, pace=pace
        )
    code = report(settings, batch, runs, as_json=as_json)
    if mint_template:
        from harness.cli.mint import mint_snapshot  # noqa: PLC0415  # only when asked for

        mint_snapshot(settings, mint_template, (batch,), mint_output, quiet=as_json)
    return code


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
            return work_on(settings, numbered, batch, tools, pace)
        except UsageError:
            tools.store.forget(batch)
            raise


def work_on(
    settings: Settings, specs: Sequence[RunSpec], batch: BatchId, tools: Tools, pace: Pace
) -> list[RunRecord]:
    """Make the runs; says how to go on where it ends before its plan does."""
    jobs, bounds = pace.on_engine(settings, specs)
    claims = Claims(tools.store, batch, tools.owner, tools.now, is_alive)
    try:
        made = list(
            run_batch(specs, batch, tools, jobs, bounds, retries=pace.retries, claims=claims)
        )
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
    if others := claims.elsewhere():
        messages().print(f"{plural(others, 'run')} of the batch: another command makes them now")
    return made


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
        print_batch_document(store, store.batch(batch))
    else:
        console = output()
        if len(runs) == 1:
            print_run(console, runs[0])
        else:
            print_summary(console, store.outlines(batch), batch)
        console.print(f"\nBatch ID: [bold]{batch}[/]\nmore: bench show last, bench batch {batch}")
    # one that was made again is what it was at last
    last = {(run.cell, run.iteration): run for run in runs}.values()
    if any(run.fault for run in last):
        return WORLD
    return PASSED if all(run.passed for run in last) else NOT_PASSED


def _grading(only: str | None, skip: str | None, judges: Sequence[str]) -> Grading:
    return Grading(
        only=_names(only),
        skip=_names(skip),
        judges=tuple(named_model("--judge", judge) for judge in judges),
    )


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
