"""What people see: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TextIO, cast

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.cli.tables import AT_ONCE, Column, FittedTable
from harness.domain.judgement import Judgement, Review
from harness.domain.outline import Run
from harness.domain.record import Cell, CheckResult, RunRecord, Verdict
from harness.domain.scenario import TIERS
from harness.report import verdicts
from harness.report.agreement import counting
from harness.report.judging import judging_lines, judging_of, used
from harness.report.reused import made
from harness.report.stats import Group, Spread, group_by_cell, standing, totals
from harness.report.telemetry import telemetry, total
from harness.report.words import dollars, plural, printable

clean = printable
"""What a terminal may be given of a sandbox's text."""


LIST, ITEM = "\n" + " " * 2, "\n" + " " * 4


class Output(Console):
    """A console that leaves a reader who has gone to the command line's own end."""

    def on_broken_pipe(self) -> None:
        """Rich would exit with 1 here."""
        raise BrokenPipeError


class Trimmed:
    """A file whose lines lose the spaces at their ends, for whoever reads it without looking."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """What a console hands over ends with a line."""
        return self._file.write("\n".join(line.rstrip(" \t") for line in text.split("\n")))


def output() -> Console:
    """Standard output; plain and wide enough for its lines when nobody looks at it live."""
    is_watched = sys.stdout.isatty()
    return Output(
        file=sys.stdout if is_watched else cast("TextIO", Trimmed(sys.stdout)),
        highlight=False,
        width=None if is_watched else 120,
        soft_wrap=False,
    )


def messages() -> Console:
    """Standard error."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def print_json(document: object) -> None:
    """One document, for programs."""
    click.echo(_json(document))


def print_json_list(head: Mapping[str, object], name: str, items: Iterable[object]) -> None:
    """The same of a document that ends with a list, each item as it comes."""
    before, after = _json({**head, name: []}).rsplit("]", 1)
    click.echo(before, nl=False)
    mark = end = ""
    for item in items:
        click.echo(mark + ITEM + _json(item).replace("\n", ITEM), nl=False)
        mark, end = ",", LIST
    click.echo(f"{end}]{after}")


def _json(document: object) -> str:
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # half a character, which no output takes, becomes the escape that JSON has for it
    return text.encode("utf-8", "backslashreplace").decode()


def table(
    title: str | None, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]
) -> FittedTable:
    """A table without lines; `columns` are names and "right", "id" (never broken) or nothing."""
    return FittedTable(
        columns=tuple(Column(name, how == "right", how == "id") for name, how in columns),
        rows=rows,
        cell=_cell,
        title=title,
    )


def print_long(console: Console, shown: FittedTable) -> None:
    """A table of any length, some rows at a time."""
    for part in shown.parts(console.width, AT_ONCE):
        # what fits needs no crop, which would take every line apart again
        console.print(part, crop=not part.layout.fits)


def _cell(text: str) -> str | Text:
    is_markup = text.startswith("[") and text.endswith("[/]")
    return _markup(text) if is_markup else clean(text)


@lru_cache(maxsize=64)
def _markup(text: str) -> Text:
    return Text.from_markup(text)


def number(value: float | None, digits: int = 2) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def money(value: float | None) -> str:
    """Dollars, or a dash where no price is known."""
    return "–" if value is None else dollars(value)


def word(run: Run) -> str:
    """A run's outcome in one coloured word."""
    if run.faulted:
        return f"[yellow]{run.status.upper()}[/]"
    return "[green]PASS[/]" if run.passed else "[red]FAIL[/]"


def partly(run: Run) -> str:
    """What has to stand beside that word when an evaluator broke down."""
    return f" [yellow]{PARTLY}[/]" if run.partly_graded else ""


def mark(check: CheckResult) -> str:
    """A check's outcome in one coloured sign."""
    if check.score is None:
        return "[yellow]–[/]"
    if check.score == 1:
        return "[green]✓[/]"
    missed = check.score == 0 or (check.required and not check.reached)
    return "[red]✗[/]" if missed else "[yellow]⚠[/]"


