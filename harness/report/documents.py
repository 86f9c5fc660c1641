"""Records as JSON documents: the shapes that other programs build on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from harness.domain.artifact import Artifact
from harness.domain.model import ModelUse, Usage
from harness.domain.record import Batch, CheckResult, CommandResult, RunRecord
from harness.domain.session import Entry, Reported, Session
from harness.report.compare import BatchComparison
from harness.report.stats import Group, counts, spread, standing, totals
from harness.report.telemetry import calls_of
from harness.store.transcripts import row

Document = dict[str, Any]


def batch_document(batch: Batch, runs: Sequence[RunRecord]) -> Document:
    """`{"batch": {...}, "runs": [...]}`."""
    return {"batch": batch_summary(batch, runs), "runs": [run_document(run) for run in runs]}


def batch_summary(batch: Batch, runs: Sequence[RunRecord]) -> Document:
    """A batch in one object; runs without a score count but do not lower the mean.

    `runs` are the records below it, `retried` those of them that a later try has made good.
    """
    scores = [run.total_score for run in runs if run.total_score is not None and counts(run)]
    stands, used = standing(runs), totals(runs)
    return {
        "batch_id": batch.id,
        "created_at": batch.created_at.isoformat(),
        "planned": batch.planned,
        "finished": batch.finished,
        "runs": len(runs),
        "passed": sum(run.passed for run in runs),
        "scored": len(scores),
        "mean_total_score": spread(scores).mean,
        "faulted": sum(run.fault is not None for run in stands),
        "retried": len(runs) - len(stands),
        "usage": used.usage and _usage(used.usage),
        "cost_usd": used.cost_usd,
        "unpriced": used.unpriced,
        "simulated": any(run.simulated for run in runs),
    }


def run_document(run: RunRecord) -> Document:
    """A run in one object, transcript left out."""
    specialist = run.cell.specialist
    return {
        "run_id": run.id,
        "batch_id": run.batch,
        "suite": run.cell.suite,
        "scenario": run.cell.scenario,
        "tier": run.cell.tier,
        "agent": run.cell.agent,
        "model": run.cell.model,
        "specialist": specialist
        and {
            "name": specialist.name,
            "version": specialist.version,
            "digest": specialist.digest,
        },
        "settings": asdict(run.settings),
        "budget": asdict(run.budget),
        "user": run.user and run.user.label,
        "iteration": run.iteration,
        "spec_digest": run.spec_digest,
        "task_digest": run.task_digest,
        "simulated": run.simulated,
        "status": run.status,
        "passed": run.passed,
        "total_score": run.total_score,
        "weighted_score": run.weighted_score,
        "threshold": run.threshold,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "checks": [_check(check) for check in run.checks],
        "commands": [_command(command) for command in run.commands],
        "session": _session(run.session) if run.session else None,
        "tree": run.tree
        and {
            "base": run.tree.base,
            "commit": run.tree.commit,
            "files_changed": run.tree.files_changed,
            "insertions": run.tree.insertions,
            "deletions": run.tree.deletions,
            "left_out": list(run.tree.left_out),
        },
        "fault": run.fault
        and {
            "cause": run.fault.cause.value,
            "stage": run.fault.stage,
            "message": run.fault.message,
        },
        "stages_s": [{"stage": name, "duration_s": round(s, 4)} for name, s in run.stages_s],
    }


def comparison_document(found: BatchComparison) -> Document:
    """Two batches side by side."""
    return {
        "rows": [
            {
                "a": _group(pair.before),
                "b": _group(pair.after),
                "difference": pair.difference,
                "changed": list(pair.changed),
            }
            for pair in found.rows
        ],
        "only_a": [_group(group) for group in found.only_before],
        "only_b": [_group(group) for group in found.only_after],
    }


def _group(group: Group) -> Document:
    cell, scores = group.cell, group.scores
    return {
        "suite": cell.suite,
        "scenario": cell.scenario,
        "tier": cell.tier,
        "agent": cell.agent,
        "model": cell.model,
        "specialist": cell.specialist and f"{cell.specialist.name}@{cell.specialist.version}",
        "runs": group.runs,
        "scored": scores.n,
        "passed": group.passed,
        "mean": scores.mean,
        "deviation": scores.deviation,
        "low": scores.low,
        "high": scores.high,
        "retried": group.retried,
        "cost_usd": group.cost_usd,
        "unpriced": group.unpriced,
        "simulated": group.simulated,
    }


def transcript_document(entries: Iterable[Entry]) -> list[Document]:
    """What was said and called, in order."""
    return [{**row(entry), "at_s": round(entry.at_s, 3)} for entry in entries]


def _check(check: CheckResult) -> Document:
    return {
        "name": check.name,
        "kind": check.kind,
        "score": check.score,
        "reason": check.reason or None,
        "weight": check.weight,
        "required": check.required,
        "level": check.level.value if check.level else None,
        "details": list(check.details),
        "tests": [
            {"id": o.id, "verdict": o.verdict.value, "message": o.message or None}
            for o in check.outcomes
        ],
        "artifacts": [_artifact(a) for a in check.artifacts],
        "duration_s": round(check.duration_s, 4),
    }


def _command(command: CommandResult) -> Document:
    return {
        "name": command.name,
        "run": command.run,
        "exit_code": command.exit_code,
        "duration_s": round(command.duration_s, 4),
        "output": _artifact(command.output) if command.output else None,
    }


def _artifact(artifact: Artifact) -> Document:
    return {"name": artifact.name, "digest": artifact.digest, "size_bytes": artifact.size_bytes}


def _session(session: Session) -> Document:
    return {
        "ending": session.ending.value,
        "detail": session.detail or None,
        "duration_s": round(session.duration_s, 4),
        "tool_calls": sum(count.calls for count in calls_of(session)),
        "cost_usd": session.cost_usd,
        "usage": session.usage and _usage(session.usage),
        "requests": session.model_use and _requests(session.model_use),
        "tools": [
            {"tool": count.tool, "calls": count.calls, "errors": count.errors}
            for count in calls_of(session)
        ],
        "reported": session.reported and _reported(session.reported),
        "questions": [
            {
                "question": q.question,
                "answer": q.answer,
                "matched": q.matched,
                "by_model": q.by_model,
            }
            for q in session.questions
        ],
        "user": session.user_use and _played_user(session.user_use),
        "transcript": session.log and _artifact(session.log),
        "recording": session.recording and _artifact(session.recording),
    }


def _played_user(use: ModelUse) -> Document:
    return {"usage": _usage(use.usage), "cost_usd": use.cost_usd, "requests": use.requests}


def _usage(usage: Usage) -> Document:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def _requests(use: ModelUse) -> Document:
    return {
        "requests": use.requests,
        "turns": use.turns,
        "failed": use.failed,
        "refused": use.refused,
        "unmetered": use.unmetered,
        "retries": use.retries,
        "waited_s": round(use.waited_s, 4),
        "first_token_s": use.first_token_s and round(use.first_token_s, 4),
    }


def _reported(said: Reported) -> Document:
    return {
        "usage": said.usage and _usage(said.usage),
        "cost_usd": said.cost_usd,
        "turns": said.turns,
    }
