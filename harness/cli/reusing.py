"""`--reuse`: what another batch has already made stands in this one too, and is not paid again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from harness import roster
from harness.claims import Claims
from harness.domain.ids import BatchId, Digest, new_run_id
from harness.domain.record import Origin, RunRecord
from harness.domain.spec import RunSpec
from harness.tools import Tools

Like = Callable[[Digest, int], RunRecord | None]
"""The newest graded run of a spec in any batch, of one iteration."""

reuse_option = click.option(
    "--reuse", "wants_reuse", is_flag=True,
    help="Let runs of other batches that are the same in everything stand for this one's.",
)  # fmt: skip


def reusable(spec: RunSpec, like: Like) -> RunRecord | None:
    """The run that can stand for a planned one: of the same spec and iteration, wholly graded.

    Iterations are told apart, else one run would stand for several. What a cassette answered says
    nothing about a model.
    """
    found = like(spec.digest, spec.iteration)
    if found is None or found.total_score is None or found.partly_graded:
        return None
    if found.simulated and not roster.make_agent(spec).simulated:
        return None
    return found


def reuse(
    specs: Sequence[RunSpec], batch: BatchId, tools: Tools, like: Like, claims: Claims
) -> tuple[list[RunRecord], list[RunSpec]]:
    """Store what can be reused as runs of the batch; those records, and what is still to be made.

    A stored copy is a run of its batch, and says which run it is a copy of: of a copy, the first.
    """
    records, rest = [], []
    for spec in specs:
        found = reusable(spec, like)
        if found is None or found.batch == batch or not claims.take(spec):
            rest.append(spec)
            continue
        run = new_run_id(tools.now(), tools.random())
        record = replace(
            found,
            id=run,
            batch=batch,
            reused=found.reused or Origin(found.id, found.batch),
        )
        tools.watch.began(run, spec)
        tools.store.save(record)
        tools.watch.ended(record)
        records.append(record)
    return records, rest
