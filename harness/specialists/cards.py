"""A snapshot in short, for people: what a card says, and the card in Markdown.

Cards are made of the snapshot's document alone, so that anyone who has it can make them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.domain.template import Deprecation
from harness.report.claims import Scope, Verdict
from harness.report.effects import SCORE
from harness.report.markdown import code, plain, table
from harness.report.words import dollars, plural
from harness.specialists.chart import Bar

Document = Mapping[str, Any]
DASH = "–"
BAR_HEADS = ("Compared", "Baseline", "Specialist", "Difference")
NEVER = (
    "No file can show that the provider served the model it named, that the graders were right, or"
    " that these scenarios are like yours."
)
_TONES = {Verdict.BETTER.value: "up", Verdict.WORSE.value: "down"}


@dataclass(frozen=True, slots=True)
class Card:
    """What is said of a snapshot at a glance."""

    title: str
    version: str
    purpose: str
    claim: str
    """One sentence: what may be claimed."""
    tone: str
    """Whether that is good news: up, down or same."""
    facts: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    overall: Bar | None
    limits: tuple[str, ...]
    origin: tuple[tuple[str, str], ...]
    """Where it comes from: names and digests."""


def card_of(document: Document) -> Card:
    """The card of a snapshot."""
    metadata = document["snapshot_metadata"]
    comparison = document["benchmarks"].get("comparison")
    bars = tuple(_bars(comparison)) if comparison else ()
    return Card(
        title=document.get("displayName") or document["name"],
        version=f"{document['name']}@{document['version']}",
        purpose=document["persona"]["purpose"].strip(),
        claim=claim_of(document),
        tone=_TONES.get(verdict_of(document) or "", "same"),
        facts=tuple(_facts(document)),
        bars=bars,
        overall=_overall(comparison) if comparison else None,
        limits=(*metadata["provenance"]["limits"], NEVER),
        origin=tuple(_origin(document)),
    )


def claim_of(document: Document) -> str:
    """What may be claimed, in the words of the comparison."""
    comparison = document["benchmarks"].get("comparison")
    if not comparison:
        return "Nothing is claimed: there is no comparison in this snapshot."
    inference = _inference(comparison)
    if not inference:
        return "Nothing is claimed: this snapshot is of a version that computed averages only."
    said: str = inference["claim"]
    return said


def verdict_of(document: Document) -> str | None:
    """What the comparison comes to: `better`, `undecided`, …; None without one."""
    inference = _inference(document["benchmarks"].get("comparison"))
    if not inference:
        return None
    said: str = inference["claims"][0]["verdict"]
    return said


def interval_of(comparison: Document) -> tuple[float, float] | None:
    """The 95 % interval of the mean difference, of what the claim speaks about.

    None where there is too little to have one, and where nothing may be claimed.
    """
    inference = _inference(comparison) or {"overall": ()}
    score = next((each for each in inference["overall"] if each["name"] == SCORE), None)
    if score is None or inference["claims"][0]["scope"] == Scope.NONE:
        return None
    is_general = inference["claims"][0]["scope"] == Scope.GENERAL
    found = score["scenarios_like_these" if is_general else "these_scenarios"]
    if not found or found["low"] is None:
        return None
    return found["low"], found["high"]


def deprecation_words(gone: Deprecation) -> str:
    """Since when it should no longer be used, why, and what to use."""
    since = f" since {gone.since}" if gone.since else ""
    why = f": {gone.reason.rstrip('.')}" if gone.reason else ""
    use = f"; use {gone.replacement}" if gone.replacement else ""
    return f"deprecated{since}{why}{use}"


def markdown_card(document: Document) -> str:
    """The card for a repository's front page."""
    card = card_of(document)
    parts = [
        f"# {plain(card.title)}",
        f"`{code(card.version)}` · {plain(card.purpose)}",
        f"> **{plain(card.claim)}**",
        table(("", ""), card.facts),
    ]
    if card.overall:
        rows = [bar_row(bar) for bar in (*card.bars, card.overall)]
        parts += ["## Differences", table(BAR_HEADS, rows)]
    parts += ["## What this does not say", "\n".join(f"- {plain(each)}" for each in card.limits)]
    parts += ["## Where it comes from", table(("", ""), card.origin)]
    parts.append(
        "Minted by Mintmark. `mint verify` on the snapshot beside this card recomputes every number"
        " and checks every digest."
    )
    return "\n\n".join(parts) + "\n"


