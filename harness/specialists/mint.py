"""Minting: a template and the finished batches that prove it become a numbered snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.domain.digests import bytes_digest
from harness.domain.ids import BatchId, Digest
from harness.domain.record import RunRecord
from harness.domain.template import Template
from harness.errors import UsageError
from harness.load.templates import check_snapshot
from harness.report.compare import Comparison, specialists
from harness.report.reused import each_once
from harness.report.stats import counts, standing
from harness.specialists.bundle import Bundle, record_digest
from harness.specialists.cards import markdown_card
from harness.specialists.json5 import to_json5
from harness.specialists.limits import one_sided, some
from harness.specialists.numbering import write_numbered
from harness.specialists.page import html_card
from harness.specialists.provenance import (
    BUNDLE,
    CARD,
    ENVELOPE_SUFFIX,
    PAGE,
    SNAPSHOT,
    SUFFIXES,
    Sources,
    batch_counts,
    provenance_document,
    statement,
)
from harness.specialists.runs import record_of, run_document
from harness.specialists.signing import SigningKey, envelope_text, seal
from harness.specialists.snapshot import (
    Compared,
    comments,
    compared,
    snapshot_document,
    template_document,
)
from harness.store.base import Artifacts, Planned, Store


@dataclass(frozen=True, slots=True)
class Proof:
    """What some batches hold: every run, and the planned ones that are still missing."""

    batches: tuple[BatchId, ...]
    records: tuple[RunRecord, ...]
    missing: tuple[tuple[BatchId, Planned], ...] = ()
    planned: Mapping[BatchId, int] = field(default_factory=dict)
    """How many runs were ever asked of each."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a snapshot is to be minted."""

    require_comparison: bool = False
    """Refuse where there is nothing to compare with."""
    key: SigningKey | None = None
    sources: Sources = field(default_factory=Sources)
    artifacts: Artifacts | None = None
    """Where a bundle takes the runs' outputs from; no bundle without."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A snapshot on disk and what it says in short."""

    path: Path
    number: int
    name: str
    version: str
    source: Path
    """The template's file: an enriched one, where the runs wore that."""
    compared: Compared | None
    """None where the batches hold one side only."""
    limits: tuple[str, ...]
    """What somebody who reads only the averages must know."""
    files: tuple[Path, ...] = ()
    """What stands beside it."""
    signed_by: str | None = None
    """The id of the key."""

    @property
    def comparison(self) -> Comparison | None:
        """The averages of both sides."""
        return self.compared.averages if self.compared else None


def read_proof(store: Store, batches: Sequence[BatchId]) -> Proof:
    """Everything that a store holds of some batches; raises UsageError for an unknown one."""
    ids = tuple(dict.fromkeys(batches))
    missing = tuple((batch, planned) for batch in ids for planned in store.missing(batch))
    records = each_once(r for batch in ids for r in store.runs(batch))
    return Proof(ids, records, missing, {batch: store.batch(batch).planned for batch in ids})


def mint(
    template: Template, proof: Proof, *, output: Path, now: datetime, terms: Terms | None = None
) -> Minted:
    """Write `<output>/<name>/<version>/snapshot-NNN.json5`, its envelope and its cards.

    Raises UsageError where the batches prove nothing about this template, StoreFault where the
    snapshot cannot be written; then there is no new snapshot.
    """
    terms = terms or Terms()
    _require_finished(proof)
    own = [record for record in proof.records if _belongs(record, template)]
    _require_own_runs(template, proof, own)
    _require_same_tasks(own)
    runs = [run_document(record) for record in own]
    found = compared(tuple(map(record_of, runs)), template.name, template.version)
    if found is None and terms.require_comparison:
        why = one_sided(f"{template.name}@{template.version}", own)
        raise UsageError(f"{_batches(proof)}: {why} (--require-comparison)")
    signer = terms.key.public if terms.key else None
    sources = replace(
        terms.sources,
        batches=_batch_documents(proof, runs),
        records={record.id: record_digest(record) for record in own},
    )
    provenance = provenance_document(template_document(template), runs, sources, signer)
    document = snapshot_document(template, runs, found, provenance, now)
    check_snapshot(document)
    beside = _files(document, found, own, terms)
    folder = output / template.short_name / template.version
    written = write_numbered(folder, beside.pop(SUFFIXES[SNAPSHOT]), beside, first=ENVELOPE_SUFFIX)
    return Minted(
        path=written.path,
        number=written.number,
        name=template.name,
        version=template.version,
        source=template.source,
        compared=found,
        limits=tuple(document["snapshot_metadata"]["provenance"]["limits"]),
        files=written.beside,
        signed_by=signer.keyid if signer else None,
    )


