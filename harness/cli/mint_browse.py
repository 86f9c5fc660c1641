"""`mint list`, `mint promote`, and snapshots in `mint show`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.cli.console import clean, messages, output, print_json, table
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.places import near
from harness.cli.tables import FittedTable
from harness.domain.template import Template
from harness.errors import UsageError
from harness.settings import Settings
from harness.specialists.cards import BAR_HEADS, DASH, Card, bar_row, card_of, deprecation_words
from harness.specialists.catalogue import (
    Choice,
    Entry,
    as_document,
    catalogue,
    choose,
    choose_snapshot,
    promotion_of,
    read_entry,
    snapshot_file,
)
from harness.specialists.catalogue import promote as record
from harness.specialists.verify import verify

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.command("list", context_settings=CONTEXT)
@json_option
@root_option
def list_all(*, as_json: bool, root: Path | None) -> int:
    """The templates and the snapshots of the project.

    Of the snapshots that were measured on the same tasks, and show that their specialist is better,
    the one that improves the most for certain is marked as the best. Whether a signature holds,
    only mint verify tells.
    """
    settings = settings_for(root)
    found = catalogue(settings.root)
    if as_json:
        print_json(
            {
                "templates": [_template_document(each) for each in found.templates],
                "snapshots": [as_document(each) for each in found.entries],
                "unreadable": [
                    {"path": str(path), "reason": reason} for path, reason in found.unreadable
                ],
            }
        )
        return PASSED
    output().print(_template_table(settings.root, found.templates))
    output().print()
    output().print(_snapshot_table(found.entries))
    for path, reason in found.unreadable:
        said = f"warning: left out: {near(path, settings.root)}: {reason}"
        messages().print(_text(said, "yellow"))
    return PASSED


@click.command(context_settings=CONTEXT)
@click.argument("snapshot")
@click.option("--force", is_flag=True, help="Promote what its comparison does not prove.")
@click.option("--reason", metavar="TEXT", help="Why it is promoted all the same; kept.")
@json_option
@root_option
def promote(
    *, snapshot: str, force: bool, reason: str | None, as_json: bool, root: Path | None
) -> int:
    """Make SNAPSHOT the one of its specialist to use.

    It has to hold, and its comparison has to show that the specialist is better. The record goes
    to promoted.json5 in the specialist's folder.
    """
    if force is not bool(reason and reason.strip()):
        raise UsageError("--force and --reason go together: what was not proved needs a reason")
    path, why = choose_snapshot(settings_for(root).root, snapshot)
    found = verify(path)
    if found.flaw:
        raise UsageError(f"{path} does not hold, and is not promoted: {found.flaw}")
    log = record(path, now=datetime.now(UTC), reason=reason)
    promotion = promotion_of(path) or {}
    if as_json:
        print_json({"path": str(path), "record": str(log), **promotion})
        return PASSED
    console = output()
    console.print("[green]✓[/] [bold]Promoted[/]", _text(str(path)), soft_wrap=True)
    forced = f"forced: {promotion['reason']}" if promotion["forced"] else ""
    for line in filter(None, (why, promotion["claim"], forced)):
        console.print(Padding(_text(line), (0, 0, 0, 2)))
    return PASSED


def show_snapshot(settings: Settings, ref: str, *, as_json: bool) -> bool:
    """Print a snapshot's card; False where `ref` is neither a file of one nor its name."""
    is_file = ref.endswith(".json5")
    if is_file and not Path(ref).name.startswith("snapshot-"):
        return False
    root = settings.root
    known = catalogue(root)
    choice = Choice(snapshot_file(root, ref)) if is_file else choose(known.entries, ref)
    if choice is None and "#" not in ref:
        return False
    # no template has a number: what was asked for is not there
    path, why = choice or choose_snapshot(root, ref)
    entry, document = read_entry(known, path)
    if as_json:
        comparison = document["benchmarks"].get("comparison")
        limits = document["snapshot_metadata"]["provenance"]["limits"]
        print_json(
            {
                **as_document(entry),
                "chosen": why or None,
                "comparison": comparison,
                "limits": limits,
                "promotion": promotion_of(path),
            }
        )
        return True
    card, console = card_of(document), output()
    _print_head(console, card, entry, why, near(path, root))
    marks = [("Promoted", "yes")] if entry.promoted else []
    marks += [("Best", "of those measured on the same tasks")] if entry.best else []
    for name, said in (*card.facts, *card.origin, *marks):
        console.print(_text(f"  {name:<20}{said}"), soft_wrap=True)
    if card.overall:
        first, *numbers = BAR_HEADS
        columns = [(first, ""), *((name, "right") for name in numbers)]
        console.print()
        console.print(table(None, columns, [bar_row(bar) for bar in (*card.bars, card.overall)]))
    console.print()
    for limit in card.limits:
        console.print(_text(f"note: {limit}"))
    return True


def _print_head(console: Console, card: Card, entry: Entry, why: str, path: str) -> None:
    """What is shown, whether it should be used at all, and what it claims."""
    console.print(_text(entry.ref, "bold"))
    for line in (card.title if card.title != entry.name else "", path, why):
        if line:
            console.print(_text(line), soft_wrap=line == path)
    if entry.deprecation:
        console.print(_text(f"\n{deprecation_words(entry.deprecation)}", "bold yellow"))
    console.print(_text(f"\n{card.claim}\n", "bold"))


def _template_document(template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "version": template.version,
        "path": str(template.source),
        "deprecated": template.deprecation and asdict(template.deprecation),
    }


def _template_table(root: Path, templates: Sequence[Template]) -> FittedTable | str:
    columns = [("Template", ""), ("Version", "id"), ("File", ""), ("", "")]
    rows = [
        (
            each.name,
            each.version,
            near(each.source, root),
            deprecation_words(each.deprecation) if each.deprecation else "",
        )
        for each in templates
    ]
    return table("Templates", columns, rows) if rows else "no templates yet: mint new NAME"


def _snapshot_table(entries: Sequence[Entry]) -> FittedTable | str:
    columns = [("Snapshot", ""), ("Runs", "right"), ("Scenarios", "right"),
               ("Improvement", ""), ("Claim", ""), ("", "")]  # fmt: skip
    rows = [_row(each) for each in entries]
    return table("Snapshots", columns, rows) if rows else "no snapshots yet: mint snapshot"


def _row(entry: Entry) -> tuple[str, ...]:
    shown = DASH if entry.improvement is None else f"{entry.improvement:+.2f}"
    if entry.interval:
        # without a space: the table may be broken before an interval, not in it
        shown += " [{:+.2f},{:+.2f}]".format(*entry.interval)
    marks = [
        word
        for word, is_so in (
            ("deprecated", entry.deprecation),
            ("promoted", entry.promoted),
            ("best", entry.best),
            ("simulated", entry.simulated),
            ("signed", entry.signed),
        )
        if is_so
    ]
    return (
        entry.ref,
        str(entry.runs),
        str(len(entry.scenarios)),
        shown,
        entry.verdict or DASH,
        ", ".join(marks),
    )


def _text(said: str, style: str = "") -> Text:
    return Text(clean(said), style)
