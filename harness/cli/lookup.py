"""Runs and batches as people name them: an id, the beginning of one, or 'last'."""

from __future__ import annotations

from collections.abc import Sequence

from harness.domain.outline import Run
from harness.domain.record import Batch, RunRecord
from harness.errors import UsageError
from harness.settings import Settings
from harness.store.base import Store

LAST = "last"
BEGIN = "begin with: bench SUITE SCENARIO"


def has_store(settings: Settings) -> bool:
    """Whether there may be runs; who only looks leaves no empty store behind."""
    return settings.store is not None or settings.results.exists()


def find_run(store: Store, text: str) -> RunRecord:
    """One run; raises UsageError for none or several."""
    if text != LAST:
        return store.run(text)
    latest = store.runs(limit=1)
    if not latest:
        raise UsageError(f"there are no runs yet; {BEGIN}")
    return latest[0]


def find_batch(store: Store, text: str) -> Batch:
    """One batch; raises UsageError for none or several."""
    if text != LAST:
        return store.batch_by_prefix(text)
    latest = store.batches(limit=1)
    if not latest:
        raise UsageError(f"there are no batches yet; {BEGIN}")
    return latest[0]


def is_run(text: str) -> bool:
    """Whether somebody means a run, where a batch could be meant too."""
    return text.startswith("run_")


def runs_of(store: Store, text: str) -> tuple[str, Sequence[Run]]:
    """One run, or all of a batch, and the id; raises UsageError for none or several."""
    if is_run(text):
        run = store.run(text)
        return run.id, [run]
    batch = find_batch(store, text)
    return batch.id, store.outlines(batch.id)
