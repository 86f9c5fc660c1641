"""What a plan would cost and take, for people and programs, and what it would not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.text import Text

from harness import roster, wiring
from harness.cli.console import clean, messages, money, table, who
from harness.cli.lookup import find_batch, has_store
from harness.cli.models import Shared, Source
from harness.cli.pace import Pace
from harness.cli.purses import limits_of
from harness.cli.readiness import Gap, free_bytes
from harness.cli.reusing import Like, reusable
from harness.domain.grading import JUDGE
from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.domain.scenario import KIB, MIB
from harness.domain.spec import RunSpec
from harness.errors import UsageError
from harness.report.forecast import Basis, CellForecast, Forecast, Sum, Wish, forecast
from harness.report.limits import Limits, refuse_hopeless, shortfalls
from harness.report.words import plural, span
from harness.sandbox.engine import size
from harness.settings import Settings

LATEST = 1000
"""So many of the project's newest runs are looked at."""
NONE = "–"
COLUMNS = (
    ("Scenario", ""),
    ("Tier", ""),
    ("Agent", ""),
    ("Runs", "right"),
    ("Cost", "right"),
    ("Time each", "right"),
    ("By stored runs", ""),
)
_RESTS_ON = {
    Basis.CELL: "of the cell",
    Basis.SCENARIO: "of the scenario",
    Basis.AGENT: "of the agent",
}


def known_runs(settings: Settings, batch: str | None = None) -> Sequence[RunRecord]:
    """What a forecast rests on: the runs of a batch, else the newest of the project."""
    if batch is not None:
        store = wiring.open_store(settings)
        return store.runs(find_batch(store, batch).id)
    if not has_store(settings):
        return ()
    return wiring.open_store(settings).runs(limit=LATEST)


def forecast_of(
    specs: Sequence[RunSpec],
    records: Sequence[RunRecord],
    shared: Shared,
    jobs: int,
    like: Like | None = None,
) -> Forecast:
    """The forecast of planned runs; those that a cassette answers ask no model.

    With `like`, what can be reused of another batch is not made again.
    """
    counts = Counter(spec.cell for spec in specs)
    stored = Counter(spec.cell for spec in specs if like and reusable(spec, like))
    cells = {spec.cell: spec for spec in reversed(specs)}
    played = shared.cassette is not None
    wishes = [
        replace(_wish(cells[cell], runs, played=played), reused=stored[cell])
        for cell, runs in counts.items()
    ]
    return forecast(wishes, records, jobs)


def stored_like(settings: Settings, shared: Shared) -> Like:
    """What may be reused of the project's runs."""
    if shared.cassette is not None:
        raise UsageError("--reuse beside --cassette: what a cassette answers is not stored again")
    return wiring.open_store(settings).like if has_store(settings) else lambda *_: None


def _wish(spec: RunSpec, runs: int, *, played: bool) -> Wish:
    agent = roster.make_agent(spec)
    judged = any(check.kind == JUDGE for check in spec.scenario.checks)
    return Wish(
        cell=spec.cell,
        runs=runs,
        is_simulated=agent.simulated or played,
        asks=not played and bool(agent.needs.model or spec.user or judged),
        budget=spec.budget,
    )


def look_ahead(  # what a command was told
    settings: Settings,
    specs: Sequence[RunSpec],
    batch: BatchId,
    source: Source,
    pace: Pace,
    *,
    like: Like | None = None,
) -> None:
    """Say what the runs will not fit, before the first; refuse when not one of them could be paid.

    Nothing is looked up where nothing is limited.
    """
    limits = limits_of(source.purses.get(batch), pace.most_s)
    if not limits.any:
        return
    jobs, _ = pace.on_engine(settings, specs)
    found = forecast_of(specs, known_runs(settings), source.shared, jobs, like)
    refuse_hopeless(found, limits)
    for text in shortfalls(found, limits):
        messages().print(f"[yellow]note:[/] {text}")


