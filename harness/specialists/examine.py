"""What a snapshot says, computed again from its runs: step by step, to the first flaw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.domain.digests import bytes_digest
from harness.domain.record import RunRecord
from harness.domain.scoring import is_success, total_score
from harness.errors import UsageError
from harness.load.snapshots import minted_problems, read_snapshot
from harness.report.stats import PRECISION
from harness.report.words import plural
from harness.specialists.canonical import GENESIS, canonical, canonical_digest
from harness.specialists.flaws import DoesNotHold, same
from harness.specialists.merkle import root
from harness.specialists.numbering import sibling
from harness.specialists.provenance import (
    FORMAT,
    SNAPSHOT,
    SUFFIXES,
    batch_counts,
    links_of,
    template_part,
)
from harness.specialists.runs import record_of
from harness.specialists.signing import Envelope, PublicKey
from harness.specialists.snapshot import (
    METHODOLOGY,
    Compared,
    compared,
    comparison_document,
    metadata_document,
    suites_document,
)

Document = dict[str, Any]

PROVENANCE = "/snapshot_metadata/provenance"


@dataclass(slots=True)
class Case:
    """A snapshot under examination, filled in step by step."""

    path: Path
    key: PublicKey | None
    bundle: bool
    data: bytes = b""
    document: Document = field(default_factory=dict)
    runs: list[Document] = field(default_factory=list)
    records: tuple[RunRecord, ...] = ()
    found: Compared | None = None
    provenance: Document = field(default_factory=dict)
    envelope: Envelope = field(default_factory=lambda: Envelope(b""))
    signer: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def minted_by(self) -> str:
        """The version that minted."""
        return str(self.document["snapshot_metadata"]["minted_by"])

    def beside(self, name: str) -> Path:
        """Where a file of the statement is: the snapshot is the one that was read."""
        return self.path if name == SNAPSHOT else sibling(self.path, SUFFIXES[name])


def structure(case: Case) -> str:
    """It is a snapshot that can be verified."""
    case.data = case.path.read_bytes()
    read = read_snapshot(case.data)
    stated = _provenance_of(read.document)
    if not read.problems and "chain" not in stated:
        raise DoesNotHold(
            f"{PROVENANCE}/chain", "a chain of digests",
            "nothing: this snapshot was minted before there was provenance; mint it again",
        )  # fmt: skip
    if isinstance(stated.get("format"), int):
        # of another format the schema knows nothing
        same(f"{PROVENANCE}/format", FORMAT, stated["format"])
    problems = read.problems or minted_problems(read)
    if problems:
        found = problems[0] if len(problems) == 1 else f"{len(problems)} problems"
        raise DoesNotHold(case.path.name, "a snapshot", found, problems)
    case.document = read.document
    case.runs = case.document["benchmarks"]["runs"]
    case.provenance = stated
    return f"{len(case.data):,} bytes, minted by {case.minted_by}"


def _provenance_of(document: Document) -> Document:
    """The provenance, where it is; that of something else has what the schema will miss."""
    metadata = document.get("snapshot_metadata")
    found = metadata.get("provenance") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {"chain": None}


def scores(case: Case) -> str:
    """Each run's total and verdict follow from its evaluations."""
    case.records = tuple(_record(run, number) for number, run in enumerate(case.runs))
    for number, (run, record) in enumerate(zip(case.runs, case.records, strict=True)):
        place = f"/benchmarks/runs/{number}"
        total = None if record.fault else total_score(record.checks)
        expected = {
            "overall_score": total,
            "weighted_score": None if total is None else round(10 * total, PRECISION),
            "passed": not record.fault and is_success(record.checks, total, record.threshold),
            "status": record.status,
            "specialist_enabled": record.cell.specialist is not None,
            "partly_graded": record.partly_graded or None,
        }
        for name, value in expected.items():
            same(f"{place}/{name}", value, run.get(name))
        if tokens := run.get("telemetry", {}).get("token_usage"):
            total = tokens["prompt_tokens"] + tokens["completion_tokens"]
            same(f"{place}/telemetry/token_usage/total_tokens", total, tokens["total_tokens"])
        for name, each in run["evaluations"].items():
            full = None if each["score"] is None else each["score"] == 1
            same(f"{place}/evaluations/{name}/passed", full, each["passed"])
    return f"{len(case.runs):,} runs scored again from their evaluations"


