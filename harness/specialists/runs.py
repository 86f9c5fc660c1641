"""A run as snapshots hold it, and back: enough of it that every aggregate can be computed again.

What a snapshot compares are the runs as it holds them, so that whoever reads it computes the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from harness.domain.application import Application
from harness.domain.failures import TABLE, Cause
from harness.domain.ids import BatchId, Digest, RunId
from harness.domain.model import Budget, ModelRef, ModelSettings, ModelUse, Usage
from harness.domain.record import Cell, CheckResult, Fault, RunRecord, SpecialistRef, TreeRef
from harness.domain.scenario import Level
from harness.domain.session import Ending, Session, ToolCount
from harness.report.telemetry import calls_of

Document = dict[str, Any]

MS = 1000


def run_document(record: RunRecord) -> Document:
    """Everything of a run that a reader, or a verifier, asks for."""
    cell, specialist = record.cell, record.cell.specialist
    document: Document = {
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
        "task_digest": record.task_digest,
        "evaluations": {check.name: _evaluation(check) for check in record.checks},
    }
    if record.partly_graded:
        document["partly_graded"] = True
    if specialist:
        document["specialist"] = asdict(specialist)
    if record.tree:
        document["fixture"] = record.tree.base
        document["tree"] = record.tree.commit
    if record.fault:
        fault, shown = record.fault, TABLE[record.fault.cause].shown
        document["fault"] = whole(f"{shown} in stage {fault.stage!r}: {fault.message}")
        document["cause"] = fault.cause.value
    asked = {
        "settings": _given(record.settings),
        "budget": _given(record.budget),
        "user": _given(record.user) if record.user else {},
    }
    document |= {name: given for name, given in asked.items() if given}
    if record.application:
        document["application"] = _application(record.application)
    if record.maker:
        document["harness"] = record.maker.harness
        document["prices"] = asdict(record.maker.prices)
    if record.session:
        document["telemetry"] = _telemetry(record.session)
    return document


def record_of(run: Mapping[str, Any]) -> RunRecord:
    """The run that a snapshot holds; raises ValueError, KeyError or TypeError where it is none."""
    ref = run.get("specialist")
    when = datetime.fromisoformat(run["run_date"])
    cause = run.get("cause")
    fixture = run.get("fixture")
    return RunRecord(
        id=RunId(run["run_id"]),
        batch=BatchId(run["batch_id"]),
        cell=Cell(
            suite=run["suite"],
            scenario=run["scenario"],
            tier=run["tier"],
            agent=run["agent"],
            model=run["model"],
            specialist=SpecialistRef(ref["name"], ref["version"], ref["digest"]) if ref else None,
        ),
        iteration=run["iteration"],
        spec_digest=Digest(run["spec_digest"]),
        task_digest=Digest(run["task_digest"]),
        started_at=when,
        finished_at=when,
        threshold=run["threshold"],
        simulated=run["simulated"],
        session=_session(run["telemetry"], run["status"]) if "telemetry" in run else None,
        tree=TreeRef(fixture, run["tree"], 0, 0, 0) if fixture is not None else None,
        checks=tuple(_check(name, each) for name, each in run["evaluations"].items()),
        total_score=run["overall_score"],
        passed=run["passed"],
        fault=Fault(Cause(cause), "", run["fault"]) if cause else None,
        settings=ModelSettings(**run.get("settings", {})),
        budget=Budget(**run.get("budget", {})),
        user=ModelRef(**run["user"]) if "user" in run else None,
    )


def utc(moment: datetime) -> str:
    """ISO 8601 to the second, as the guide writes it: 2025-01-18T12:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole(text: str) -> str:
    """Text of a record without the halves of characters that a UTF-8 file cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _given(asked: ModelSettings | Budget | ModelRef) -> Document:
    """What was asked for; the rest was left open."""
    return {name: value for name, value in asdict(asked).items() if value is not None}


def _application(made: Application) -> Document:
    """How the specialist's words came about; the words themselves are an output of the run."""
    return {
        "prompt_digest": made.prompt_digest,
        "template": made.template,
        "task": made.task,
        "model_words": made.model_words,
        "documents": list(made.documents),
    }


def _evaluation(check: CheckResult) -> Document:
    document: Document = {
        "score": check.score,
        "passed": None if check.score is None else check.score == 1,
        "kind": check.kind,
        "weight": check.weight,
        "required": check.required,
    }
    if check.required and check.threshold != 1:
        document["threshold"] = check.threshold
    if check.level:
        document["level"] = check.level.value
    if check.crashed:
        document["crashed"] = True
    if check.reason:
        document["error" if check.score is None else "reason"] = whole(check.reason)
    elif check.score is None:
        document["error"] = ""
    return document


def _check(name: str, given: Mapping[str, Any]) -> CheckResult:
    return CheckResult(
        name=name,
        kind=given["kind"],
        score=given["score"],
        weight=given["weight"],
        required=given["required"],
        reason=given.get("error") or given.get("reason") or "",
        level=Level(given["level"]) if given.get("level") else None,
        threshold=given.get("threshold", 1.0),
        crashed=given.get("crashed", False),
    )


def _telemetry(session: Session) -> Document:
    document: Document = {
        "duration_ms": round(session.duration_s * MS),
        "ending": session.ending.value,
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


def _session(given: Mapping[str, Any], status: str) -> Session:
    tokens = given["token_usage"]
    usage = _usage(tokens) if tokens else None
    calls, errors = given["tool_calls"], given["failed_tool_calls"]
    use = None
    if "requests" in given:
        use = ModelUse(
            usage or Usage(),
            given["cost_usd"],
            requests=given["requests"],
            turns=given["turns"],
            failed=given["failed_requests"],
            refused=given["refused_requests"],
            retries=given["retries"],
        )
    return Session(
        ending=Ending(given.get("ending", status)),
        duration_s=given["duration_ms"] / MS,
        calls=(ToolCount("", calls, errors),) if calls or errors else (),
        usage=usage,
        cost_usd=given["cost_usd"],
        model_use=use,
    )


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


def _usage(tokens: Mapping[str, int]) -> Usage:
    cached, written = tokens["cached_tokens"], tokens["cache_write_tokens"]
    return Usage(
        input_tokens=tokens["prompt_tokens"] - cached - written,
        output_tokens=tokens["completion_tokens"],
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=tokens["reasoning_tokens"],
    )
