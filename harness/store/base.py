"""What the rest of the harness knows about the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from harness.domain.artifact import Artifact
from harness.domain.failures import TABLE, Cause
from harness.domain.ids import BatchId, Digest, RunId
from harness.domain.judgement import Review
from harness.domain.outline import Outline
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
    faults: int = 0
    """How many of its records the world spoiled; an interruption is none."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A planned run that somebody makes now, and until when others leave it alone."""

    batch: BatchId
    cell: Cell
    iteration: int
    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """What runs took from the budget that they have in common, judges included."""

    usd: float | None
    """None when the price of anything in it is unknown."""
    least_usd: float
    """What is known of it: what a limit in money is held to."""
    tokens: int


RETRIED = frozenset(kind for kind, rule in TABLE.items() if rule.retried)
"""A planned run whose records all ended so is still missing."""

SPOILED = RETRIED - {Cause.CANCELLED}
"""The world's doing: a run that ends so again and again is not worth another try."""

GRADED = frozenset(kind for kind, rule in TABLE.items() if rule.graded)
"""A record that ended so can stand for another run of the same spec."""


def settles(record: RunRecord) -> bool:
    """Whether the planned run that it is a record of needs no other."""
    return record.cause not in RETRIED


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
        """Drop a batch of which nothing ever ran; one that has a run or a claim stays."""
        ...

    def save(self, record: RunRecord) -> None:
        """Keep a finished run, all of it or nothing, and end the claim on it.

        A batch that nobody planned begins with its first run. Raises UsageError if the id is taken
        and AlreadyStored when a planned run that is settled is settled again.
        """
        ...

    def run(self, prefix: str) -> RunRecord:
        """The run whose id is or begins with `prefix`; raises UsageError for none or several."""
        ...

    def runs(self, batch: BatchId | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """The first runs of a batch, oldest first; without one the latest of all, newest first."""
        ...

    def each(self, batch: BatchId | None = None) -> Iterator[RunRecord]:
        """What `runs` gives, read while it is asked for."""
        ...

    def outlines(self, batch: BatchId) -> Sequence[Outline]:
        """The runs of a batch, oldest first, without their documents."""
        ...

    def further(self, batch: BatchId, known: AbstractSet[RunId], limit: int) -> Sequence[RunRecord]:
        """The first runs of a batch that are not known yet, oldest first."""
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

    def claim(
        self,
        batch: BatchId,
        planned: Planned,
        owner: str,
        now: datetime,
        until: datetime,
        alive: Callable[[str], bool],
    ) -> bool:
        """Take a planned run to make it; whether it is now the caller's, and nobody else's.

        It is not while another claim on it holds, of the same owner too: until its time is over or
        `alive` says of its owner that it ended. Nor is a run that is settled or was not planned.
        """
        ...

    def renew(self, owner: str, until: datetime) -> int:
        """Let all claims of an owner hold until then; how many it still has."""
        ...

    def release(self, batch: BatchId, planned: Planned, owner: str) -> None:
        """Give a claim back; one that another has taken over stays theirs."""
        ...

    def claims(self, batch: BatchId) -> Sequence[Claim]:
        """Who makes what of a batch, in planned order; those whose time is over, too."""
        ...

    def like(self, spec: Digest, iteration: int | None = None) -> RunRecord | None:
        """The newest graded run of that spec in any batch, of one iteration if it is named.

        Iterations of a cell share a digest: one record must not stand for several of them.
        """
        ...

    def spent(self, batch: BatchId) -> Spent:
        """What a batch's runs took from its budget; nothing, of a batch without one."""
        ...

    def spent_since(self, when: datetime) -> Spent:
        """What the runs took that ended since then, of all batches; a cassette costs nothing."""
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
