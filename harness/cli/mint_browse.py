"""`mint list`, `mint promote`, and snapshots in `mint show`."""
# ruff: noqa: PLC0415  # `mint --help` answers without loading what a snapshot takes

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.entry import PASSED, json_option, root_option, settings_for

if TYPE_CHECKING:
    from harness.settings import Settings
    from harness.specialists.catalogue import Entry

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.command("list", context_settings=CONTEXT)
@json_option
@root_option
def list_all(*, as_json: bool, root: Path | None) -> int:
    """The templates and the snapshots of the project.

    Of the snapshots that were measured on the same scenarios, one is marked as the best: what is
    proved comes before what is not, then what is certain at least. Whether a signature holds, only
    mint verify tells.
    """
    from harness.cli.console import messages, output, print_json, table
    from harness.specialists.catalogue import as_document, catalogue

    settings = settings_for(root)
    found, templates = catalogue(settings.root), _templates(settings)
    if as_json:
        print_json(
            {
                "templates": templates,
                "snapshots": [as_document(each) for each in found.entries],
                "unreadable": [str(path) for path in found.unreadable],
            }
        )
        return PASSED
    console = output()
    columns = [("Template", "id"), ("Version", ""), ("File", "")]
    named = [(t["name"], t["version"], _near(settings.root, Path(t["path"]))) for t in templates]
    empty = "no templates yet: mint new NAME"
    console.print(table("Templates", columns, named) if named else empty)
    console.print()
    columns = [("Snapshot", "id"), ("Runs", "right"), ("Scenarios", "right"),
               ("Improvement", "right"), ("Signed", ""), ("", "")]  # fmt: skip
    rows = [_row(each) for each in found.entries]
    console.print(table("Snapshots", columns, rows) if rows else "no snapshots yet: mint snapshot")
    for path in found.unreadable:
        messages().print(f"warning: {path} cannot be read", markup=False)
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
    from datetime import UTC, datetime

    from harness.cli.console import output, print_json
    from harness.errors import UsageError
    from harness.specialists.catalogue import find_snapshot, promotion_of
    from harness.specialists.catalogue import promote as record
    from harness.specialists.verify import verify

    if force is not bool(reason and reason.strip()):
        raise UsageError("--force and --reason go together: what was not proved needs a reason")
    path = find_snapshot(settings_for(root).root, snapshot)
    found = verify(path)
    if found.flaw:
        raise UsageError(f"{path} does not hold, and is not promoted: {found.flaw}")
    log = record(path, now=datetime.now(UTC), reason=reason)
    promotion = promotion_of(path) or {}
    if as_json:
        print_json({"path": str(path), "record": str(log), **promotion})
        return PASSED
    console = output()
    console.print("[green]✓[/] [bold]Promoted[/]", str(path), soft_wrap=True)
    console.print(f"  {promotion['claim']}", markup=False, soft_wrap=True)
    if promotion["forced"]:
        console.print(f"  forced: {promotion['reason']}", markup=False, soft_wrap=True)
    return PASSED


def names_snapshot(settings: Settings, ref: str) -> bool:
    """Whether `mint show` is asked for a snapshot: a file of one, or a name that has one."""
    from harness.specialists.catalogue import matching

    if ref.endswith(".json5"):
        return Path(ref).name.startswith("snapshot-")
    return bool(matching(settings.root, ref))


def show_snapshot(settings: Settings, ref: str, *, as_json: bool) -> int:
    """Print a snapshot's card; of a name, the newest one's."""
    from rich.text import Text

    from harness.cli.console import clean, output, print_json, table
    from harness.specialists.cards import card_of
    from harness.specialists.catalogue import (
        as_document,
        find_snapshot,
        promotion_of,
        read_entry,
    )

    path = find_snapshot(settings.root, ref)
    entry, document = read_entry(settings.root, path)
    if as_json:
        comparison = document["benchmarks"].get("comparison")
        limits = document["snapshot_metadata"]["provenance"]["limits"]
        print_json(
            {
                **as_document(entry),
                "comparison": comparison,
                "limits": limits,
                "promotion": promotion_of(path),
            }
        )
        return PASSED
    card, console = card_of(document), output()
    console.print(Text(clean(card.title), "bold"), Text(clean(entry.ref)))
    console.print(Text(clean(_near(settings.root, path))), soft_wrap=True)
    console.print(Text(clean(f"\n{card.claim}\n"), "bold"))
    marks = [("Promoted", "yes")] if entry.promoted else []
    marks += [("Best", "of those measured on the same scenarios")] if entry.best else []
    for name, said in (*card.facts, *card.origin, *marks):
        console.print(Text(clean(f"  {name:<20}{said}")), soft_wrap=True)
    if card.overall:
        columns = [("Compared", ""), ("Baseline", "right"), ("Specialist", "right"),
                   ("Difference", "right")]  # fmt: skip
        rows = [
            (bar.label, f"{bar.baseline:.2f}", f"{bar.specialist:.2f}", f"{bar.difference:+.2f}")
            for bar in (*card.bars, card.overall)
        ]
        console.print()
        console.print(table(None, columns, rows))
    console.print()
    for limit in card.limits:
        console.print(Text(clean(f"note: {limit}")))
    return PASSED


def _templates(settings: Settings) -> list[dict[str, Any]]:
    from harness.errors import BadFile
    from harness.load.templates import SUFFIXES, TEMPLATES, read_document

    found = []
    for path in sorted((settings.root / TEMPLATES).rglob("*")):
        if path.suffix not in SUFFIXES or not path.is_file():
            continue
        try:
            raw: Any = read_document(path).value
        except BadFile:
            raw = None
        if isinstance(raw, dict):
            name, version = str(raw.get("name", "–")), str(raw.get("version", "–"))
            found.append({"name": name, "version": version, "path": str(path)})
    return found


def _row(entry: Entry) -> tuple[str, ...]:
    from harness.specialists.cards import DASH

    shown = DASH if entry.improvement is None else f"{entry.improvement:+.2f}"
    if entry.interval:
        shown += " [{:+.2f}, {:+.2f}]".format(*entry.interval)
    marks = [
        word
        for word, is_so in (
            ("promoted", entry.promoted),
            ("best", entry.best),
            ("simulated", entry.simulated),
        )
        if is_so
    ]
    return (
        entry.ref,
        str(entry.runs),
        str(len(entry.scenarios)),
        shown,
        "yes" if entry.signed else "no",
        ", ".join(marks),
    )


def _near(root: Path, path: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
