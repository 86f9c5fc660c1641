"""A snapshot as a document: a template, the runs that prove it, and how they compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from harness import __version__
from harness.domain.failures import TABLE
from harness.domain.model import Usage
from harness.domain.record import CheckResult, RunRecord
from harness.domain.session import Session
from harness.domain.template import Template
from harness.report.compare import (
    Averages,
    Comparison,
    ModelAverages,
    Pair,
    Unmatched,
    notes,
)
from harness.report.stats import Group
from harness.report.telemetry import calls_of
from harness.specialists.json5 import Place

Document = dict[str, Any]

REPLACED = ("$schema", "benchmarks")
"""What a snapshot does not take over from its template."""
PERCENT_DIGITS = 2
MS = 1000

COMMENTS: Mapping[Place, str] = {
    (): "A minted snapshot: never edited. Mint again for a new number.",
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
}


def comments(comparison: Comparison) -> Mapping[Place, str]:
    """What stands above the sections; that runs are simulated stands above their averages."""
    if not comparison.simulated:
        return COMMENTS
    place = ("benchmarks", "comparison")
    return {**COMMENTS, place: f"{COMMENTS[place]}\n{notes(comparison)[0]}"}


def snapshot_document(
    template: Template,
    records: Sequence[RunRecord],
    comparison: Comparison,
    metadata: Document,
) -> Document:
    """Everything that a snapshot says, in the order in which it is read."""
    kept = {k: v for k, v in json.loads(template.document).items() if k not in REPLACED}
    declared = json.loads(template.document).get("benchmarks", {})
    return {
        **kept,
        "benchmarks": {
            "test_suites": _test_suites(records),
            "scoring": {**declared.get("scoring", {}), "methodology": "weighted_average"},
            "comparison": comparison_document(comparison),
            "runs": [_run(record) for record in records],
        },
        "snapshot_metadata": metadata,
    }


def metadata_document(
    template: Template, records: Sequence[RunRecord], now: datetime, limits: Sequence[str]
) -> Document:
    """Who minted from what, and the limits as one text and one by one."""
    batches = sorted({record.batch for record in records})
    refs = {record.cell.specialist for record in records}
    return {
        "created_at": utc(now),
        "minted_by": f"mintmark {__version__}",
        "template_version": template.version,
        "template_digest": template.digest,
        **({"batch_id": batches[0]} if len(batches) == 1 else {}),
        "notes": " ".join(limits) or None,
        "provenance": {
            "batch_ids": batches,
            "specialist_digests": sorted({ref.digest for ref in refs if ref}),
            "limits": list(limits),
        },
    }


def utc(moment: datetime) -> str:
    """ISO 8601 to the second, as the guide writes it: 2025-01-18T12:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _test_suites(records: Iterable[RunRecord]) -> list[Document]:
    scenarios = sorted({(record.cell.suite, record.cell.scenario) for record in records})
    return [
        {"name": scenario, "path": f"{suite}/{scenario}", "type": "functional"}
        for suite, scenario in scenarios
    ]


def comparison_document(comparison: Comparison) -> Document:
    """A comparison as snapshots hold it."""
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


def _run(record: RunRecord) -> Document:
    cell, specialist = record.cell, record.cell.specialist
    document = {
        "run_id": record.id,
        "run_date": utc(record.started_at),
        "batch_id": record.batch,
        "suite": cell.suite,
        "scenario": cell.scenario,
        "tier": cell.tier,
        "iteration": record.iteration,
        "agent": cell.agent,
        "model": cell.model,
        "specialist_enabled": specialist is not None,
        "simulated": record.simulated,
        "status": record.status,
        "passed": record.passed,
        "overall_score": record.total_score,
        "weighted_score": record.weighted_score,
        "threshold": record.threshold,
        "spec_digest": record.spec_digest,
        "evaluations": {check.name: _evaluation(check) for check in record.checks},
    }
    if specialist:
        name, version, digest = specialist.name, specialist.version, specialist.digest
        document["specialist"] = {"name": name, "version": version, "digest": digest}
    if record.fault:
        fault, shown = record.fault, TABLE[record.fault.cause].shown
        document["fault"] = whole(f"{shown} in stage {fault.stage!r}: {fault.message}")
    if record.session:
        document["telemetry"] = _telemetry(record.session)
    return document


def _evaluation(check: CheckResult) -> Document:
    document = {
        "score": check.score,
        "passed": None if check.score is None else check.score == 1,
        "kind": check.kind,
        "weight": check.weight,
        "required": check.required,
    }
    if check.level:
        document["level"] = check.level.value
    if check.score is None:
        document["error"] = whole(check.reason)
    return document


def _telemetry(session: Session) -> Document:
    document: Document = {
        "duration_ms": round(session.duration_s * MS),
        "tool_calls": sum(count.calls for count in calls_of(session)),
        "failed_tool_calls": sum(count.errors for count in calls_of(session)),
        "token_usage": _tokens(session.usage) if session.usage else None,
        "cost_usd": session.cost_usd,
    }
    if use := session.model_use:
        first = use.first_token_s
        document |= {
            "turns": use.turns,
            "requests": use.requests,
            "failed_requests": use.failed,
            "refused_requests": use.refused,
            "retries": use.retries,
            "first_token_ms": None if first is None else round(first * MS),
        }
    return document


def _tokens(usage: Usage) -> Document:
    # as providers name them: what was read from a cache, or written to it, is part of the prompt
    prompt = usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt + usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def whole(text: str) -> str:
    """Text of a record without the halves of characters that a UTF-8 file cannot hold."""
    return text.encode("utf-8", "replace").decode()
