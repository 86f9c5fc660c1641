"""Records as JSON documents: the shapes that other programs build on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from harness.domain.artifact import Artifact
from harness.domain.ids import RunId
from harness.domain.judgement import Judgement, Review
from harness.domain.model import ModelUse, Usage
from harness.domain.outline import Run
from harness.domain.record import Batch, Cell, CheckResult, CommandResult, RunRecord
from harness.domain.session import Entry, Reported, Session
from harness.report.agreement import Agreement, Figures, counting
from harness.report.compare import BatchComparison
from harness.report.judging import judging_of
from harness.report.reused import made
from harness.report.stats import Group, counts, spread, standing, totals
from harness.report.telemetry import calls_of
from harness.store.transcripts import row

Document = dict[str, Any]


def run_documents(runs: Iterable[RunRecord], reviews: Iterable[Review] = ()) -> Iterator[Document]:
    """Runs, one after another, with their reviews; `reviews` may be of other runs too."""
    by_run: dict[RunId, list[Review]] = {}
    for review in reviews:
        by_run.setdefault(review.run, []).append(review)
    return (run_document(run, by_run.get(run.id, ())) for run in runs)


def batch_summary(batch: Batch, runs: Sequence[Run]) -> Document:
    """A batch in one object; runs without a score count but do not lower the mean.

    `runs` are the records below it, `retried` those of them that a later try has made good.
    """
    scores = [run.total_score for run in runs if run.total_score is not None and counts(run)]
    stands, used, judging = standing(runs), totals(made(runs)), judging_of(made(runs))
    return {
        "batch_id": batch.id,
        "created_at": batch.created_at.isoformat(),
        "planned": batch.planned,
        "finished": batch.finished,
        "runs": len(runs),
        "passed": sum(run.passed for run in runs),
        "scored": len(scores),
        "mean_total_score": spread(scores).mean,
        "partly_graded": sum(run.partly_graded for run in stands),
        "faulted": sum(run.faulted for run in stands),
        "retried": len(runs) - len(stands),
        "reused": len(runs) - len(made(runs)),
        "usage": used.usage and _usage(used.usage),
        "cost_usd": used.cost_usd,
        "unpriced": used.unpriced,
        "judging": judging and _metered(judging),
        "simulated": any(run.simulated for run in runs),
    }


def run_document(run: RunRecord, reviews: Sequence[Review] = ()) -> Document:
    """A run in one object, transcript left out; `reviews` are those that it got later."""
    specialist = run.cell.specialist
    judging = judging_of([run])
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
            "application": run.application and asdict(run.application),
        },
        "settings": asdict(run.settings),
        "budget": asdict(run.budget),
        "user": run.user and run.user.label,
        "iteration": run.iteration,
        "reused": run.reused and {"run_id": run.reused.run, "batch_id": run.reused.batch},
        "spec_digest": run.spec_digest,
        "task_digest": run.task_digest,
        "simulated": run.simulated,
        "maker": run.maker and asdict(run.maker),
        "status": run.status,
        "passed": run.passed,
        "partly_graded": run.partly_graded,
        "total_score": run.total_score,
        "weighted_score": run.weighted_score,
        "threshold": run.threshold,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "checks": [_check(check) for check in run.checks],
        "judging": judging and _metered(judging),
        "reviews": review_documents(reviews),
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


def review_documents(reviews: Sequence[Review]) -> list[Document]:
    """Judgements that were added to runs; one that the same rater has replaced does not count."""
    count = counting(reviews)
    return [
        {
            "run_id": review.run,
            "at": review.at.isoformat(),
            "counts": review in count,
            **judgement_document(review.judgement),
        }
        for review in reviews
    ]


def judgement_document(judgement: Judgement) -> Document:
    """What one panel, or one person, says."""
    return {
        "by": list(judgement.by),
        "is_human": judgement.is_human,
        "rubric": judgement.rubric,
        "score": judgement.score,
        "disputed": judgement.disputed,
        "note": judgement.note or None,
        "marks": [
            {
                **asdict(mark),
                "samples": list(mark.samples),
                "quotes": list(mark.quotes),
                "unfounded": list(mark.unfounded),
            }
            for mark in judgement.marks
        ],
        "judging": judgement.use and _metered(judgement.use),
        "artifacts": [_artifact(a) for a in judgement.artifacts],
    }


def agreement_document(found: Agreement) -> Document:
    """Who agrees with whom, and how far."""
    return {
        "runs": found.runs,
        "raters": [
            {"name": rater.name, "is_human": rater.is_human, "runs": runs}
            for rater, runs in found.raters
        ],
        "matches": [
            {
                "a": match.a,
                "b": match.b,
                "against_people": match.against_people,
                "overall": _figures(match.overall),
                "categories": [
                    {"category": name, **_figures(each)} for name, each in match.categories
                ],
            }
            for match in found.matches
        ],
    }


def _figures(figures: Figures) -> Document:
    kappa = figures.kappa
    return {
        "n": figures.n,
        "runs": figures.runs,
        "exact": figures.exact,
        "within_one": figures.within_one,
        "bias": figures.bias,
        "kappa": kappa and kappa.kappa,
        "kappa_error": kappa and kappa.error,
        "kappa_low": kappa and kappa.low,
        "kappa_high": kappa and kappa.high,
        "ac1": figures.ac1,
        "why": figures.why or None,
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
        **named(cell),
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


def named(cell: Cell) -> Document:
    """Which cell, in the fields that every document has."""
    ref = cell.specialist
    return {
        "suite": cell.suite,
        "scenario": cell.scenario,
        "tier": cell.tier,
        "agent": cell.agent,
        "model": cell.model,
        "specialist": ref and f"{ref.name}@{ref.version}",
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
        "threshold": check.threshold,
        "level": check.level.value if check.level else None,
        "crashed": check.crashed,
        "details": list(check.details),
        "tests": [
            {"id": o.id, "verdict": o.verdict.value, "message": o.message or None}
            for o in check.outcomes
        ],
        "judgement": check.judgement and judgement_document(check.judgement),
        "judging": check.use and _metered(check.use),
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
        "user": session.user_use and _metered(session.user_use),
        "transcript": session.log and _artifact(session.log),
        "recording": session.recording and _artifact(session.recording),
    }


def _metered(use: ModelUse) -> Document:
    """What a model used that is not the agent's."""
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
