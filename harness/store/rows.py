"""Records as the rows of tables."""

from __future__ import annotations

from collections.abc import Mapping

from harness.domain.ids import BatchId
from harness.domain.judgement import Review
from harness.domain.record import RunRecord
from harness.store.base import Planned
from harness.store.codec import cell_key, encode, timestamp
from harness.store.outlines import outline_columns


def planned_row(batch: BatchId, position: int, key: str, run: Planned) -> Mapping[str, object]:
    """A run that a batch waits for."""
    return {
        "batch": batch,
        "position": position,
        "cell": key,
        "iteration": run.iteration,
        "spec_digest": run.spec_digest,
        "settings": run.settings,
    }


def run_row(record: RunRecord) -> Mapping[str, object]:
    """A finished run: what lists and queries look for in columns, and all of it in a document."""
    cell, why = record.cell, record.cause
    return {
        "id": record.id,
        "batch": record.batch,
        "cell": cell_key(cell),
        "iteration": record.iteration,
        "suite": cell.suite,
        "scenario": cell.scenario,
        "tier": cell.tier,
        "agent": cell.agent,
        "model": cell.model,
        "specialist": cell.specialist.name if cell.specialist else None,
        "specialist_version": cell.specialist.version if cell.specialist else None,
        "status": record.status,
        "cause": why.value if why else None,
        "total_score": record.total_score,
        "threshold": record.threshold,
        "passed": record.passed,
        "simulated": record.simulated,
        "cost_usd": record.session.cost_usd if record.session else None,
        "started_at": timestamp(record.started_at),
        "finished_at": timestamp(record.finished_at),
        "spec_digest": record.spec_digest,
        "document": encode(record),
        **_spending(record),
        **outline_columns(record),
    }


def _spending(record: RunRecord) -> Mapping[str, object]:
    known = [use.cost_usd for use in record.drawn if use.cost_usd is not None]
    unknown = [use.least_usd for use in record.drawn if use.cost_usd is None]
    return {
        "drawn_usd": None if unknown else sum(known),
        "drawn_least_usd": sum(known) + sum(unknown),
        "drawn_tokens": sum(use.usage.total for use in record.drawn),
    }


def review_row(review: Review) -> Mapping[str, object]:
    """A judgement, without its position."""
    judgement = review.judgement
    return {
        "run": review.run,
        "made_at": timestamp(review.at),
        "made_by": ", ".join(judgement.by),
        "is_human": judgement.is_human,
        "rubric": judgement.rubric,
        "score": judgement.score,
        "document": encode(review),
    }


def check_rows(record: RunRecord) -> list[Mapping[str, object]]:
    """The checks of a run, in their order."""
    return [
        {
            "run": record.id,
            "position": position,
            "name": check.name,
            "kind": check.kind,
            "score": check.score,
            "weight": check.weight,
            "required": check.required,
            "level": check.level.value if check.level else None,
            "duration_s": check.duration_s,
        }
        for position, check in enumerate(record.checks)
    ]
