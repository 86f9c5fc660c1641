"""`mint verify`: whether a snapshot is as it was minted."""
# ruff: noqa: PLC0415  # `mint --help` answers without loading what verifying takes

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.entry import PASSED, json_option, root_option, settings_for

if TYPE_CHECKING:
    from harness.specialists.verify import Verdict

DOES_NOT_HOLD = 22
MOST = 20
"""Problems of a file that are shown."""


@click.command(
    "verify",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("snapshot")
@click.option("--bundle", is_flag=True, help="Read the stored records in the bundle beside it.")
@click.option(
    "--key", metavar="PUB", help="Require a signature by this public key: a file, or its digits."
)
@json_option
@root_option
def verify(
    *, snapshot: str, bundle: bool, key: str | None, as_json: bool, root: Path | None
) -> int:
    """Compute everything that SNAPSHOT says again from its runs, offline.

    SNAPSHOT is a file, or a snapshot's name as `mint list` shows it. Scores, the chain of runs, the
    comparison, every file's digest and the signature are looked at; the first thing that does not
    hold is named, and the exit code is then 22.
    """
    from harness.cli.console import print_json
    from harness.specialists.catalogue import choose_snapshot
    from harness.specialists.signing import read_public
    from harness.specialists.verify import NEVER
    from harness.specialists.verify import verify as examine

    path, why = choose_snapshot(settings_for(root).root, snapshot)
    found = examine(path, key=read_public(key) if key else None, bundle=bundle)
    if as_json:
        print_json(
            {
                "snapshot": str(found.path),
                "name": found.name,
                "chosen": why or None,
                "ok": found.ok,
                "runs": found.runs,
                "signed_by": found.signer,
                "held": list(found.held),
                "flaw": found.flaw
                and {
                    "place": found.flaw.place,
                    "expected": found.flaw.expected,
                    "found": found.flaw.found,
                    "problems": list(found.flaw.problems),
                },
                "notes": list(found.notes),
                "not_verifiable": list(NEVER),
            }
        )
    else:
        _print(found, why)
    return PASSED if found.ok else DOES_NOT_HOLD


def _print(found: Verdict, why: str) -> None:
    from rich.text import Text

    from harness.cli.console import clean, output
    from harness.cli.places import near
    from harness.specialists.verify import NEVER

    console = output()
    chosen = f", {why}" if why else ""
    console.print(Text(clean(f"{near(found.path)}{chosen}"), "bold"), soft_wrap=True)
    for line in found.held:
        console.print("[green]✓[/]", Text(clean(line)))
    if flaw := found.flaw:
        console.print("[red]✗[/]", Text(clean(flaw.place), "bold"))
        console.print(Text(clean(f"  expected  {flaw.expected}")), soft_wrap=True)
        console.print(Text(clean(f"  found     {flaw.found}")), soft_wrap=True)
        if len(flaw.problems) > 1:
            for problem in flaw.problems[:MOST]:
                console.print(Text(clean(f"    {problem}")), soft_wrap=True)
        if more := len(flaw.problems[MOST:]):
            console.print(f"    and {more:,} more, all of them with --json")
    for note in found.notes:
        console.print(Text(clean(f"note: {note}")))
    if found.ok:
        console.print(Text(f"note: no verification of files shows {'; '.join(NEVER)}"))
    word = "[green]holds[/]" if found.ok else "[red]does not hold[/]"
    console.print(
        f"[bold]{word}[/]",
        Text(clean(f"{found.name}{_whose(found)}")),
        soft_wrap=True,
    )


def _whose(found: Verdict) -> str:
    """What the last line says of who made it: digests alone are anybody's."""
    if not found.ok:
        return ""
    if found.signer:
        return f", signed by {found.signer}"
    return ", not signed: anyone could have made it, digests and all"