def bar_row(bar: Bar) -> tuple[str, str, str, str]:
    """A row of the table of differences."""
    reach = "" if bar.interval is None else " [{:+.3f}, {:+.3f}]".format(*bar.interval)
    change = f"{bar.difference:+.3f}{reach}"
    return bar.label, f"{bar.baseline:.2f}", f"{bar.specialist:.2f}", change


def _inference(comparison: Document | None) -> Document | None:
    """What may be concluded; snapshots of the first version have averages alone."""
    if not comparison:
        return None
    found: Document | None = comparison.get("statistics", {}).get("inference")
    return found


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    runs = document["benchmarks"]["runs"]
    suites = {f"{run['suite']}/{run['scenario']}" for run in runs}
    own = sum(run["specialist_enabled"] for run in runs)
    yield "Runs", f"{len(runs)}: {own} with the specialist, {len(runs) - own} without"
    yield "Scenarios", f"{len(suites)}, in tiers {', '.join(sorted({r['tier'] for r in runs}))}"
    workers = {run["model"] or run["agent"] for run in runs}
    yield "Models", ", ".join(sorted(workers))
    unscored = sum(run["overall_score"] is None for run in runs)
    partly = sum(bool(run.get("partly_graded")) for run in runs)
    if unscored or partly:
        yield "In no average", f"{unscored} without a score, {partly} partly graded"
    costs = [run["telemetry"]["cost_usd"] for run in runs if "telemetry" in run]
    known = [cost for cost in costs if cost is not None]
    lacking = plural(len(costs) - len(known), "run")
    unknown = f", {lacking} of unknown price" if known != costs else ""
    yield "Cost of all runs", f"{dollars(sum(known))}{unknown}" if known else "not known"
    if simulated := sum(run["simulated"] for run in runs):
        yield "Simulated", f"{simulated} of {len(runs)} runs: no model took part"


def _origin(document: Document) -> Iterator[tuple[str, str]]:
    metadata = document["snapshot_metadata"]
    provenance = metadata["provenance"]
    signer = provenance.get("signer")
    yield "Minted", f"{metadata['created_at']} by {metadata['minted_by']}"
    yield "Batches", ", ".join(provenance["batch_ids"])
    yield "Template", metadata["template_digest"]
    yield "Chain of runs", provenance["chain"]["head"] if "chain" in provenance else DASH
    yield "Signed by", signer["keyid"] if signer else "nobody"


def _bars(comparison: Document) -> Iterator[Bar]:
    cells = comparison["statistics"]["cells"]
    workers = {(cell["agent"], cell["model"]) for cell in cells}
    suites = {cell["suite"] for cell in cells}
    for cell in cells:
        where = f"{cell['suite']}/" if len(suites) > 1 else ""
        who = f" {cell['model'] or cell['agent']}" if len(workers) > 1 else ""
        if cell["improvement"] is not None:
            yield Bar(
                f"{where}{cell['scenario']} {cell['tier']}{who}",
                cell["improvement"],
                cell["baseline"]["mean"],
                cell["specialist"]["mean"],
            )


def _overall(comparison: Document) -> Bar | None:
    scores = comparison["baseline_avg_score"], comparison["specialist_avg_score"]
    if comparison["improvement"] is None or None in scores:
        return None
    return Bar("All of them", comparison["improvement"], *scores, interval_of(comparison))
