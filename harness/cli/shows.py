"""`bench list`, `show`, `checkout`: views of what is there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click
from rich.text import Text

from harness import wiring
from harness.cli.console import (
    clean,
    messages,
    output,
    print_json,
    print_run,
    table,
)
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.lookup import find_run
from harness.cli.transcript import print_transcript
from harness.cli.wearing import PROMPT_OUTPUT, print_application
from harness.domain.record import RunRecord
from harness.domain.scenario import Scenario
from harness.domain.session import Entry
from harness.errors import UsageError, nearest
from harness.load.scenarios import find_scenarios, find_suites, load_scenario
from harness.report.documents import (
    run_document,
    transcript_document,
)
from harness.report.words import plural
from harness.settings import Settings
from harness.store.transcripts import read


@click.command("list")
@click.argument("suite", required=False)
@json_option
@root_option
def list_scenarios(*, suite: str | None, as_json: bool, root: Path | None) -> int:
    """List suites, their scenarios and the tiers that have a prompt."""
    settings = settings_for(root)
    suites = [suite] if suite else find_suites(settings.root)
    if not suites:
        raise UsageError(f"no suites below {settings.root}; bench new suite NAME, or --root DIR")
    loaded = [
        (s, name, _loaded(settings, s, name))
        for s in suites
        for name in find_scenarios(settings.root, s)
    ]
    if as_json:
        print_json({"scenarios": [_scenario_document(*row) for row in loaded]})
        return PASSED
    columns = [("Suite", ""), ("Scenario", ""), ("Tiers", ""), ("Title", "")]
    lines = [
        (s, name, " ".join(found.tiers), found.title)
        if found
        else (s, name, "", f"[red]not valid: bench validate {s} {name}[/]")
        for s, name, found in loaded
    ]
    output().print(table(None, columns, lines))
    return PASSED


def _loaded(settings: Settings, suite: str, name: str) -> Scenario | None:
    try:
        return load_scenario(settings.root, suite, name, kinds=wiring.evaluator_kinds())
    except UsageError:
        return None


def _scenario_document(suite: str, name: str, found: Scenario | None) -> dict[str, object]:
    if found is None:
        return {"suite": suite, "scenario": name, "valid": False}
    return {
        "suite": suite,
        "scenario": name,
        "valid": True,
        "title": found.title,
        "description": found.description,
        "tiers": list(found.tiers),
        "threshold": found.threshold,
        "checks": [{"name": c.name, "kind": c.kind, "weight": c.weight} for c in found.checks],
        "tags": list(found.tags),
        "difficulty": found.difficulty,
    }


@click.command()
@click.argument("run")
@click.option(
    "--diff", "show_diff", is_flag=True, help="The changes as a unified diff, nothing else."
)
@click.option("--transcript", "show_transcript", is_flag=True, help="What was said and called.")
@click.option("--full", is_flag=True, help="With --transcript: long texts uncut.")
@click.option("--tests", is_flag=True, help="Every test with its verdict.")
@click.option(
    "--output", "output_of", metavar="NAME", help="The kept output of a command or check."
)
@click.option(
    "--otel", metavar="TARGET",
    help="Export as OpenTelemetry spans to a file, a collector's URL, '-' (standard output) or"
    " 'env' ($OTEL_EXPORTER_OTLP_ENDPOINT).",
)  # fmt: skip
@json_option
@root_option
def show(  # noqa: PLR0913  # click hands over one argument per option
    *,
    run: str,
    show_diff: bool,
    show_transcript: bool,
    full: bool,
    tests: bool,
    output_of: str | None,
    otel: str | None,
    as_json: bool,
    root: Path | None,
) -> int:
    """Show one run; RUN is its id or the beginning of it, or 'last'.

    \b
    Examples:
      bench show last
      bench show run_2026 --diff
      bench show last --output test
      bench show last --transcript --full
    """  # noqa: D301  # click wants its \b
    _one_of(
        {
            "--diff": show_diff,
            "--transcript": show_transcript,
            "--tests": tests,
            "--output": output_of is not None,
            "--otel": otel is not None,
        }
    )
    if full and not show_transcript:
        raise UsageError("--full goes with --transcript")
    if otel == "-" and as_json:
        raise UsageError("--otel - writes JSON lines already; leave --json out")
    settings = settings_for(root)
    store = wiring.open_store(settings)
    record = find_run(store, run)
    if show_diff:
        _print_diff(settings, record, as_json=as_json)
    elif show_transcript:
        _print_transcript(settings, record, full=full, as_json=as_json)
    elif output_of is not None:
        text = _kept(settings, record, output_of)
        if as_json:
            print_json({"run_id": record.id, "output": output_of, "text": text})
        else:
            click.echo(clean(text) or "(it printed nothing)")
    elif otel is not None:
        _export(settings, record, otel, as_json=as_json)
    elif as_json:
        print_json(run_document(record, store.reviews(record.id)))
    else:
        print_run(output(), record, tests=tests, reviews=store.reviews(record.id))
        print_application(record)
    return PASSED


def _one_of(views: Mapping[str, bool]) -> None:
    given = [name for name, is_given in views.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other; give one of them")


def _print_diff(settings: Settings, record: RunRecord, *, as_json: bool) -> None:
    if record.tree is None:
        raise UsageError(
            f"{record.id} has no tree: it ended in stage {record.fault and record.fault.stage}"
        )
    text = wiring.open_ledger(settings).diff(record.tree).decode("utf-8", "backslashreplace")
    if as_json:
        print_json({"run_id": record.id, "diff": text})
        return
    colours = {"+": "green", "-": "red", "@": "cyan"}
    console = output()
    for line in text.splitlines():
        if sys.stdout.isatty():
            console.print(Text(clean(line), style=colours.get(line[:1], "")), soft_wrap=True)
        else:
            click.echo(clean(line))


def _kept(settings: Settings, record: RunRecord, name: str) -> str:
    kept = {c.name: c.output for c in record.commands if c.output}
    for check in record.checks:
        # the first by the check's name, each of several by its own
        kept |= dict(zip([check.name], check.artifacts, strict=False))
        kept |= {a.name: a for a in check.artifacts if len(check.artifacts) > 1 or check.crashed}
    if record.application and record.application.prompt:
        kept[PROMPT_OUTPUT] = record.application.prompt
    if name not in kept:
        raise UsageError(f"{record.id} kept no output called {name!r}; {nearest(name, kept)}")
    return wiring.open_artifacts(settings).get(kept[name]).decode("utf-8", "replace")


def _print_transcript(settings: Settings, record: RunRecord, *, full: bool, as_json: bool) -> None:
    entries = _entries(settings, record)
    if as_json:
        print_json({"run_id": record.id, "transcript": transcript_document(entries)})
    else:
        print_transcript(output(), record, entries, full=full)


def _entries(settings: Settings, record: RunRecord) -> tuple[Entry, ...]:
    return read(record.session, wiring.open_artifacts(settings)) if record.session else ()


def _export(settings: Settings, record: RunRecord, target: str, *, as_json: bool) -> None:
    from harness.cli.export import export  # noqa: PLC0415  # an extra, loaded when asked for

    sent = export(record, _entries(settings, record), target)
    if as_json:
        print_json({"run_id": record.id, "spans": sent, "target": target})
    else:
        messages().print(Text(clean(f"{plural(sent, 'span')} of {record.id} to {target}")))


@click.command()
@click.argument("run")
@click.argument("folder", type=click.Path(path_type=Path))
@root_option
def checkout(*, run: str, folder: Path, root: Path | None) -> int:
    """Write a run's final files into FOLDER, which must be new or empty.

    The files were written by an agent: look before you execute any of them.
    """
    settings = settings_for(root)
    record = find_run(wiring.open_store(settings), run)
    if record.tree is None:
        raise UsageError(f"{record.id} has no tree to check out")
    skipped = wiring.open_ledger(settings).checkout(record.tree, folder)
    click.echo(f"wrote the final tree of {record.id} to {folder}")
    for path in skipped:
        click.echo(f"left out {clean(str(path))}: a link that leaves the folder")
    return PASSED
