"""`bench agreement`: judges against people and against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.text import Text

from harness import wiring
from harness.cli.console import clean, output, print_json, table
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.lookup import find_batch, is_run
from harness.domain.ids import RunId
from harness.domain.record import RunRecord
from harness.report.agreement import Agreement, Figures, Match
from harness.report.agreement import agreement as agreement_of
from harness.report.documents import agreement_document
from harness.report.words import plural
from harness.store.base import Store

COLUMNS = (
    ("Category", ""),
    ("Pairs", "right"),
    ("Exact", "right"),
    ("Within 1", "right"),
    ("Kappa (95 %)", "right"),
    ("AC1", "right"),
    ("Bias", "right"),
)
NOTHING = "–"
LEGEND = "Bias: the mean mark of the second rater less that of the first, on the scale of 1 to 5."


@click.command()
@click.argument("where", metavar="[BATCH|RUN]...", nargs=-1)
@json_option
@root_option
def agreement(*, where: tuple[str, ...], as_json: bool, root: Path | None) -> int:
    """How far judges agree with people and with each other; without a batch or run, over all.

    Marks are compared where both judged the same run by the same rubric; of several judgements by
    one rater the last counts. Kappa has quadratic weights; Bias is the second rater's mean mark
    less the first's.

    \b
    Examples:
      bench agreement
      bench agreement my_batch other_batch --json
    """  # noqa: D301  # click wants its \b
    store = wiring.open_store(settings_for(root))
    known: set[RunId] = set()
    judged: dict[RunId, RunRecord] = {}
    for run in _named(store, where):
        known.add(run.id)
        if any(check.judgement for check in run.checks):
            judged[run.id] = run
    found = agreement_of(judged.values(), [r for r in store.reviews() if r.run in known])
    if as_json:
        print_json(agreement_document(found))
    else:
        _show(found)
    return PASSED


def _named(store: Store, where: Sequence[str]) -> Iterator[RunRecord]:
    if not where:
        yield from store.each()
    for name in where:
        if is_run(name):
            yield store.run(name)
        else:
            yield from store.each(find_batch(store, name).id)


def _show(found: Agreement) -> None:
    console = output()
    if not found.raters:
        console.print("nobody has judged these runs: bench judge RUN, bench grade RUN --by NAME")
        return
    console.print(f"[bold]{plural(found.runs, 'judged run')}[/]")
    for rater, runs in found.raters:
        kind = "person" if rater.is_human else "judge"
        console.print(Text(f"  {clean(rater.name)} ({kind}): {plural(runs, 'run')}"))
    if not found.matches:
        console.print("\nno two of them have judged the same run by the same rubric")
    for match in found.matches:
        console.print(Text(f"\n{clean(match.a)} → {clean(match.b)}", "bold"))
        rows = [(name, *_row(each)) for name, each in match.categories]
        console.print(table(None, COLUMNS, [*rows, ("all", *_row(match.overall))]))
        for note in _notes(match):
            console.print(Text(clean(note), "yellow"))
    if found.matches:
        console.print(f"\n[dim]{LEGEND}[/]")


def _row(found: Figures) -> tuple[str, ...]:
    kappa = found.kappa
    return (
        str(found.n),
        _percent(found.exact),
        _percent(found.within_one),
        # no kappa is above 1, whatever the interval's formula says
        f"{kappa.kappa:.2f} ({kappa.low:.2f} to {min(kappa.high, 1.0):.2f})" if kappa else NOTHING,
        NOTHING if found.ac1 is None else f"{found.ac1:.2f}",
        NOTHING if found.bias is None else f"{found.bias:+.2f}",
    )


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.0%}"


def _notes(match: Match) -> list[str]:
    """Why there is no kappa, said once for all that it is true of."""
    places: dict[str, list[str]] = {}
    for name, each in (*match.categories, ("all", match.overall)):
        if each.why:
            places.setdefault(each.why, []).append(name)
    whole = len(match.categories) + 1
    return [
        f"no kappa: {why}" if len(names) == whole else f"no kappa for {', '.join(names)}: {why}"
        for why, names in places.items()
    ]
