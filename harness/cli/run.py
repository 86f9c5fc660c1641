"""`bench run`, the default command, and how a batch is worked on."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from harness import wiring
from harness.claims import Claims
from harness.cli.console import messages
from harness.cli.desk import Desk
from harness.cli.entry import json_option, root_option, settings_for
from harness.cli.forecast import look_ahead, stored_like
from harness.cli.live import LiveWatch
from harness.cli.models import (
    Asked,
    Shared,
    Source,
    look_at_models,
    look_at_prices,
    model_options,
    named_model,
    source_of,
)
from harness.cli.onlookers import Onlookers
from harness.cli.pace import STEADY, Pace, pace_options
from harness.cli.purses import count_others, further, purses_of
from harness.cli.result import report, reported
from harness.cli.reusing import Like, reuse, reuse_option
from harness.cli.selection import Picked, cells_of, selection_options
from harness.cli.telling import Telling, telling_options, told
from harness.cli.wearing import (
    Worn,
    outfits_of,
    refuse_confounded,
    refuse_unworn,
    remembered_outfits,
    remembered_specialist,
    say_worn,
    specialist_options,
    without_chooser,
)
from harness.crew import run_batch
from harness.domain import ids
from harness.domain.grading import Grading
from harness.domain.ids import BatchId
from harness.domain.record import Cell, RunRecord
from harness.domain.spec import RunSpec, Warmup
from harness.errors import BatchStopped, EnvironmentFault, Interrupted, UsageError
from harness.plan import Conditions
from harness.report.words import plural
from harness.sandbox.owner import is_alive
from harness.settings import Settings
from harness.store.base import Wanted
from harness.tools import Tools, Watch


@click.command(context_settings={"max_content_width": 100})
@selection_options
@specialist_options
@pace_options
@reuse_option
@telling_options
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
    picked: Picked,
    asked: Asked,
    worn: Worn,
    pace: Pace,
    wants_reuse: bool,
    telling: Telling,
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
      bench run --matrix matrix.yaml --jobs auto --max-batch-cost 50
    """  # noqa: D301  # click wants its \b
    settings = settings_for(root)
    _refuse_half(worn, mint_template, mint_output, with_baseline=picked.with_baseline)
    if mint_template:
        worn, picked = _minted(settings, mint_template, worn, picked)
    batch = new_batch(batch_id)
    purses = purses_of(settings, batch, asked.shared.budget, asked.shared.of_day)
    if worn.wearing.chooser and (worn.refs or picked.matrix):
        look_at_prices(settings, [worn.wearing.chooser], asked.shared)
    conditions = Conditions(
        warmup=Warmup.SKIP if skip_warmup else Warmup.RUN,
        budget=asked.budget,
        user=asked.user,
        grading=_grading(only, skip, judges),
    )
    # a matrix says who works, and is looked at before anything is opened
    before = () if picked.matrix else wiring.open_store(settings).outlines(batch)
    cells = cells_of(settings, picked, asked, worn, conditions, purses=purses, before=before)
    specs = cells.specs
    store = wiring.open_store(settings)
    refuse_confounded(before or store.outlines(batch), specs, store.run)
    look_at_models(settings, specs, asked.shared)
    refs = remembered_outfits(settings, cells.outfits)
    if not (quiet or as_json):
        say_worn(specs, cells.outfits, cells.choices)
    source = source_of(specs, asked.shared, purses)
    like = stored_like(settings, asked.shared) if wants_reuse else None
    look_ahead(settings, specs, batch, source, pace, like=like)
    with told(settings, batch, telling) as others, reported(settings, batch, as_json=as_json):
        runs = execute(
            settings,
            specs,
            batch,
            refs=refs,
            quiet=quiet or as_json,
            source=source,
            pace=pace,
            like=like,
            others=others,
        )
    code = report(settings, batch, runs, as_json=as_json)
    if mint_template:
        from harness.cli.mint import mint_snapshot  # noqa: PLC0415  # only when asked for

        mint_snapshot(settings, mint_template, (batch,), mint_output, quiet=as_json)
    return code


def _refuse_half(
    worn: Worn, mint_template: str | None, mint_output: Path | None, *, with_baseline: bool
) -> None:
    """Raise UsageError for a snapshot of nothing, and for the other side of nothing."""
    if mint_output and not mint_template:
        template = worn.refs[0] if len(worn.refs) == 1 else "REF"
        raise UsageError(f"nothing is minted without a template: add --mint-template {template}")
    if with_baseline and not (worn.refs or mint_template):
        raise UsageError("--with-baseline is the other side of a specialist: add --specialist REF")


