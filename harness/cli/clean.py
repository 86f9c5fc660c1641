"""`bench clean`: what lies about and can go, and how much room that gives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.text import Text

from harness import upkeep, wiring
from harness.cleaning import Swept, remove, room
from harness.cli.console import clean, messages, output, print_json
from harness.cli.entry import PASSED, WORLD, json_option, root_option, settings_for
from harness.cli.tables import Column, FittedTable
from harness.load.scenarios import load_project
from harness.load.units import seconds
from harness.report.words import plural
from harness.sandbox.stale import Waste

WEEK = "7d"
LEAST = timedelta(hours=1)
"""A run that is under way may need what it found when it began."""


def _age(_context: click.Context, _option: click.Parameter, value: str) -> timedelta:
    try:
        found = timedelta(seconds=seconds(value))
    except (ValueError, KeyError, OverflowError) as error:
        raise click.BadParameter(f"{value!r} is no time: write 7d, 12h or 90m") from error
    if found < LEAST:
        raise click.BadParameter(f"{value!r} is too short: runs under way need an hour, 1h")
    return found


@click.command("clean", context_settings={"max_content_width": 100})
@click.option("--yes", is_flag=True, help="Remove what would else only be listed.")
@click.option(
    "--older-than",
    "age",
    default=WEEK,
    show_default=True,
    metavar="TIME",
    callback=_age,
    help="Only what nobody used for so long: 7d, 12h.",
)
@json_option
@root_option
def clean_up(*, yes: bool, age: timedelta, as_json: bool, root: Path | None) -> int:
    """List what can go and how much room that gives; --yes removes it.

    \b
    - what commands left that are gone: containers, volumes, folders, mounts
    - images of scenarios that no scenario here needs and that no project used for a week
    - steps that image builds left behind
    - volumes and copies of fixtures and agents' programs that this project no longer needs
    - artefacts and trees of runs that were never stored

    Stored runs and all that they refer to stay, and so do base images and what was enriched or
    chosen. An image that another project needs all the same is built again when it is used.

    \b
    Examples:
      bench clean
      bench clean --yes
      bench clean --older-than 30d --json
    """  # noqa: D301  # click wants its \b
    settings = settings_for(root)
    project = load_project(settings.root, wiring.evaluator_kinds())
    cleaner = upkeep.open_cleaner(settings, project)
    found = list(cleaner.find(datetime.now(UTC) - age))
    swept = remove(found) if yes else None
    if as_json:
        print_json(_document(found, swept))
    else:
        _show(found, swept)
    return WORLD if swept and swept.faults else PASSED


def _show(found: Sequence[Waste], swept: Swept | None) -> None:
    console = output()
    if not found:
        console.print("nothing to remove")
        return
    console.print(_table(found))
    if swept is None:
        total = sum(waste.size_bytes for waste in found)
        there = f"{_things(found)}, at least {room(total)}"
        console.print(f"\n{there}: bench clean --yes removes them")
        return
    console.print(f"\nremoved {_things(swept.gone)}, at least {room(swept.size_bytes)}")
    if swept.spared:
        console.print(f"{_things(swept.spared)} turned out to be in use, and stayed")
    for fault in swept.faults:
        messages().print(Text(clean(f"could not remove {fault}")))


def _table(found: Sequence[Waste]) -> FittedTable:
    columns = (
        Column("Kind", whole=True),
        Column("Name"),
        Column("Size", right=True),
        Column("Why"),
    )
    rows = tuple((w.kind, w.name, room(w.size_bytes), w.why) for w in found)
    return FittedTable(columns, rows, lambda text: Text(clean(text)))


def _things(found: Sequence[Waste]) -> str:
    return plural(sum(waste.count for waste in found), "thing")


def _document(found: Sequence[Waste], swept: Swept | None) -> dict[str, object]:
    gone = swept.gone if swept else ()
    return {
        "found": [
            {
                "kind": waste.kind,
                "name": waste.name,
                "count": waste.count,
                "size_bytes": waste.size_bytes,
                "why": waste.why,
                "removed": waste in gone,
            }
            for waste in found
        ],
        "size_bytes": sum(waste.size_bytes for waste in found),
        "freed_bytes": swept.size_bytes if swept else 0,
        "faults": list(swept.faults) if swept else [],
    }
