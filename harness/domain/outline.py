"""A run without its document: what summaries, lists and comparisons take of it, and no more."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from harness.domain.failures import Cause
from harness.domain.ids import BatchId, Digest, RunId
from harness.domain.model import Asked, ModelUse, Usage
from harness.domain.record import Cell, Grader, Origin


class Run(Protocol):
    """What a RunRecord and an Outline both say, so that every number has one formula."""

    @property
    def id(self) -> RunId:
        """Its own name."""
        ...

    @property
    def batch(self) -> BatchId:
        """What it belongs to."""
        ...

    @property
    def cell(self) -> Cell:
        """Who did what."""
        ...

    @property
    def iteration(self) -> int:
        """The how manieth run of its cell."""
        ...

    @property
    def task_digest(self) -> Digest:
        """What was asked, and how it was graded."""
        ...

    @property
    def fixture(self) -> str:
        """What it started from, by content; empty where nothing was kept of the run."""
        ...

    @property
    def threshold(self) -> float:
        """The score that it needs."""
        ...

    @property
    def simulated(self) -> bool:
        """No model did the work."""
        ...

    @property
    def status(self) -> str:
        """How it ended, in a word."""
        ...

    @property
    def cause(self) -> Cause | None:
        """Whose doing it was that the run did not end well."""
        ...

    @property
    def faulted(self) -> bool:
        """It has a fault in place of a grade."""
        ...

    @property
    def partly_graded(self) -> bool:
        """An evaluator broke down: the total is of the other checks."""
        ...

    @property
    def passed(self) -> bool:
        """It scores what it has to."""
        ...

    @property
    def total_score(self) -> float | None:
        """0..1, where it was graded."""
        ...

    @property
    def graders(self) -> tuple[Grader, ...]:
        """Its checks, in their order."""
        ...

    @property
    def check_scores(self) -> tuple[float | None, ...]:
        """What each of them gave."""
        ...

    @property
    def seconds(self) -> float | None:
        """How long the session took; None where there was none."""
        ...

    @property
    def usage(self) -> Usage | None:
        """Of the session."""
        ...

    @property
    def cost_usd(self) -> float | None:
        """Of the session."""
        ...

    @property
    def asked(self) -> Asked:
        """How its models were asked."""
        ...

    @property
    def judging(self) -> tuple[ModelUse, ...]:
        """What the judges used."""
        ...

    @property
    def reused(self) -> Origin | None:
        """The run that it shows again."""
        ...


class Outline(NamedTuple):
    """A stored run as its columns have it; every field is the property of a RunRecord.

    No dataclass: of a hundred thousand of them that would be half the time to read them.
    """

    id: RunId
    batch: BatchId
    cell: Cell
    iteration: int
    task_digest: Digest
    fixture: str
    threshold: float
    simulated: bool
    status: str
    cause: Cause | None
    faulted: bool
    partly_graded: bool
    passed: bool
    total_score: float | None
    graders: tuple[Grader, ...]
    check_scores: tuple[float | None, ...]
    seconds: float | None
    usage: Usage | None
    cost_usd: float | None
    asked: Asked
    judging: tuple[ModelUse, ...]
    reused: Origin | None


def outline_of(run: Run) -> Outline:
    """Its outline alone."""
    return Outline._make(getattr(run, name) for name in Outline._fields)
