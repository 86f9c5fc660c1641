"""The `mint` command."""
# ruff: noqa: PLC0415  # `mint --help` answers without loading what a snapshot takes

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from harness.cli.entry import (
    PASSED,
    LazyGroup,
    json_option,
    root_option,
    settings_for,
    start,
    version_option,
)
from harness.cli.minting import Asked, key_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from harness.domain.ids import BatchId
    from harness.report.compare import Comparison
    from harness.settings import Settings
    from harness.specialists.mint import Minted

COMMANDS = {
    "new": ("harness.cli.mint_templates:new", "Write a small template that is valid."),
    "validate": ("harness.cli.mint_templates:validate", "Check templates: all problems at once."),
    "show": (
        "harness.cli.mint_templates:show",
        "Show a template: what it says, inherits and composes to.",
    ),
    "snapshot": (
        "harness.cli.mint:snapshot",
        "Mint a template and a batch's results into a snapshot.",
    ),
    "verify": ("harness.cli.mint_verify:verify", "Recompute a snapshot and check its signature."),
    "keygen": ("harness.cli.mint_keys:keygen", "Make the key that signs snapshots."),
    "list": ("harness.cli.mint_browse:list_all", "Templates and snapshots of the project."),
    "promote": ("harness.cli.mint_browse:promote", "Make a snapshot the one to use."),
    "enrich": (
        "harness.cli.mint_enrich:enrich_command",
        "Have a model describe a template's documents.",
    ),
    "bump": ("harness.cli.mint_versions:bump", "Raise a template's version, and say why."),
    "changelog": ("harness.cli.mint_versions:changelog", "What each version brought."),
    "deprecate": ("harness.cli.mint_versions:deprecate", "Say what to use in a template's place."),
    "diff": ("harness.cli.mint_versions:diff", "Compare two templates or snapshots."),
}

