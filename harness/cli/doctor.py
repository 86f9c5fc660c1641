"""`bench doctor`: is this machine fit, what is wrong with it, and what to do about it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
from rich.text import Text

from harness import wiring
from harness.cli.console import clean, output, print_json
from harness.cli.desk import sweep as sweep_commands
from harness.cli.entry import PASSED, WORLD, json_option, root_option, settings_for
from harness.errors import SandboxFault
from harness.sandbox.engine import EngineReport, Finding, Level, findings, report, size
from harness.settings import KEYS, Settings

LOW_DISK_BYTES = 5 * 1024**3
SIGNS = {Level.OK: "[green]✓[/]", Level.WARN: "[yellow]![/]", Level.FAIL: "[red]✗[/]"}


@click.command()
@click.option("--clean", "sweep", is_flag=True, help="Remove what interrupted commands left.")
@json_option
@root_option
def doctor(*, sweep: bool, as_json: bool, root: Path | None) -> int:
    """Report engine, cgroups, storage, images, disk, keys present, leftovers, and what to do.

    Keys are named, their values never shown.
    """
    settings = settings_for(root)
    found = [*_engine(settings), _disk(settings), _keys(settings)]
    if sweep:
        sweep_commands(settings.state)
    if not any(f.level is Level.FAIL for f in found):
        found.append(_leftovers(settings, sweep=sweep))
    if as_json:
        print_json(
            {
                "findings": [
                    {
                        "level": f.level.value,
                        "subject": f.subject,
                        "value": f.value,
                        "advice": f.advice,
                    }
                    for f in found
                ]
            }
        )
    else:
        console = output()
        for finding in found:
            line = Text(f"{finding.subject:<16} {clean(finding.value)}")
            console.print(SIGNS[finding.level], line)
            if finding.advice:
                console.print(Text(f"    {clean(finding.advice)}", style="dim"))
    return WORLD if any(f.level is Level.FAIL for f in found) else PASSED


def _engine(settings: Settings) -> list[Finding]:
    try:
        engine = report(wiring.open_engine(settings))
    except SandboxFault as error:
        return [Finding(Level.FAIL, "Docker engine", str(error), "make engine")]
    return [*findings(engine), *prepared(engine)]


def prepared(engine: EngineReport) -> Iterator[Finding]:
    """The images of scenarios, which pile up as scenarios change, and how to be rid of old ones."""
    images = [image for image in engine.images if image.kind == "prepared"]
    if images:
        total = size(sum(image.size_bytes for image in images))
        yield Finding(
            Level.OK,
            "prepared images",
            f"{len(images)}, {total} with the layers that they share",
            "bench clean lists those that can go, and what else",
        )


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.root).free
    low = free < LOW_DISK_BYTES
    place = settings.results if settings.results.exists() else settings.root
    if not os.access(place, os.W_OK):
        return Finding(Level.FAIL, "results disk", f"{place} cannot be written", "see its owner")
    return Finding(
        Level.WARN if low else Level.OK,
        "results disk",
        f"{size(free)} free below {settings.root}",
        "runs that find no room fault; bench clean lists what can go" if low else "",
    )


def _keys(settings: Settings) -> Finding:
    present = [name for name in KEYS if settings.keys.get(name)]
    return Finding(Level.OK, "provider keys", ", ".join(present) or "none set", "")


def _leftovers(settings: Settings, *, sweep: bool) -> Finding:
    reaper = wiring.open_reaper(settings)
    left = list(reaper.find())
    if not left:
        return Finding(Level.OK, "leftovers", "none", "")
    names = ", ".join(f"{item.kind} {Path(item.name).name[:24]}" for item in left)
    if not sweep:
        return Finding(Level.WARN, "leftovers", names, "bench doctor --clean removes them")
    for item in left:
        reaper.remove(item)
    return Finding(Level.OK, "leftovers", f"removed {names}", "")
