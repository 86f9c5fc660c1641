"""A snapshot as a document: a template, the runs that prove it, and how they compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.domain.record import RunRecord
from harness.domain.template import Template
from harness.report.compare import (
    Averages,
    Comparison,
    ModelAverages,
    Pair,
    Unmatched,
    compare_specialist,
    notes,
)
from harness.report.compared import report_document
from harness.report.inference import ComparisonReport, report_specialist
from harness.report.stats import Group
from harness.specialists.canonical import canonical_digest
from harness.specialists.json5 import Place
from harness.specialists.limits import limits_of
from harness.specialists.provenance import derived, template_part
from harness.specialists.runs import record_of, utc

Document = dict[str, Any]

REPLACED = ("$schema", "benchmarks")
"""What a snapshot does not take over from its template."""
PERCENT_DIGITS = 2
METHODOLOGY = "weighted_average"

COMMENTS: Mapping[Place, str] = {
    (): (
        "A minted snapshot: never edited. Mint again for a new number.\n"
        "Whether it is as it was minted: mint verify, with the envelope beside it."
    ),
    ("benchmarks",): "What was measured.",
    ("benchmarks", "test_suites"): "The scenarios that the runs below were given.",
    ("benchmarks", "comparison"): (
        "The specialist against the same agents and models without it, on the same tasks.\n"
        "Scores are 0..1; every compared cell weighs the same, runs without a score weigh nothing."
    ),
    ("benchmarks", "runs"): (
        "Every run, also those that have no score.\n"
        "overall_score is 0..1, weighted_score is ten times that; null is not zero. An evaluation\n"
        "is passed with a score of 1."
    ),
    ("snapshot_metadata",): "Where this comes from, and what it does not say.",
    ("snapshot_metadata", "provenance", "chain"): (
        "One link per run: its digest, that of its stored record, and the chain's up to here.\n"
        "A digest is SHA-256 of the object in canonical JSON (RFC 8785)."
    ),
}


def comments(found: Compared | None) -> Mapping[Place, str]:
    """What stands above the sections; that runs are simulated stands above their averages."""
    place = ("benchmarks", "comparison")
    if found is None:
        return {key: text for key, text in COMMENTS.items() if key != place}
    text = f"{COMMENTS[place]}\n{found.claim}"
    if found.averages.simulated:
        text += f"\n{notes(found.averages)[0]}"
    return {**COMMENTS, place: text}


@dataclass(frozen=True, slots=True)
class Compared:
    """A specialist against its baseline: the guide's averages, and what may be said of them."""

    averages: Comparison
    report: ComparisonReport

    @property
    def claim(self) -> str:
        """The sentence that may stand alone."""
        return self.report.claim.sentence


def compared(records: Sequence[RunRecord], name: str, version: str) -> Compared | None:
    """The specialist against its baseline, from the runs as a snapshot holds them (`record_of`).

    None where nothing has a counterpart with a score. Minting and verifying both compute it here.
    Raises UsageError where a scenario was changed between the runs.
    """
    averages = compare_specialist(records, name, version)
    if not averages.pairs:
        return None
    return Compared(averages, report_specialist(records, name, version))


def template_document(template: Template) -> Document:
    """Which template it was, by digest of the whole and of what the snapshot took over."""
    return {
        "name": template.name,
        "version": template.version,
        "file": template.source.name,
        "digest": template.digest,
        "content": canonical_digest(template_part(_kept(template))),
    }


def snapshot_document(
    template: Template,
    runs: Sequence[Document],
    found: Compared | None,
    provenance: Document,
    now: datetime,
) -> Document:
    """Everything that a snapshot says, in the order in which it is read."""
    declared = json.loads(template.document).get("benchmarks", {})
    document = {
        **_kept(template),
        "benchmarks": {
            "test_suites": suites_document(runs),
            "scoring": {**declared.get("scoring", {}), "methodology": METHODOLOGY},
            **({"comparison": comparison_document(found)} if found else {}),
            "runs": list(runs),
        },
    }
    records = tuple(map(record_of, runs))
    return document | {
        "snapshot_metadata": metadata_document(document, provenance, records, found, utc(now))
    }