def print_run(
    console: Console, run: RunRecord, *, tests: bool = False, reviews: Sequence[Review] = ()
) -> None:
    """A run's scores and telemetry as in the guide; `reviews` are those that it got later."""
    console.print(f"[bold]Run[/]    {run.id}")
    console.print(f"Batch  {run.batch}")
    cell = run.cell
    console.print(f"Task   {cell.suite}/{cell.scenario}  {cell.tier} {TIERS.get(cell.tier, '')}")
    console.print(Text(f"Agent  {cell.who}  (iteration {run.iteration})"))
    if run.reused:
        console.print(f"       made as {run.reused.run} for batch {run.reused.batch}, and reused")
    if run.simulated:
        console.print("[yellow]       no model took part: this agent is simulated[/]")
    if run.fault:
        console.print(f"\n{word(run)} in stage {run.fault.stage!r} ({run.fault.cause.value})")
        console.print(Text(clean(run.fault.message)))
    if run.checks:
        _print_scores(console, run, explain=not tests)
    if tests:
        _print_tests(console, run)
    for check in run.checks:
        if check.judgement:
            print_judgement(console, check.judgement, f"Judged ({check.name})")
    print_reviews(console, reviews)
    _print_telemetry(console, run)


def _print_scores(console: Console, run: RunRecord, *, explain: bool) -> None:
    console.print("\n[bold]Scores[/]")
    rows = []
    for check in run.checks:
        notes = [f"weight {check.weight:g}"]
        notes += ["required"] if check.required else []
        notes += [f"needs {check.threshold:g}"] if check.required and check.threshold < 1 else []
        notes += [f"level {check.level.value}"] if check.level else []
        notes += ["broke down"] if check.crashed else []
        notes += [verdicts.DISPUTED] if check.judgement and check.judgement.disputed else []
        rows.append(
            (f"  {check.name}", f"{number(check.score)} / 1.00", mark(check), ", ".join(notes))
        )
    need = f"threshold {run.threshold:g}" + (f", {PARTLY}" if run.partly_graded else "")
    rows.append(("  Total", f"{number(run.total_score)} / 1.00", word(run), need))
    console.print(table(None, [("", ""), ("", "right"), ("", ""), ("", "")], rows))
    for check in run.checks if explain else ():
        if check.score != 1:
            for line in (*((check.reason,) if check.reason else ()), *check.details):
                console.print(Text(f"    {check.name}: {clean(line)}", style="dim"))


def print_judgement(console: Console, judgement: Judgement, title: str) -> None:
    """Marks by category, and what stands behind them."""
    by = f" by {clean(verdicts.raters(judgement))}: {number(judgement.score)}"
    console.print(Text.assemble("\n", (clean(title), "bold"), by))
    if judgement.disputed:
        console.print(f"  [yellow]{verdicts.DISPUTED}[/]")
    columns = verdicts.PERSON_COLUMNS if judgement.is_human else verdicts.PANEL_COLUMNS
    marks = table(None, columns, verdicts.mark_rows(judgement))
    console.print(Padding(marks, (0, 0, 0, 2)))
    for line in verdicts.remarks(judgement):
        console.print(Padding(Text(clean(line), "dim"), (0, 0, 0, 4)))


def print_reviews(console: Console, reviews: Sequence[Review]) -> None:
    """Judgements that were added to a run; of one that was replaced there is only a line."""
    for review in reviews:
        said, when = review.judgement, verdicts.made(review)
        if review in counting(reviews):
            print_judgement(console, said, f"Judged later ({when})")
        else:
            old = f"\nReplaced since ({when}) by {verdicts.raters(said)}: {number(said.score)}"
            console.print(Text(clean(old), "dim"))


def _print_tests(console: Console, run: RunRecord) -> None:
    for check in run.checks:
        if check.outcomes:
            console.print(f"\n[bold]Tests of {check.name}[/]")
        for outcome in check.outcomes:
            sign = {Verdict.PASSED: "[green]✓[/]", Verdict.FAILED: "[red]✗[/]"}
            console.print(f"  {sign.get(outcome.verdict, '–')} ", Text(clean(outcome.id)), sep="")
            if outcome.message:
                console.print(Text(f"      {clean(outcome.message)}", style="dim"))


