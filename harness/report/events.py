"""What happens to a batch, as documents: a line each in an event stream (docs/batches.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from harness.domain.ids import BatchId, RunId
from harness.domain.record import Batch, RunRecord
from harness.domain.spec import RunSpec
from harness.report.documents import Document, batch_summary, named
from harness.report.outcome import Outcome, latest, outcome
from harness.report.progress import took_s
from harness.report.words import plural
from harness.tools import Halt

LONGEST = 2000
"""Characters of a message in an event: lines are for reading along, the store keeps the rest."""

HALTS: Mapping[Halt, str] = {
    Halt.DRAINING: "batch_draining",
    Halt.STOPPING: "batch_stopping",
    Halt.LIMIT: "batch_limited",
}


class End(StrEnum):
    """How a command's work on a batch came to its end."""

    FINISHED = "finished"
    """Every run that it set out to make was made, however it came out."""
    STOPPED = "stopped"
    """A budget, a time, a disk or a provider: no further run could be made."""
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    """Something that only the user can put right."""
    FAILED = "failed"


EVENTS = (
    "batch_planned",
    "run_began",
    "run_stage",
    "run_ended",
    "run_refused",
    *HALTS.values(),
    "batch_ended",
)


def planned(runs: int, jobs: int) -> Document:
    """A command begins."""
    return {"event": "batch_planned", "runs": runs, "jobs": jobs}


def began(run: RunId, spec: RunSpec) -> Document:
    """A run begins."""
    return {"event": "run_began", "run_id": run, **named(spec.cell), "iteration": spec.iteration}


def stage(run: RunId, name: str) -> Document:
    """A stage of a run begins."""
    return {"event": "run_stage", "run_id": run, "stage": name}


def refused(run: RunId, why: str) -> Document:
    """A run cannot be made as things are."""
    return {"event": "run_refused", "run_id": run, "why": why[:LONGEST]}


def halted(halt: Halt, why: str) -> Document:
    """No further run begins."""
    return {"event": HALTS[halt], "why": why[:LONGEST]}


def ended(run: RunRecord) -> Document:
    """A run is stored."""
    session = run.session
    return {
        "event": "run_ended",
        "run_id": run.id,
        **named(run.cell),
        "iteration": run.iteration,
        "outcome": outcome(run).value,
        "status": run.status,
        "passed": run.passed,
        "partly_graded": run.partly_graded,
        "total_score": run.total_score,
        "threshold": run.threshold,
        "checks": [{"name": check.name, "score": check.score} for check in run.checks],
        "cost_usd": session.cost_usd if session else None,
        "took_s": round(took_s(run), 3),
        "fault": run.fault
        and {
            "cause": run.fault.cause.value,
            "stage": run.fault.stage,
            "message": run.fault.message[:LONGEST],
        },
        "simulated": run.simulated,
    }


def closed(
    batch: BatchId, end: End, why: str, stored: tuple[Batch, Sequence[RunRecord]] | None
) -> Document:
    """A command's work on a batch is over; `stored` is all that the batch has by then."""
    said: Document = {"event": "batch_ended", "end": end.value, "why": why[:LONGEST] or None}
    if stored is None:
        return {**said, "text": f"Batch {batch} did not begin: {end.value}"}
    found, runs = stored
    counts = outcomes(runs)
    not_run = found.planned - sum(counts.values())
    summary = batch_summary(found, runs)
    del summary["batch_id"], summary["usage"], summary["judging"]
    text = f"Batch {batch} {end.value}: {tally_words(counts, not_run)}"
    return {
        **said,
        **summary,
        **{name.value: counts[name] for name in Outcome},
        "not_run": max(0, not_run),
        "text": text,
    }


def outcomes(runs: Sequence[RunRecord]) -> dict[Outcome, int]:
    """How many planned runs came out how."""
    found = [outcome(run) for run in latest(runs).values()]
    return {name: found.count(name) for name in Outcome}


def tally_words(counts: Mapping[Outcome, int], not_run: int) -> str:
    """`3 of 8 runs passed, 4 failed, 1 not run`."""
    every = sum(counts.values()) + max(0, not_run)
    others = [
        f"{count} {name.value}" for name, count in counts.items() if count and name != "passed"
    ]
    others += [f"{not_run} not run"] if not_run > 0 else []
    return ", ".join([f"{counts[Outcome.PASSED]} of {plural(every, 'run')} passed", *others])
