"""What the rest of the harness knows about the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from harness.domain.artifact import Artifact
from harness.domain.failures import ENDINGS, TABLE, Cause
from harness.domain.ids import BatchId, Digest, RunId
from harness.domain.judgement import Review
from harness.domain.record import Batch, Cell, Control, RunRecord


@dataclass(frozen=True, slots=True)
class Wanted:
    """More runs of one cell; `settings` is JSON that the store keeps and never reads."""

    cell: Cell
    count: int
    spec_digest: Digest
    settings: str = "{}"


@dataclass(frozen=True, slots=True)
class Planned:
    """One run that a batch was asked for, with all that a resumed command makes it from."""

    cell: Cell
    iteration: int
    spec_digest: Digest
    settings: str = "{}"


def cause(record: RunRecord) -> Cause | None:
    """Whose doing it was that the run did not end well; its rule says if a plan waits on."""
    if record.fault is not None:
        return record.fault.cause
    return ENDINGS[record.session.ending] if record.session else Cause.HARNESS


RETRIED = frozenset(kind for kind, rule in TABLE.items() if rule.retried)
"""A planned run whose records all ended so is still missing."""


@dataclass(frozen=True, slots=True)
class References:
    """What the store refers to: its runs, and every digest that stands in one of its documents."""

    runs: frozenset[RunId]
    digests: frozenset[str]


class Artifacts(Protocol):
    """Content-addressed, compressed pieces of output."""

    def put(self, name: str, data: bytes) -> Artifact:
        """Keep `data`; the same bytes are kept once."""
        ...

    def get(self, artifact: Artifact) -> bytes:
        """What was kept; raises StoreFault when it is gone or no longer what it was."""
        ...


class Store(Protocol):
    """The only truth about what ran. Every method raises StoreFault when the database fails."""

    def plan(self, batch: BatchId, wanted: Sequence[Wanted], now: datetime) -> Sequence[Planned]:
        """Name or continue a batch and reserve the runs it now waits for, in the order wanted.

        A cell's iterations count on from the highest that the batch ever planned, from 1; two
        processes that continue one batch never get the same.
        """
        ...

    def forget(self, batch: BatchId) -> None:
        """Drop a batch of which nothing ever ran; one that has a run stays as it is."""
        ...

    def save(self, record: RunRecord) -> None:
        """Keep a finished run, all of it or nothing; raises UsageError if the id is taken.

        A batch that nobody planned begins with its first run.
        """
        ...

    def run(self, prefix: str) -> RunRecord:
        """The run whose id is or begins with `prefix`; raises UsageError for none or several."""
        ...

    def runs(self, batch: BatchId | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """The first runs of a batch, oldest first; without one the latest of all, newest first."""
        ...

    def batch(self, batch: BatchId) -> Batch:
        """A batch; raises UsageError (naming near ones) when there is none."""
        ...

    def batch_by_prefix(self, prefix: str) -> Batch:
        """The batch whose id is or begins with `prefix`; raises UsageError for none or several."""
        ...

    def batches(self, limit: int | None = None) -> Sequence[Batch]:
        """Batches, newest first."""
        ...

    def missing(self, batch: BatchId) -> Sequence[Planned]:
        """Planned runs without a record, or with none but such as RETRIED, in planned order.

        Raises UsageError (naming near ones) when there is no such batch.
        """
        ...

    def control(self, key: Digest) -> Control | None:
        """The grade of an untouched fixture, when it is known."""
        ...

    def save_control(self, control: Control) -> None:
        """Keep a control; a second one with the same key replaces nothing."""
        ...

    def save_review(self, review: Review) -> None:
        """Add a judgement to those of a stored run, which stays what it is; none is ever replaced.

        Raises UsageError (naming near ones) when there is no such run.
        """
        ...

    def reviews(self, run: RunId | None = None) -> Sequence[Review]:
        """The judgements that were added to a run, or to any, in the order they were made."""
        ...

    def references(self) -> References:
        """All that must be kept because something stored refers to it."""
        ...
