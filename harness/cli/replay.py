"""`bench replay` and `bench cassette`: stored runs repeated, and recordings to take along."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from harness import roster, wiring
from harness.cli.console import messages, output, print_json, table
from harness.cli.entry import NOT_PASSED, PASSED, json_option, root_option, settings_for
from harness.cli.lookup import find_run
from harness.cli.models import Source
from harness.cli.run import opened
from harness.domain.ids import RunId, new_run_id
from harness.domain.record import RunRecord, TreeRef
from harness.domain.spec import RunSpec, Warmup
from harness.draft import Draft
from harness.errors import UsageError
from harness.gateway import cassette as cassettes
from harness.gateway.matching import Matches, Player
from harness.load.scenarios import load_scenario
from harness.plan import Selection, plan
from harness.report.replays import Point, Side, compare_replay
from harness.run import run_one
from harness.settings import Settings
from harness.store.transcripts import read
from harness.tools import Tools


@click.command()
@click.argument("run")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@root_option
def replay(*, run: str, quiet: bool, as_json: bool, root: Path | None) -> int:
    """Repeat a stored run from its recording: no key, no network, no model.

    Says whether the same tools were called, the same files came out and the same scores. Nothing is
    stored. Exit code 0: identical; 1: something differs.

    \b
    Examples:
      bench replay last
      bench replay run_2026 --json
    """  # noqa: D301  # click wants its \b
    settings = settings_for(root)
    recorded = find_run(wiring.open_store(settings), run)
    recording = _recording(settings, recorded)
    spec = _spec_of(settings, recorded)
    with opened(settings, 1, Source(replay=recording), quiet=quiet or as_json) as tools:
        draft = Draft(
            new_run_id(tools.now(), tools.random()), recorded.batch, spec, tools.now(), tools.watch
        )
        try:
            run_one(draft, tools)
            replayed = draft.record(tools.now())
            points = _points(settings, tools, recorded, replayed)
        finally:
            _forget(settings, draft.id)
    matches = _matches(settings, recording, replayed)
    identical = all(point.same for point in points)
    if as_json:
        print_json(
            {
                "run_id": recorded.id,
                "identical": identical,
                "points": [{**asdict(point), "same": point.same} for point in points],
                "requests": asdict(matches) if matches else None,
            }
        )
    else:
        _show(recorded, points, matches, identical=identical)
    return PASSED if identical else NOT_PASSED


def _recording(settings: Settings, recorded: RunRecord) -> bytes | None:
    """What the models answered; None for an agent that asks none."""
    session = recorded.session
    if session is None or recorded.fault is not None:
        raise UsageError(f"{recorded.id} did not come to an end: there is nothing to repeat")
    if session.recording is None:
        if session.model_use is not None:
            raise UsageError(f"{recorded.id} has no recording of its model's answers")
        return None
    return wiring.open_artifacts(settings).get(session.recording)


def _spec_of(settings: Settings, recorded: RunRecord) -> RunSpec:
    cell = recorded.cell
    scenario = load_scenario(
        settings.root, cell.suite, cell.scenario, kinds=wiring.evaluator_kinds()
    )
    specialist = None
    if cell.specialist:
        specialist = wiring.exact_specialist(settings, cell.specialist, recorded.application)
    agent = roster.agent_ref(cell.agent, cell.model, recorded.settings)
    for warmup in Warmup:
        selection = Selection(
            (scenario,),
            (cell.tier,),
            (agent,),
            (specialist,),
            warmup=warmup,
            budget=recorded.budget,
            user=recorded.user,
            grading=recorded.grading,
        )
        spec = roster.identify(plan(selection)[0])
        if spec.digest == recorded.spec_digest:
            return spec
    raise UsageError(
        f"{recorded.id} cannot be repeated: {scenario.key}, its prompt, its agent or its specialist"
        " is not what it was"
    )


def _points(
    settings: Settings, tools: Tools, recorded: RunRecord, replayed: RunRecord
) -> tuple[Point, ...]:
    sides = [
        Side(run, read(run.session, tools.artifacts) if run.session else ())
        for run in (recorded, replayed)
    ]
    return compare_replay(sides[0], sides[1], _changed_files(settings, recorded, replayed))


def _changed_files(settings: Settings, recorded: RunRecord, replayed: RunRecord) -> int:
    if recorded.tree is None or replayed.tree is None:
        return int(recorded.tree is not replayed.tree)
    between = TreeRef(recorded.tree.commit, replayed.tree.commit, 0, 0, 0)
    return len(wiring.open_ledger(settings).changes(between))


def _forget(settings: Settings, run: RunId) -> None:
    """A replay leaves nothing behind."""
    wiring.open_ledger(settings).drop(run)


def _matches(settings: Settings, recording: bytes | None, replayed: RunRecord) -> Matches | None:
    """How near the replay's requests were to those that were recorded."""
    session = replayed.session
    if recording is None or session is None or session.recording is None:
        return None
    player = Player(cassettes.load(recording))
    for exchange in cassettes.load(wiring.open_artifacts(settings).get(session.recording)):
        player.answer(exchange.path, exchange.request, exchange.method)
    return player.report()


def _show(
    recorded: RunRecord, points: tuple[Point, ...], matches: Matches | None, *, identical: bool
) -> None:
    console = output()
    console.print(f"[bold]Replay of {recorded.id}[/]\n")
    columns = [("", ""), ("Recorded", ""), ("Replayed", ""), ("", "")]
    rows = [
        (p.what, p.recorded, p.replayed, "[green]same[/]" if p.same else "[red]differs[/]")
        for p in points
    ]
    console.print(table(None, columns, rows))
    if matches:
        loose = matches.volatile + matches.results
        console.print(
            f"\nRequests to the model: {matches.exact} equal"
            + (f", {matches.volatile} but for times and ids" if matches.volatile else "")
            + (f", {matches.results} but for what tools printed" if matches.results else "")
            + (f", {matches.unused} never asked" if matches.unused else "")
        )
        if loose and matches.first_difference and matches.results:
            messages().print(matches.first_difference, style="dim", highlight=False, markup=False)
    console.print("\n[green]identical[/]" if identical else "\n[red]not identical[/]")


@click.command()
@click.argument("run")
@click.option(
    "--output",
    "path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; one that is there is not replaced.",
)
@root_option
def cassette(*, run: str, path: Path, root: Path | None) -> int:
    """Write a run's recording to a file: every exchange with its model, without keys.

    A scenario or a test can ship it: bench SUITE SCENARIO --agent A --model M --cassette FILE
    """
    settings = settings_for(root)
    recorded = find_run(wiring.open_store(settings), run)
    session = recorded.session
    if session is None or session.recording is None:
        raise UsageError(f"{recorded.id} asked no model: there is nothing to write")
    recording = wiring.open_artifacts(settings).get(session.recording)
    try:
        with path.open("xb") as file:
            file.write(cassettes.pack(recording))
    except FileExistsError as error:
        raise UsageError(f"{path} exists; name another file") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {len(cassettes.load(recording))} exchanges of {recorded.id} to {path}")
    return PASSED