EXAMPLES = """
\b
Examples:
  mint snapshot templates/careful-debugger.json5 --batch-id my_batch
  mint snapshot @mintmark/careful-debugger --batch-id baseline --batch-id specialist
  mint snapshot --batch-id my_batch --output elsewhere --json
  mint verify snapshots/careful-debugger/1.0.0/snapshot-001.json5
"""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXAMPLES,
)
@version_option
def mint() -> None:
    """Turn a template and what its runs proved into a numbered, versioned snapshot."""


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXAMPLES,
)
@click.argument("template", required=False)
@click.option(
    "--batch-id",
    "batch_ids",
    multiple=True,
    required=True,
    metavar="ID",
    help="A finished batch with runs of the specialist and of the baseline: its id, the beginning"
    " of it, or 'last'; repeatable.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the snapshot goes [the project's snapshots/].",
)
@click.option("--require-comparison", is_flag=True, help="Refuse batches that hold one side only.")
@click.option("--sign", is_flag=True, help="Refuse to mint unsigned; without, a key is optional.")
@key_option
@click.option("--bundle", is_flag=True, help="Pack the stored records and outputs beside it.")
@json_option
@root_option
def snapshot(  # noqa: PLR0913  # click hands over one argument per option
    *,
    template: str | None,
    batch_ids: tuple[str, ...],
    output: Path | None,
    require_comparison: bool,
    sign: bool,
    key_path: Path | None,
    bundle: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Mint TEMPLATE, a path or @org/name[@version], with the results of its batches.

    Without TEMPLATE it is the specialist that worked in the batch, when there was only one. An
    envelope with digests of everything, a Markdown and an HTML card stand beside the snapshot.
    """
    from harness import wiring
    from harness.cli.lookup import find_batch

    settings = settings_for(root)
    store = wiring.open_store(settings)
    batches = [find_batch(store, each).id for each in batch_ids]
    asked = Asked(require_comparison, sign, key_path, bundle)
    minted = _mint(settings, template, batches, output, asked)
    if as_json:
        _print_document(minted)
    else:
        _print_minted(minted)
    return PASSED


def mint_snapshot(
    settings: Settings,
    template: str | None,
    batches: Sequence[BatchId],
    output: Path | None,
    *,
    quiet: bool,
) -> None:
    """Mint, and say so unless `quiet`; what `bench --mint-template` does after its runs."""
    minted = _mint(settings, template, batches, output, Asked())
    if not quiet:
        _print_minted(minted)


def _mint(
    settings: Settings,
    ref: str | None,
    batches: Sequence[BatchId],
    output: Path | None,
    asked: Asked,
) -> Minted:
    from datetime import UTC, datetime

    from harness import wiring
    from harness.cli.minting import template_of, terms_for
    from harness.specialists.mint import mint as mint_proof
    from harness.specialists.mint import read_proof

    proof = read_proof(wiring.open_store(settings), batches)
    template = template_of(settings, ref, proof)
    folder = output or settings.root / "snapshots"
    terms = terms_for(settings, asked, proof)
    return mint_proof(template, proof, output=folder, now=datetime.now(UTC), terms=terms)


def _print_document(minted: Minted) -> None:
    from harness.cli.console import print_json
    from harness.specialists.snapshot import comparison_document

    print_json(
        {
            "snapshot_id": f"{minted.number:03d}",
            "path": str(minted.path),
            "name": minted.name,
            "template_version": minted.version,
            "template_file": str(minted.source),
            "comparison": minted.compared and comparison_document(minted.compared),
            "claim": minted.compared and minted.compared.claim,
            "limits": list(minted.limits),
            "signed_by": minted.signed_by,
            "files": [str(path) for path in minted.files],
        }
    )


def _print_minted(minted: Minted) -> None:
    from rich.text import Text

    from harness.cli.console import clean, output
    from harness.cli.places import near

    console = output()
    console.print("[green]✓[/] [bold]Snapshot minted[/]")
    console.print(f"  Snapshot ID       {minted.number:03d}")
    console.print(Text(f"  Output path       {near(minted.path)}"), soft_wrap=True)
    console.print(f"  Template          {minted.name}")
    console.print(Text(f"  Template file     {near(minted.source)}"), soft_wrap=True)
    console.print(f"  Template version  {minted.version}")
    signed = f"Ed25519 {minted.signed_by[:16]}…" if minted.signed_by else "no"
    console.print(f"  Signed            {signed}\n")
    if minted.compared:
        _print_comparison(console, minted.compared.averages)
        console.print(Text(clean(minted.compared.claim), "bold"))
    for position, limit in enumerate(minted.limits):
        grave = minted.comparison is None or minted.comparison.simulated > 0
        is_warning = position == 0 and grave
        text = Text(f"warning: {limit}", "yellow") if is_warning else Text(f"note: {limit}")
        console.print(text)


def _print_comparison(console: Console, comparison: Comparison) -> None:
    from rich.text import Text

    from harness.cli.console import table

    columns = [("Scenario", ""), ("Tier", ""), ("Agent", ""), ("Baseline", "right"),
               ("Specialist", "right"), ("Difference", "right")]  # fmt: skip
    console.print(table(None, columns, _rows(comparison)))
    for each in comparison.unmatched:
        cell = each.group.cell
        said = f"not compared: {cell.suite}/{cell.scenario} {cell.tier} {cell.who}: {each.reason}"
        console.print(Text(said))
    console.print()


def _rows(comparison: Comparison) -> list[tuple[str, ...]]:
    from harness.cli.console import number, plus_minus

    rows = []
    for pair in comparison.pairs:
        cell, sides = pair.before.cell, (pair.before.scores, pair.after.scores)
        scores = [f"{plus_minus(side)} (n={side.n})" for side in sides]
        model = f"{cell.agent} {cell.model}" if cell.model else cell.agent
        difference = _signed(pair.difference)
        rows.append((f"{cell.suite}/{cell.scenario}", cell.tier, model, *scores, difference))
    overall = comparison.overall
    percent = overall.improvement_pct
    change = _signed(overall.improvement) + ("" if percent is None else f" ({percent:+.1f}%)")
    averages = [
        f"{number(overall.baseline)} (n={overall.baseline_runs})",
        f"{number(overall.specialist)} (n={overall.specialist_runs})",
    ]
    rows.append(("Average", "", "", *averages, change))
    return rows


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def main() -> NoReturn:
    """The console script."""
    start(mint)
