"""`bench compare`: two batches, or a specialist and its baseline, and what may be claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from harness import wiring
from harness.cli.console import (
    PARTLY,
    SIMULATED,
    clean,
    messages,
    output,
    plus_minus,
    print_json,
    table,
    who,
)
from harness.cli.differences import print_report
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.lookup import find_batch, runs_of
from harness.domain.outline import Run
from harness.errors import UsageError, nearest
from harness.report.compare import BatchComparison, Pair, compare_batches, specialists
from harness.report.compared import report_document
from harness.report.documents import comparison_document
from harness.report.effects import SCORE
from harness.report.inference import ComparisonReport, Question, report_of
from harness.report.paired import (
    BASELINE,
    SPECIALIST,
    Pairing,
    observe,
    pair_batches,
    pair_specialist,
    refuse_changed,
    without_changed,
)
from harness.report.power import WANTED
from harness.report.reused import apart
from harness.report.stats import standing
from harness.report.words import plural
from harness.store.base import Store
from harness.store.outlines import uncollected

_AGENT = 2
"""The column of the cells' table that says who worked."""
BY = ("scenario", "tier", "model", "check", "all", "none")


@click.command()
@click.argument("first")
@click.argument("second", required=False)
@click.option(
    "--specialist", metavar="@ORG/NAME[@VERSION]",
    help="Which one, where several worked in a batch that is compared with itself.",
)  # fmt: skip
@click.option(
    "--by", type=click.Choice(BY), default="tier", show_default=True,
    help="Which parts of the difference to list.",
)  # fmt: skip
@click.option(
    "--difference", "wanted", type=float, default=WANTED, show_default=True, metavar="X",
    help="The least difference of the score that is worth telling, of 0..1.",
)  # fmt: skip
@click.option(
    "--declare", "declared", multiple=True, metavar="NAME", default=(SCORE,), show_default=True,
    help="What the comparison is about: score, success, cost_usd, seconds, 'tier L1',"
    " 'check test' …; repeatable, and corrected for their number.",
)  # fmt: skip
@click.option(
    "--leave-changed-out", is_flag=True,
    help="Compare the rest where some tasks were changed between the runs.",
)  # fmt: skip
@json_option
@root_option
@uncollected()
def compare(  # noqa: PLR0913  # click hands over one argument per option
    *,
    first: str,
    second: str | None,
    specialist: str | None,
    by: str,
    wanted: float,
    declared: tuple[str, ...],
    leave_changed_out: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Compare two batches, or two runs, task by task; a batch alone: with and without specialist.

    Cells are matched one to one and lean on their scenario; runs without a whole grade are in no
    mean. The first line says what may be claimed.
    """
    store = wiring.open_store(settings_for(root))
    question = Question(declared, wanted)
    if second is None:
        batch, before, after, pairing = _within(store, first, specialist)
        a, b = batch, batch
    elif specialist is not None:
        raise UsageError("--specialist goes with a single batch; two are compared as they are")
    else:
        (a, before), (b, after) = (runs_of(store, name) for name in (first, second))
        before, after = _apart((a, before), (b, after))
        pairing = pair_batches(observe(before), observe(after))
    if leave_changed_out:
        pairing = without_changed(pairing)
    refuse_changed(pairing, "compare the rest with --leave-changed-out")
    report = report_of(pairing, question)
    kept = {pair.before_cell for pair in pairing.pairs}
    found = compare_batches(before, after)
    found = replace(found, rows=tuple(row for row in found.rows if row.before.cell in kept))
    if as_json:
        print_json(
            {"a": a, "b": b, **comparison_document(found), "report": report_document(report)}
        )
        return PASSED
    console = output()
    _print_sides(console, report, a, b)
    print_report(console, report, by)
    _print_cells(console, found, report)
    for side, runs in ((pairing.before, before), (pairing.after, after)):
        _print_partly(console, side, runs)
    if any(group.simulated for pair in found.rows for group in (pair.before, pair.after)):
        console.print(SIMULATED)
    return PASSED


def _apart(
    first: tuple[str, Sequence[Run]], second: tuple[str, Sequence[Run]]
) -> tuple[Sequence[Run], Sequence[Run]]:
    """Both sides without the runs that one has reused of the other."""
    (a, before), (b, after) = first, second
    if a == b:
        return before, after
    kept = apart(before, after)
    for name, side, left in ((a, before, kept[0]), (b, after, kept[1])):
        if side and not left:
            raise UsageError(
                f"every run of {name} is one of {a if name == b else b}, reused: there is nothing"
                " to compare"
            )
        if shared := len(side) - len(left):
            messages().print(
                f"[yellow]note:[/] {plural(shared, 'run')} of {name} left out: reused from the"
                " other side, and a run beside itself says nothing"
            )
    return kept


def _within(
    store: Store, name: str, ref: str | None
) -> tuple[str, Sequence[Run], Sequence[Run], Pairing]:
    """A batch's baseline and one of its specialists."""
    batch = find_batch(store, name).id
    runs = store.outlines(batch)
    known = {f"{named}@{version}": (named, version) for named, version in specialists(runs)}
    chosen = [full for full in known if ref in {None, full, full.rpartition("@")[0]}]
    if len(chosen) != 1:
        if not known:
            raise UsageError(
                f"no specialist worked in {batch}; name a second batch to compare it with"
            )
        if chosen or ref is None:
            raise UsageError(
                f"several specialists worked in {batch}: say --specialist {' or '.join(chosen)}"
            )
        raise UsageError(f"no specialist {ref!r} in {batch}; {nearest(str(ref), known)}")
    own = known[chosen[0]]
    after = [
        r for r in runs
        if r.cell.specialist and (r.cell.specialist.name, r.cell.specialist.version) == own
    ]  # fmt: skip
    before = [run for run in runs if run.cell.specialist is None]
    return batch, before, after, pair_specialist(observe(runs), *own)


def _print_sides(console: Console, report: ComparisonReport, a: str, b: str) -> None:
    if report.pairing.after != SPECIALIST:
        console.print(Text(f"A = {a}\nB = {b}\n"))
        return
    refs = {pair.after_cell.specialist for pair in report.pairing.pairs}
    named = ", ".join(f"{ref.name}@{ref.version}" for ref in refs if ref) or SPECIALIST
    console.print(Text(f"{a}: {named} against the {BASELINE}\n"))


def _print_cells(console: Console, found: BatchComparison, report: ComparisonReport) -> None:
    is_worn = report.pairing.after == SPECIALIST
    sides = ("Without", "With", "Change") if is_worn else ("A", "B", "B - A")
    columns = [("Scenario", ""), ("Tier", ""), ("Agent", ""), *((s, "right") for s in sides)]
    rows = [_pair_row(pair, worn=is_worn) for pair in found.rows]
    console.print()
    if len(workers := {row[_AGENT] for row in rows}) == 1:
        # one worker is said once: repeated in each row its name takes the room of the others
        console.print(Text(clean(f"Agent  {workers.pop()}")))
        del columns[_AGENT]
        rows = [(*row[:_AGENT], *row[_AGENT + 1 :]) for row in rows]
    console.print(table(None, columns, rows))
    for each in report.lone:
        cell = each.cell
        line = f"not compared ({each.side}): {cell.suite}/{cell.scenario} {cell.tier} {cell.who}"
        console.print(Text(clean(f"{line}: {each.reason}")))
    if not found.rows:
        console.print("[yellow]nothing can be compared: no task was done by the same agent[/]")


def _print_partly(console: Console, side: str, runs: Sequence[Run]) -> None:
    if some := [run for run in standing(runs) if run.partly_graded]:
        places = dict.fromkeys(f"{r.cell.suite}/{r.cell.scenario} {r.cell.tier}" for r in some)
        said = f"{side}: {plural(len(some), 'run')} {PARTLY}: {', '.join(places)}"
        console.print(Text(clean(said), "yellow"))


def _pair_row(pair: Pair, *, worn: bool) -> tuple[str, ...]:
    a, b = pair.before.cell, pair.after.cell
    names = who(a) if worn or a.who == b.who else f"{who(a)} → {who(b)}"
    changed = f" (not comparable: {', '.join(pair.changed)})" if pair.changed else ""
    gap = "–" if pair.difference is None else f"{pair.difference:+.2f}"
    return (
        f"{a.suite}/{a.scenario}",
        a.tier,
        names + changed,
        f"{plus_minus(pair.before.scores)} n={pair.before.scores.n}",
        f"{plus_minus(pair.after.scores)} n={pair.after.scores.n}",
        gap,
    )
