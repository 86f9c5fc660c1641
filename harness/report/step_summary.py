"""A batch as a page of Markdown, as GitHub shows it beside a job."""

from __future__ import annotations

from collections.abc import Sequence

from harness.domain.record import Batch, RunRecord
from harness.report.events import outcomes, tally_words
from harness.report.markdown import code, plain, table
from harness.report.outcome import Outcome, latest, outcome, why
from harness.report.reused import made
from harness.report.stats import cell_order, group_by_cell, totals
from harness.report.words import dollars, plural

MOST_CELLS = 200
MOST_RUNS = 100
"""GitHub takes a mebibyte; nobody reads as much."""
DASH = "–"


def step_summary(batch: Batch, runs: Sequence[RunRecord], ended: str = "") -> str:
    """Counts, a row per cell and why runs did not pass; `ended` is why a batch stopped."""
    counts = outcomes(runs)
    parts = [
        f"### Mintmark batch `{code(batch.id)}`",
        f"**{plain(tally_words(counts, batch.planned - sum(counts.values())))}**",
    ]
    parts += [f"> {plain(ended)}"] if ended else []
    parts += [_cells(runs)] if runs else []
    used = totals(made(runs))
    if used.cost_usd is not None:
        unpriced = f", and {plural(used.unpriced, 'session')} of unknown price"
        parts.append(f"Cost: {dollars(used.cost_usd)}{unpriced if used.unpriced else ''}")
    if any(run.simulated for run in runs):
        parts.append("Simulated agents took part: their scores say nothing about any model.")
    parts += _bad(runs)
    if not batch.finished:
        parts.append(f"What is missing: `bench resume {code(batch.id)}`")
    return "\n\n".join(parts) + "\n"


def _cells(runs: Sequence[RunRecord]) -> str:
    groups = group_by_cell(runs)
    heads = ("Scenario", "Tier", "Agent", "Runs", "Passed", "Score", "Cost")
    rows = [
        (
            f"{group.cell.suite}/{group.cell.scenario}",
            group.cell.tier,
            group.cell.who,
            str(group.runs),
            f"{group.passed}/{group.scores.n}",
            DASH if group.scores.mean is None else f"{group.scores.mean:.2f}",
            DASH if group.cost_usd is None else dollars(group.cost_usd),
        )
        for group in groups[:MOST_CELLS]
    ]
    more = len(groups) - MOST_CELLS
    return table(heads, rows) + (f"\n\nand {plural(more, 'cell')} more" if more > 0 else "")


def _bad(runs: Sequence[RunRecord]) -> list[str]:
    bad = [run for run in latest(runs).values() if outcome(run) is not Outcome.PASSED]
    if not bad:
        return []
    bad.sort(key=lambda run: (cell_order(run.cell), run.iteration))
    rows = [
        (
            f"{run.cell.suite}/{run.cell.scenario} {run.cell.tier} {run.cell.who} #{run.iteration}",
            outcome(run).value,
            why(run),
            run.id,
        )
        for run in bad[:MOST_RUNS]
    ]
    more = len(bad) - MOST_RUNS
    return [
        "#### Not passed",
        table(("Run", "", "Why", "Id"), rows),
        *([f"and {plural(more, 'run')} more"] if more > 0 else []),
    ]