def print_forecast(
    console: Console, settings: Settings, found: Forecast, limits: Limits, gaps: Sequence[Gap]
) -> None:
    """The cells, what all of them take together, and what stands in the way."""
    console.print(table(None, COLUMNS, [_row(cell) for cell in found.cells]))
    often = sorted({cell.wish.runs for cell in found.cells})
    iterations = plural(often[0], "iteration")
    if len(often) > 1:
        iterations = f"{often[0]} to {plural(often[-1], 'iteration')}"
    console.print(
        f"\n{plural(found.planned, 'run')}: {plural(len(found.cells), 'cell')} × {iterations}"
    )
    if reused := found.planned - found.made:
        rest = "of the others:" if found.made else "nothing is left to be made"
        console.print(f"{plural(reused, 'run')} of them stored already and reused; {rest}")
    if found.made:
        console.print(table(None, [("", ""), ("", "")], _totals(settings, found)))
    for text in shortfalls(found, limits):
        console.print(Text.assemble(("note: ", "yellow"), text), soft_wrap=True)
    for gap in gaps:
        what = f"{clean(gap.what)} ({plural(gap.runs, 'run')})"
        console.print(Text.assemble(("missing: ", "red"), what), soft_wrap=True)


def _row(cell: CellForecast) -> tuple[str, ...]:
    named, each = cell.wish.cell, cell.each
    return (
        f"{named.suite}/{named.scenario}",
        named.tier,
        who(named),
        str(cell.wish.runs),
        money(None if each.cost_usd is None else each.cost_usd * cell.wish.made),
        NONE if each.seconds is None else span(each.seconds),
        f"{cell.samples} {_RESTS_ON[cell.basis]}" if cell.basis else "none",
    )


def _totals(settings: Settings, found: Forecast) -> list[tuple[str, str]]:
    cost, tokens, wall, disk = (
        found.total("cost_usd"),
        found.total("tokens"),
        found.wall_s(),
        found.total("kept_bytes"),
    )
    how = f"with {plural(found.jobs, 'job')}, beside building images"
    free = f"{size(free_bytes(settings))} free"
    return [
        ("  Cost", _paid(found, cost, money(cost.value))),
        ("  Tokens", _paid(found, tokens, f"{tokens.value:,.0f}")),
        ("  Time", f"{_said(wall, span(wall.value))}; {how}"),
        ("  Disk", f"{_said(disk, f'{_bytes(disk.value)} of artefacts, beside images')}; {free}"),
    ]


def _paid(found: Forecast, total: Sum, value: str) -> str:
    """What models take; the runs that ask none are passed over."""
    silent = sum(cell.wish.made for cell in found.cells if not cell.wish.asks)
    if silent == found.made:
        return "none: no model is asked"
    return _said(replace(total, runs=total.runs - silent), value)


def _said(total: Sum, value: str) -> str:
    if not total.runs:
        return f"not known: no run like {'these' if total.missing > 1 else 'this'} is stored"
    rest = f" for {plural(total.runs, 'run')}; of {total.missing:,} it is not known"
    return f"about {value}{rest if total.missing else ''}"


def _bytes(count: float) -> str:
    return size(int(count)) if count >= MIB else f"{count / KIB:.0f} KiB"


def forecast_document(found: Forecast, limits: Limits, gaps: Sequence[Gap]) -> dict[str, Any]:
    """The same for programs."""
    names = ("cost_usd", "tokens", "kept_bytes")
    totals = {name: found.total(name) for name in names} | {"wall_s": found.wall_s()}
    return {
        "jobs": found.jobs,
        "reused": found.planned - found.made,
        **{
            name: {"value": total.known, "runs": total.runs, "unknown_runs": total.missing}
            for name, total in totals.items()
        },
        "exceeds": list(shortfalls(found, limits)),
        "missing": [{"what": gap.what, "runs": gap.runs} for gap in gaps],
    }


def cell_documents(found: Forecast) -> list[dict[str, Any]]:
    """The cells, with what a run of each would take and by how many stored runs."""
    return [
        {
            "suite": cell.suite,
            "scenario": cell.scenario,
            "tier": cell.tier,
            "agent": cell.agent,
            "model": cell.model,
            "specialist": cell.specialist and f"{cell.specialist.name}@{cell.specialist.version}",
            "runs": each.wish.runs,
            "reused": each.wish.reused,
            "each": {
                "cost_usd": each.each.cost_usd,
                "tokens": each.each.tokens,
                "seconds": each.each.seconds,
                "kept_bytes": each.each.kept_bytes,
            },
            "rests_on": each.basis and {"runs": each.samples, "of_the": each.basis.value},
        }
        for each in found.cells
        for cell in (each.wish.cell,)
    ]
