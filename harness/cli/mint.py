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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.domain.ids import BatchId
    from harness.report.compare import Comparison
    from harness.settings import Settings
    from harness.specialists.mint import Minted, Proof

COMMANDS = {
    "snapshot": (
        "harness.cli.mint:snapshot",
        "Mint a template and a batch's results into a snapshot.",
    ),
}

EXAMPLES = """
\b
Examples:
  mint snapshot templates/careful-debugger.json5 --batch-id my_batch
  mint snapshot @mintmark/careful-debugger --batch-id baseline --batch-id specialist
  mint snapshot --batch-id my_batch --output elsewhere --json
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
@json_option
@root_option
def snapshot(
    *,
    template: str | None,
    batch_ids: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    root: Path | None,
) -> int:
    """Mint TEMPLATE, a path or @org/name[@version], with the results of its batches.

    Without TEMPLATE it is the specialist that worked in the batch, when there was only one.
    """
    from harness import wiring
    from harness.cli.lookup import find_batch

    settings = settings_for(root)
    store = wiring.open_store(settings)
    minted = _mint(settings, template, [find_batch(store, each).id for each in batch_ids], output)
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
    minted = _mint(settings, template, batches, output)
    if not quiet:
        _print_minted(minted)


def _mint(
    settings: Settings, ref: str | None, batches: Sequence[BatchId], output: Path | None
) -> Minted:
    from datetime import UTC, datetime

    from harness import wiring
    from harness.load.templates import find_template
    from harness.specialists.mint import mint as mint_proof
    from harness.specialists.mint import read_proof

    proof = read_proof(wiring.open_store(settings), batches)
    template = find_template(settings.root, ref or _sole_specialist(proof))
    folder = output or settings.root / "snapshots"
    return mint_proof(template, proof, output=folder, now=datetime.now(UTC))


def _sole_specialist(proof: Proof) -> str:
    from harness.errors import UsageError
    from harness.specialists.mint import candidates

    found = candidates(proof)
    if len(found) == 1:
        return found[0]
    batches = ", ".join(proof.batches)
    if not found:
        raise UsageError(f"no specialist worked in {batches}: there is nothing to mint")
    raise UsageError(f"more than one specialist worked in {batches}: name {' or '.join(found)}")


def _print_document(minted: Minted) -> None:
    from harness.cli.console import print_json
    from harness.specialists.snapshot import comparison_document

    print_json(
        {
            "snapshot_id": f"{minted.number:03d}",
            "path": str(minted.path),
            "name": minted.name,
            "template_version": minted.version,
            "comparison": comparison_document(minted.comparison),
            "limits": list(minted.limits),
        }
    )


def _print_minted(minted: Minted) -> None:
    from rich.text import Text

    from harness.cli.console import output, table

    console = output()
    console.print("[green]✓[/] [bold]Snapshot minted[/]")
    console.print(f"  Snapshot ID       {minted.number:03d}")
    console.print(Text(f"  Output path       {_near(minted.path)}"), soft_wrap=True)
    console.print(f"  Template          {minted.name}")
    console.print(f"  Template version  {minted.version}\n")
    columns = [("Scenario", ""), ("Tier", ""), ("Agent", ""), ("Baseline", "right"),
               ("Specialist", "right"), ("Difference", "right")]  # fmt: skip
    console.print(table(None, columns, _rows(minted.comparison)))
    for each in minted.comparison.unmatched:
        cell = each.group.cell
        console.print(
            Text(
                f"not compared: {cell.suite}/{cell.scenario} {cell.tier} {cell.who}: {each.reason}"
            )
        )
    console.print()
    for position, limit in enumerate(minted.limits):
        is_warning = position == 0 and minted.comparison.simulated > 0
        text = Text(f"warning: {limit}", "yellow") if is_warning else Text(f"note: {limit}")
        console.print(text)


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


def _near(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def main() -> NoReturn:
    """The console script."""
    start(mint)
