"""Failures have a cause, a retry rule and a grading rule: one row per kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.domain.session import Ending
from harness.errors import BoxClosed, EnvironmentFault, Interrupted, ProviderFault


class Cause(StrEnum):
    """Whose doing it was that a run did not end well."""

    SANDBOX = "sandbox"
    PROVIDER = "provider"
    AGENT_EXHAUSTED = "agent_exhausted"
    AGENT_REFUSED = "agent_refused"
    AGENT_BROKE = "agent_broke"
    EVALUATOR = "evaluator"
    HARNESS = "harness"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from a cause."""

    retried: bool
    graded: bool
    counts: bool
    """Whether the run's score is part of the mean."""
    shown: str


TABLE: Mapping[Cause, Rule] = {
    Cause.SANDBOX: Rule(retried=True, graded=False, counts=False, shown="sandbox failed"),
    Cause.PROVIDER: Rule(retried=True, graded=False, counts=False, shown="provider failed"),
    Cause.AGENT_EXHAUSTED: Rule(retried=False, graded=True, counts=True, shown="ran out of budget"),
    Cause.AGENT_REFUSED: Rule(retried=False, graded=True, counts=True, shown="refused the task"),
    Cause.AGENT_BROKE: Rule(retried=False, graded=True, counts=True, shown="agent broke down"),
    Cause.EVALUATOR: Rule(retried=True, graded=False, counts=False, shown="grading failed"),
    Cause.HARNESS: Rule(retried=False, graded=False, counts=False, shown="bug in the harness"),
    Cause.CANCELLED: Rule(retried=True, graded=False, counts=False, shown="interrupted"),
}

ENDINGS: Mapping[Ending, Cause | None] = {
    Ending.FINISHED: None,
    Ending.TIMED_OUT: Cause.AGENT_EXHAUSTED,
    Ending.TURN_LIMIT: Cause.AGENT_EXHAUSTED,
    Ending.BUDGET: Cause.AGENT_EXHAUSTED,
    Ending.REFUSED: Cause.AGENT_REFUSED,
    Ending.BROKE_SANDBOX: Cause.AGENT_BROKE,
    Ending.PROVIDER_FAILED: Cause.PROVIDER,
    Ending.AGENT_ERROR: Cause.AGENT_BROKE,
    Ending.INTERRUPTED: Cause.CANCELLED,
}


def cause_of(error: BaseException, stage: str) -> Cause:
    """The row for an exception that ended a run during `stage`."""
    if isinstance(error, Interrupted | KeyboardInterrupt):
        return Cause.CANCELLED
    if isinstance(error, ProviderFault):
        return Cause.PROVIDER
    if isinstance(error, BoxClosed) or (
        isinstance(error, EnvironmentFault) and stage == "evaluate"
    ):
        return Cause.EVALUATOR
    if isinstance(error, EnvironmentFault):
        return Cause.SANDBOX
    return Cause.HARNESS
