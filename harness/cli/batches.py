"""`bench batches` and `batch`: what ran together, in numbers, and run by run."""

from __future__ import annotations

from pathlib import Path

import click

from harness import wiring
from harness.cli.console import (
    SIMULATED,
    number,
    output,
    partly,
    print_json,
    print_json_list,
    print_long,
    print_summary,
    table,
    who,
    word,
)
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.lookup import find_batch
from harness.cli.tables import Rows
from harness.cli.telling import Pages, page_options
from harness.domain.record import Batch
from harness.report.documents import Document, batch_summary, run_documents
from harness.report.words import plural
from harness.store.base import Store

RECENT = 20


@click.command()
@click.option("--limit", default=RECENT, show_default=True, help="How many, newest first.")
@json_option
@root_option
def batches(*, limit: int, as_json: bool, root: Path | None) -> int:
    """List batches, newest first."""
    store = wiring.open_store(settings_for(root))
    rows = [batch_summary(b, store.outlines(b.id)) for b in store.batches(limit)]
    if as_json:
        print_json({"batches": rows})
        return PASSED
    columns = [("Batch", "id"), ("Created (UTC)", ""), ("Runs", "right"), ("Passed", "right"),
               ("Score", "right"), ("State", "")]  # fmt: skip
    lines = [
        (
            r["batch_id"],
            r["created_at"][:16].replace("T", " "),
            _progress(store, r),
            f"{r['passed']}/{r['scored']}",
            number(r["mean_total_score"]),
            "finished" if r["finished"] else "[yellow]unfinished[/]",
        )
        for r in rows
    ]
    console = output()
    console.print(table(None, columns, lines) if lines else "there are no batches yet")
    if any(r["simulated"] for r in rows):
        console.print(SIMULATED)
    return PASSED


@click.command()
@click.argument("batch_id")
@page_options
@json_option
@root_option
def batch(*, batch_id: str, pages: Pages, as_json: bool, root: Path | None) -> int:
    """Show one batch: a summary of its cells and every run.

    \b
    Examples:
      bench batch last
      bench batch night --junit night.xml
    """  # noqa: D301  # click wants its \b
    store = wiring.open_store(settings_for(root))
    found = find_batch(store, batch_id)
    if pages:
        pages.write(store, found, store.runs(found.id))
    if as_json:
        print_batch_document(store, found)
        return PASSED
    runs = store.outlines(found.id)
    console = output()
    print_summary(console, runs, found.id)
    columns = [("Run", "id"), ("Scenario", ""), ("Tier", ""), ("Agent", ""), ("#", "right"),
               ("Score", "right"), ("", "")]  # fmt: skip
    rows = Rows(
        runs,
        lambda r: (
            r.id,
            r.cell.scenario,
            r.cell.tier,
            who(r.cell),
            str(r.iteration),
            number(r.total_score),
            word(r) + partly(r),
        ),
    )
    console.print()
    print_long(console, table(None, columns, rows))
    if not found.finished:
        done = found.planned - len(store.missing(found.id))
        console.print(
            f"\n[yellow]unfinished:[/] {done} of {plural(found.planned, 'run')};"
            f" bench resume {found.id}"
        )
    return PASSED


def print_batch_document(store: Store, found: Batch) -> None:
    """`{"batch": {...}, "runs": [...]}`, each run as it is read."""
    head = {"batch": batch_summary(found, store.outlines(found.id))}
    print_json_list(head, "runs", run_documents(store.each(found.id), store.reviews()))


def _progress(store: Store, row: Document) -> str:
    missing = 0 if row["finished"] else len(store.missing(row["batch_id"]))
    return f"{row['planned'] - missing}/{row['planned']}"