def metadata_document(
    document: Document,
    provenance: Document,
    records: Sequence[RunRecord],
    found: Compared | None,
    created_at: str,
) -> Document:
    """Who minted from what, and what the averages do not say.

    All but the date follows from the rest of the snapshot: minting and verifying compute it here.
    """
    from_runs = derived(document["benchmarks"]["runs"])
    batches = from_runs["batch_ids"]
    limits = list(limits_of(document, provenance, records, found.averages if found else None))
    own = {**from_runs, "limits": limits}
    return {
        "created_at": created_at,
        "minted_by": f"mintmark {provenance['harness']['version']}",
        "template_version": document["version"],
        "template_digest": provenance["template"]["digest"],
        **({"batch_id": batches[0]} if len(batches) == 1 else {}),
        "notes": " ".join(limits) or None,
        "provenance": own | provenance | own,
    }


def _kept(template: Template) -> Document:
    return {k: v for k, v in json.loads(template.document).items() if k not in REPLACED}


def suites_document(runs: Iterable[Document]) -> list[Document]:
    """The scenarios that the runs were given."""
    scenarios = sorted({(run["suite"], run["scenario"]) for run in runs})
    return [
        {"name": scenario, "path": f"{suite}/{scenario}", "type": "functional"}
        for suite, scenario in scenarios
    ]


def comparison_document(found: Compared) -> Document:
    """A comparison as snapshots hold it."""
    comparison = found.averages
    return {
        **_averages(comparison.overall, ("baseline_avg_score", "specialist_avg_score")),
        "unscored_runs": comparison.unscored,
        "models_compared": [_model(each) for each in comparison.per_model],
        "statistics": {
            "compared_runs": comparison.runs,
            "simulated_runs": comparison.simulated,
            "balanced": comparison.is_balanced,
            "cells": [_pair(pair) for pair in comparison.pairs],
            "unmatched": [_unmatched(each) for each in comparison.unmatched],
            "inference": report_document(found.report),
        },
    }


def _averages(averages: Averages, names: tuple[str, str]) -> Document:
    percent = averages.improvement_pct
    return {
        names[0]: averages.baseline,
        names[1]: averages.specialist,
        "improvement": averages.improvement,
        "improvement_pct": None if percent is None else round(percent, PERCENT_DIGITS),
        "baseline_runs": averages.baseline_runs,
        "specialist_runs": averages.specialist_runs,
    }


def _model(each: ModelAverages) -> Document:
    return {
        "model": each.model,
        "agent": each.agent,
        **_averages(each.averages, ("baseline_score", "specialist_score")),
    }


def _pair(pair: Pair) -> Document:
    return {
        **_cell(pair.before),
        "improvement": pair.difference,
        "baseline": _numbers(pair.before),
        "specialist": _numbers(pair.after),
    }


def _unmatched(each: Unmatched) -> Document:
    return {
        **_cell(each.group),
        "specialist_enabled": each.group.cell.specialist is not None,
        "reason": each.reason,
        **_numbers(each.group),
    }


def _cell(group: Group) -> Document:
    cell = group.cell
    return {
        "suite": cell.suite,
        "scenario": cell.scenario,
        "tier": cell.tier,
        "agent": cell.agent,
        "model": cell.model,
    }


def _numbers(group: Group) -> Document:
    return {
        "runs": group.runs,
        "scored": group.scores.n,
        "passed": group.passed,
        "mean": group.scores.mean,
        "standard_deviation": group.scores.deviation,
        "min": group.scores.low,
        "max": group.scores.high,
        "checks_not_run": group.checks_not_run,
        "simulated": group.simulated,
        "cost_usd": group.cost_usd,
    }
