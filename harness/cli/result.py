"""What a command shows of a batch that it worked on, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness import wiring
from harness.cli.batches import print_batch_document
from harness.cli.console import output, print_run, print_summary
from harness.cli.entry import NOT_PASSED, PASSED, WORLD
from harness.domain.ids import BatchId
from harness.domain.outline import Run
from harness.errors import BatchStopped
from harness.settings import Settings


@contextmanager
def reported(settings: Settings, batch: BatchId, *, as_json: bool) -> Iterator[None]:
    """A batch that stops before its plan does still shows what ran."""
    try:
        yield
    except BatchStopped:
        report(settings, batch, wiring.open_store(settings).outlines(batch), as_json=as_json)
        raise


def report(settings: Settings, batch: BatchId, runs: Sequence[Run], *, as_json: bool) -> int:
    """Show what ran; the exit code says whether all of it passed."""
    store = wiring.open_store(settings)
    if as_json:
        print_batch_document(store, store.batch(batch))
    else:
        console, stored = output(), store.outlines(batch)
        if len(runs) == 1:
            print_run(console, store.run(runs[0].id))
        else:
            print_summary(console, stored, batch)
        more = f"bench show last, bench batch {batch}"
        if {bool(run.cell.specialist) for run in stored} == {True, False}:
            more += f", bench compare {batch}, mint snapshot --batch-id {batch}"
        console.print(f"\nBatch ID: [bold]{batch}[/]\nmore: {more}", soft_wrap=True)
    # one that was made again is what it was at last
    last = {(run.cell, run.iteration): run for run in runs}.values()
    if any(run.faulted for run in last):
        return WORLD
    return PASSED if all(run.passed for run in last) else NOT_PASSED