def _record(run: Document, number: int) -> RunRecord:
    try:
        return record_of(run)
    except ValueError as error:
        # the schema knows the form of a date, and not how long months are
        place = f"/benchmarks/runs/{number}/run_date"
        raise DoesNotHold(place, "a date and time", run["run_date"]) from error


def chain(case: Case) -> str:
    """No run was changed, left out, added or moved."""
    stated = case.provenance["chain"]
    place, links = f"{PROVENANCE}/chain", stated["links"]
    same(f"{place}/genesis", GENESIS, stated["genesis"])
    texts = [canonical(run) for run in case.runs]
    ids = [run["run_id"] for run in case.runs]
    for number, (run, text, link) in enumerate(zip(ids, texts, links, strict=False)):
        same(f"/benchmarks/runs/{number}/run_id", link["run"], run)
        same(f"/benchmarks/runs/{number}", link["digest"], bytes_digest(text))
    same("/benchmarks/runs, how many", len(links), len(case.runs))
    for run, times in Counter(ids).items():
        same(f"/benchmarks/runs, {run}, how many", 1, times)
    head = GENESIS
    for number, link in enumerate(links_of(tuple(zip(ids, texts, strict=True)), links)):
        same(f"{place}/links/{number}/hash", link.digest, links[number]["hash"])
        head = link.digest
    same(f"{place}/head", head, stated["head"])
    same(f"{place}/root", root(texts), stated["root"])
    return f"{len(links):,} links, head {head[:16]}…"


def aggregates(case: Case) -> str:
    """The comparison follows from the runs."""
    document = case.document
    try:
        case.found = compared(case.records, document["name"], document["version"])
    except UsageError as error:
        raise DoesNotHold("/benchmarks/runs", "runs of the same tasks", str(error)) from error
    stated = {"comparison": None} | document["benchmarks"]
    expected = {
        "test_suites": suites_document(case.runs),
        "comparison": comparison_document(case.found) if case.found else None,
    }
    for name, value in expected.items():
        same(f"/benchmarks/{name}", value, stated[name])
    same("/benchmarks/scoring/methodology", METHODOLOGY, stated["scoring"].get("methodology"))
    return "the comparison computed again from the runs" if case.found else "there is no comparison"


def template(case: Case) -> str:
    """The template's words are those that were minted."""
    stated = case.provenance["template"]
    same("/name", stated["name"], case.document["name"])
    same("/version", stated["version"], case.document["version"])
    found = canonical_digest(template_part(case.document))
    same("the template's words, sha256", stated["content"], found)
    return f"{stated['name']}@{stated['version']}, content {found[:16]}…"


def limits(case: Case) -> str:
    """What the averages do not say, and where the runs are from, follows from the runs."""
    here, place = batch_counts(case.runs), f"{PROVENANCE}/batches"
    batches = case.provenance["batches"]
    for batch, times in Counter(each["id"] for each in batches).items():
        same(f"{place}, {batch}, how many", 1, times)
    for batch in sorted(here.keys() - {each["id"] for each in batches}):
        raise DoesNotHold(place, f"batch {batch!r}, which has runs here", "no such batch")
    for number, batch in enumerate(batches):
        found = here.get(batch["id"], 0)
        same(f"{place}/{number}/here", found, batch["here"])
        if batch["planned"] is not None and batch["planned"] < found:
            where = f"{place}/{number}/planned"
            raise DoesNotHold(where, f"at least {found}, which are here", batch["planned"])
    stated = case.document["snapshot_metadata"]
    expected = metadata_document(
        case.document, case.provenance, case.records, case.found, stated["created_at"]
    )
    same("/snapshot_metadata", expected, stated)
    known = plural(len(case.provenance["limits"]), "caveat")
    return f"{known} and what the runs are from, computed again from them"