def _minted(settings: Settings, template: str, worn: Worn, picked: Picked) -> tuple[Worn, Picked]:
    """What a snapshot compares: what is minted is worn, and the same runs are made without it."""
    if picked.matrix:
        raise UsageError(
            f"--mint-template beside --matrix: name {template} and none under 'specialists', and"
            " mint the batch with mint snapshot"
        )
    worn = replace(worn, refs=worn.refs or (template,))
    refuse_unworn(settings, template, outfits_of(settings, without_chooser(worn)))
    return worn, replace(picked, with_baseline=True)


def execute(  # noqa: PLR0913  # each is something that the command was told
    settings: Settings,
    specs: Sequence[RunSpec],
    batch: BatchId,
    *,
    refs: dict[str, str],
    quiet: bool,
    source: Source | None = None,
    pace: Pace = STEADY,
    others: Sequence[Watch] = (),
    like: Like | None = None,
) -> list[RunRecord]:
    """Reserve the runs in the store, then run them; nothing is reserved without an engine.

    With `like`, what another batch has made is not made again.
    """
    source = source or Source()
    with opened(settings, len(specs), source, others, quiet=quiet) as tools:
        counts = Counter(spec.cell for spec in specs)
        wanted = [
            Wanted(spec.cell, counts[spec.cell], spec.digest, _remember(spec, refs, source.shared))
            for spec in specs
            if spec.iteration == 1
        ]
        iterations: dict[Cell, list[int]] = {}
        for reserved in tools.store.plan(batch, wanted, tools.now()):
            iterations.setdefault(reserved.cell, []).append(reserved.iteration)
        numbered = [
            replace(spec, iteration=iterations[spec.cell][spec.iteration - 1]) for spec in specs
        ]
        try:
            claims = Claims(tools.store, batch, tools.owner, tools.now, is_alive)
            reused, rest = reuse(numbered, batch, tools, like, claims) if like else ([], numbered)
            made = work_on(settings, rest, batch, tools, pace, source) if rest else []
        except UsageError:
            tools.store.forget(batch)
            raise
    return [*reused, *made]


def work_on(  # each is something that the command was told
    settings: Settings,
    specs: Sequence[RunSpec],
    batch: BatchId,
    tools: Tools,
    pace: Pace,
    source: Source,
) -> list[RunRecord]:
    """Make the runs; says how to go on where it ends before its plan does."""
    jobs, bounds = pace.on_engine(settings, specs)
    purse = source.purses.get(batch)
    beat = partial(count_others, tools.store, batch, purse) if purse else None
    claims = Claims(tools.store, batch, tools.owner, tools.now, is_alive, beat)
    try:
        with pace.executor(settings, specs, batch, tools, purse) as executor:
            made = list(
                run_batch(
                    specs, batch, tools, jobs, bounds,
                    retries=pace.retries, claims=claims, executor=executor,
                )
            )  # fmt: skip
    except Interrupted as stop:
        raise Interrupted(f"stopped; to run what is missing: bench resume {batch}") from stop
    except BatchStopped as stop:
        missing = plural(len(tools.store.missing(batch)), "run")
        raise BatchStopped(
            f"{stop}\n{missing} of the batch still to be made: {further(batch, str(stop))}"
        ) from stop
    except EnvironmentFault as fault:
        # what cannot even be stored ends the batch; what was stored before it is as it was
        raise BatchStopped(f"{fault}\nto go on after that: bench resume {batch}") from fault
    if others := claims.elsewhere():
        messages().print(f"{plural(others, 'run')} of the batch: another command makes them now")
    return made


@contextmanager
def opened(
    settings: Settings, total: int, source: Source, others: Sequence[Watch] = (), *, quiet: bool
) -> Iterator[Tools]:
    """The tools of this machine, after a sweep of what killed commands left."""
    with LiveWatch(total, quiet=quiet) as live, Desk(settings) as desk:
        watch = Onlookers((live, desk, *others))
        tools = wiring.open_tools(settings, watch, source.purses, source.replay)
        with closing(tools.models):
            reaper = wiring.open_reaper(settings)
            for leftover in reaper.find():
                reaper.remove(leftover)
            yield tools


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
