"""What somebody who reads only the averages must know: the caveats that go with a snapshot.

All of it follows from what the snapshot holds, so that whoever has one can compute it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.domain.record import RunRecord
from harness.load.templates import deprecation_of
from harness.report.compare import Comparison, notes
from harness.report.stats import standing
from harness.specialists.cards import deprecation_words

Document = Mapping[str, Any]

FEW = 5

UNSIGNED = "Not signed: the digests show that nothing was changed by accident, not who minted it."


def limits_of(
    template: Document,
    provenance: Document,
    records: Sequence[RunRecord],
    found: Comparison | None,
) -> Iterator[str]:
    """The caveats, one sentence each; `template` is what a snapshot took over of it."""
    ref = f"{template['name']}@{template['version']}"
    if found is None:
        yield f"No comparison: {one_sided(ref, records)}."
        if all(record.simulated for record in records):
            yield "Every run was played by a simulated agent: this says nothing about any model."
    else:
        yield from notes(found)
    partly = sum(record.partly_graded for record in standing(records))
    if partly:
        yield f"Partly graded, because an evaluator broke down: {partly} of {len(records)} runs."
    others = sum((each["planned"] or 0) - each["here"] for each in provenance["batches"])
    if others > 0:
        yield f"Runs of other specialists in the batches, not in this snapshot: {others}."
    if gone := deprecation_of(template.get("version_metadata", {})):
        yield f"The template is {deprecation_words(gone)}."
    if provenance["signer"] is None:
        yield UNSIGNED


def one_sided(ref: str, records: Sequence[RunRecord]) -> str:
    """Why there is no comparison."""
    if not any(record.cell.specialist for record in records):
        return (
            f"no run of {ref} is here, only of its baseline: run the same scenarios with"
            f" --specialist {ref}"
        )
    if all(record.cell.specialist for record in records):
        return (
            "no baseline is here: run the same scenarios without --specialist into the batch, or"
            " add a batch that has them with --batch-id"
        )
    return (
        f"nothing of {ref} has a counterpart with a score in the baseline: the same scenario, tier,"
        " agent and model are needed on both sides"
    )


def some(items: Iterable[str]) -> str:
    """The first of many, and how many more there are."""
    known = list(items)
    more = f"; and {len(known) - FEW} more" if len(known) > FEW else ""
    return "; ".join(known[:FEW]) + more
