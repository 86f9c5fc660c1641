"""Minting: a template and the finished batches that prove it become a numbered snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.domain.template import Template
from harness.errors import UsageError
from harness.load.templates import check_snapshot
from harness.report.compare import Comparison, compare_specialist, notes, specialists
from harness.specialists.compose import compose
from harness.specialists.json5 import to_json5
from harness.specialists.numbering import write_numbered
from harness.specialists.snapshot import comments, metadata_document, snapshot_document
from harness.store.base import Planned, Store

FEW = 5

NO_STATISTICS = (
    "Averages are point estimates: this version computes no intervals and no tests, so a small"
    " difference may be chance."
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What some batches hold: every run, and the planned ones that are still missing."""

    batches: tuple[BatchId, ...]
    records: tuple[RunRecord, ...]
    missing: tuple[tuple[BatchId, Planned], ...] = ()


@dataclass(frozen=True, slots=True)
class Minted:
    """A snapshot on disk and what it says in short."""

    path: Path
    number: int
    name: str
    version: str
    comparison: Comparison
    limits: tuple[str, ...]
    """What somebody who reads only the averages must know."""


def read_proof(store: Store, batches: Sequence[BatchId]) -> Proof:
    """Everything that a store holds of some batches; raises UsageError for an unknown one."""
    ids = tuple(dict.fromkeys(batches))
    missing = tuple((batch, planned) for batch in ids for planned in store.missing(batch))
    return Proof(ids, tuple(r for batch in ids for r in store.runs(batch)), missing)


def mint(template: Template, proof: Proof, *, output: Path, now: datetime) -> Minted:
    """Write `<output>/<name>/<version>/snapshot-NNN.json5`.

    Raises UsageError where the batches prove nothing about this template, StoreFault where the
    snapshot cannot be written; then there is no new snapshot.
    """
    _require_finished(proof)
    _require_own_runs(template, proof)
    comparison = compare_specialist(proof.records, template.name, template.version)
    _require_comparison(comparison, proof)
    own = [record for record in proof.records if _belongs(record, template)]
    limits = tuple(_limits(template, proof, comparison))
    metadata = metadata_document(template, own, now, limits)
    document = snapshot_document(template, own, comparison, metadata)
    check_snapshot(document)
    folder = output / template.short_name / template.version
    written = write_numbered(folder, to_json5(document, comments(comparison)))
    return Minted(
        path=written.path,
        number=written.number,
        name=template.name,
        version=template.version,
        comparison=comparison,
        limits=limits,
    )


def candidates(proof: Proof) -> tuple[str, ...]:
    """The specialists that worked in the batches, as `@org/name@version`."""
    return tuple(f"{name}@{version}" for name, version in specialists(proof.records))


def _require_finished(proof: Proof) -> None:
    if proof.missing:
        waiting = [_planned(planned) for _, planned in proof.missing]
        resumes = dict.fromkeys(f"bench resume {batch}" for batch, _ in proof.missing)
        raise UsageError(
            f"{_batches(proof)} {_is(proof)} not finished, runs still missing: {len(waiting)}"
            f" ({_some(waiting)}); first: {' and '.join(resumes)}"
        )
    if not proof.records:
        raise UsageError(f"{_batches(proof)} {_is(proof)} empty: there is nothing to mint from")


def _require_own_runs(template: Template, proof: Proof) -> None:
    """Runs of this template exist, and were made from it as it is now."""
    ref = f"{template.name}@{template.version}"
    own = [r for r in proof.records if r.cell.specialist and _belongs(r, template)]
    if not own:
        there = _some(candidates(proof)) or "none at all"
        raise UsageError(
            f"no run of {ref} is in {_batches(proof)}; the specialists that worked there: {there}"
        )
    for model in dict.fromkeys(record.cell.model for record in own):
        now = compose(template, model).ref.digest
        for record in own:
            ref_then = record.cell.specialist
            if ref_then and record.cell.model == model and ref_then.digest != now:
                raise UsageError(
                    f"the template {ref} has changed since its runs: {record.id} was made with the"
                    f" words {ref_then.digest[:16]}…, {template.source} now composes to"
                    f" {now[:16]}…; raise its version and run it again, or take the change back"
                )


def _require_comparison(comparison: Comparison, proof: Proof) -> None:
    if not any(record.cell.specialist is None for record in proof.records):
        raise UsageError(
            f"no baseline is in {_batches(proof)}: run the same scenarios without --specialist"
            " into the batch, or add a batch that has them with --batch-id"
        )
    if not comparison.pairs:
        reasons = [
            f"{each.group.cell.suite}/{each.group.cell.scenario} {each.group.cell.tier}"
            f" {each.group.cell.who}: {each.reason}"
            for each in comparison.unmatched
        ]
        raise UsageError(
            f"nothing in {_batches(proof)} can be compared with a baseline; {_some(reasons)}"
        )


def _limits(template: Template, proof: Proof, comparison: Comparison) -> Iterator[str]:
    yield from notes(comparison)
    others = sum(not _belongs(record, template) for record in proof.records)
    if others:
        yield f"Runs of other specialists in the batches, not in this snapshot: {others}."
    if template.deprecation:
        yield f"The template is deprecated. {template.deprecation.reason}".rstrip()
    yield NO_STATISTICS


def _belongs(record: RunRecord, template: Template) -> bool:
    """A baseline run, or one of this template."""
    ref = record.cell.specialist
    return ref is None or (ref.name, ref.version) == (template.name, template.version)


def _planned(planned: Planned) -> str:
    cell = planned.cell
    return f"{cell.suite}/{cell.scenario} {cell.tier} {cell.who} #{planned.iteration}"


def _batches(proof: Proof) -> str:
    listed = ", ".join(map(repr, proof.batches))
    return f"batch {listed}" if len(proof.batches) == 1 else f"batches {listed}"


def _is(proof: Proof) -> str:
    return "is" if len(proof.batches) == 1 else "are"


def _some(items: Iterable[str]) -> str:
    known = list(items)
    more = f"; and {len(known) - FEW} more" if len(known) > FEW else ""
    return "; ".join(known[:FEW]) + more