def _files(
    document: dict[str, Any],
    found: Compared | None,
    own: Sequence[RunRecord],
    terms: Terms,
) -> dict[str, bytes]:
    """What is written, by the ending of its name."""
    files = {
        SNAPSHOT: to_json5(document, comments(found)).encode(),
        CARD: markdown_card(document).encode(),
        PAGE: html_card(document).encode(),
    }
    if terms.artifacts:
        files[BUNDLE] = Bundle.of(own, terms.artifacts).packed()
    stated = statement(document, {name: bytes_digest(data) for name, data in files.items()})
    return {
        **{SUFFIXES[name]: data for name, data in files.items()},
        ENVELOPE_SUFFIX: envelope_text(seal(stated, terms.key)),
    }


def _batch_documents(proof: Proof, runs: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    here = batch_counts(runs)
    return tuple(
        {
            "id": batch,
            "planned": proof.planned.get(batch),
            "here": here.get(batch, 0),
        }
        for batch in proof.batches
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
            f" ({some(waiting)}); first: {' and '.join(resumes)}"
        )
    if not proof.records:
        raise UsageError(f"{_batches(proof)} {_is(proof)} empty: there is nothing to mint from")


def _require_own_runs(template: Template, proof: Proof, own: Sequence[RunRecord]) -> None:
    """Runs of this template or of a baseline exist, and were made from it as it is now."""
    ref = f"{template.name}@{template.version}"
    if not own:
        there = some(candidates(proof)) or "none at all"
        raise UsageError(
            f"no run of {ref} is in {_batches(proof)}, and no baseline; the specialists that"
            f" worked there: {there}"
        )
    for record in own:
        then = record.cell.specialist
        if then and then.digest != template.digest:
            raise UsageError(
                f"the template {ref} has changed since its runs: {record.id} was made with the"
                f" words {then.digest[:16]}…, {template.source} now has {template.digest[:16]}…;"
                " raise its version and run it again, or take the change back"
            )


def _require_same_tasks(own: Sequence[RunRecord]) -> None:
    """What is compared was given the same task, graded the same way."""
    tasks: dict[tuple[str, ...], dict[Digest, list[RunRecord]]] = {}
    for record in filter(counts, standing(own)):
        cell = record.cell
        key = (cell.suite, cell.scenario, cell.tier, cell.agent, cell.model or "")
        tasks.setdefault(key, {}).setdefault(record.task_digest, []).append(record)
    listed = [
        f"{suite}/{scenario} {tier}: {_digests(found)}"
        for (suite, scenario, tier, *_), found in tasks.items()
        if len(found) > 1
        and len({r.cell.specialist is None for f in found.values() for r in f}) > 1
    ]
    if listed:
        raise UsageError(
            "these runs were not given the same task, and cannot be compared; run them again, or"
            " mint from batches that fit:\n  " + "\n  ".join(listed)
        )


def _digests(found: Mapping[Digest, Sequence[RunRecord]]) -> str:
    return "; ".join(
        f"{digest[:16]}… had {some([record.id for record in records])}"
        for digest, records in found.items()
    )


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