def _print_telemetry(console: Console, run: RunRecord) -> None:
    if run.session is None:
        return
    console.print("\n[bold]Telemetry[/]")
    grid = Table(box=None, pad_edge=False, show_header=False)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for line in (*telemetry(run), *judging_lines(run)):
        grid.add_row(f"  {line.subject}", Text(clean(line.said), "dim" if line.aside else ""))
    console.print(grid)


PARTLY = "partly graded"
SIMULATED = (
    "[yellow]Simulated agents (echo, oracle, scripted) took part: their scores say nothing about"
    " any model.[/]"
)


def plus_minus(values: Spread) -> str:
    """Mean ± sample standard deviation."""
    if values.mean is None or values.deviation is None:
        return number(values.mean)
    return f"{values.mean:.2f} ± {values.deviation:.2f}"


def who(cell: Cell) -> str:
    """Who worked, short enough for a column: a specialist without its organisation."""
    if cell.specialist is None:
        return cell.who
    name = cell.specialist.name.rpartition("/")[2]
    return f"{replace(cell, specialist=None).who} + {name}@{cell.specialist.version}"


def _group_row(group: Group) -> tuple[str, ...]:
    cell = group.cell
    return (
        f"{cell.suite}/{cell.scenario}",
        cell.tier,
        who(cell),
        str(group.runs),
        f"{group.passed}/{group.scores.n}",
        plus_minus(group.scores),
        f"{group.seconds.mean:.1f}s" if group.seconds.mean is not None else "–",
        money(group.cost_usd) + (MORE if group.cost_usd is not None and group.unpriced else ""),
    )


MORE = "+"

SUMMARY_COLUMNS = (
    ("Scenario", "left"),
    ("Tier", "left"),
    ("Agent", "left"),
    ("Runs", "right"),
    ("Passed", "right"),
    ("Score", "right"),
    ("Agent time", "right"),
    ("Cost", "right"),
)


def print_summary(console: Console, runs: Sequence[Run], batch: str) -> None:
    """A batch in one table, a row per cell."""
    groups = group_by_cell(runs)
    rows = [_group_row(group) for group in groups]
    console.print(table(f"Batch {batch}", SUMMARY_COLUMNS, rows))
    if agents := total(totals(made(runs))):
        console.print(f"Used: {agents}")
    if judging := judging_of(made(runs)):
        console.print(f"Judges used: {used(judging)}; no part of the cost")
    for note in _summary_notes(groups, runs):
        console.print(Text(note, "yellow"))
    if any(group.simulated for group in groups):
        console.print(SIMULATED)


def _summary_notes(groups: Sequence[Group], runs: Sequence[Run]) -> Iterator[str]:
    """What the table does not say by itself."""
    if some := sum(run.partly_graded for run in standing(runs)):
        yield f"{plural(some, 'run')} {PARTLY}: an evaluator broke down"
    outside = sum(group.runs - group.scores.n - group.partly_graded for group in groups)
    if outside:
        every = sum(group.runs for group in groups)
        verb = "has" if outside == 1 else "have"
        yield f"{outside} of {plural(every, 'run')} {verb} no score: not in the mean"
    if reused := len(runs) - len(made(runs)):
        verb = "is" if reused == 1 else "are"
        yield f"{plural(reused, 'run')} {verb} reused from other batches: not paid for again"
    if retried := sum(group.retried for group in groups):
        yield f"{plural(retried, 'earlier try', 'earlier tries')} made good since: not counted"
    for group in groups:
        if len(group.tasks) > 1:
            cell = group.cell
            yield (
                f"{cell.suite}/{cell.scenario} {cell.tier} was changed between its runs: its row"
                " mixes different tasks"
            )
    if not_run := sum(group.checks_not_run for group in groups):
        yield f"{plural(not_run, 'check')} could not run: not in the scores"
    if any(group.cost_usd is not None and group.unpriced for group in groups):
        yield f"a cost with a {MORE} is without the sessions whose price is not known"
