"""Whether a snapshot is as it was minted: everything computed again, offline, in one reading.

What can be said precisely is looked at first, so that the first thing that does not hold names a
run and a number; that a file has changed at all comes after.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.domain.digests import bytes_digest
from harness.domain.scoring import is_success, total_score
from harness.errors import UsageError
from harness.load.snapshots import parse_snapshot
from harness.report.stats import PRECISION
from harness.specialists.bundle import artifacts_of, read_record, unpack
from harness.specialists.canonical import GENESIS, canonical, canonical_digest
from harness.specialists.merkle import root
from harness.specialists.numbering import sibling
from harness.specialists.provenance import (
    BUNDLE,
    ENVELOPE_SUFFIX,
    FORMAT,
    SNAPSHOT,
    SUFFIXES,
    batch_counts,
    links_of,
    statement,
    template_part,
)
from harness.specialists.runs import record_of, run_document
from harness.specialists.signing import (
    Envelope,
    PublicKey,
    holds,
    is_key,
    read_envelope,
)
from harness.specialists.snapshot import compared, comparison_document

Document = dict[str, Any]

TOLERANCE = 1e-9
"""Between what two machines compute of the same numbers."""
SHOWN = 200
"""Characters of a value in a message."""

NEVER = (
    "that the provider served the model it names",
    "that the graders' verdicts are true of the work",
    "that these scenarios stand for yours",
)
"""What no verification of files can show; always said."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first thing that does not hold."""

    place: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found to hold, in order, and what was not."""

    path: Path
    name: str
    runs: int
    held: tuple[str, ...]
    flaw: Flaw | None
    signer: str | None
    """The id of the key whose signature holds."""
    notes: tuple[str, ...] = ()
    """What was not looked at."""

    @property
    def ok(self) -> bool:
        """Everything that was looked at holds."""
        return self.flaw is None


class _Found(Exception):
    def __init__(self, place: str, expected: object, found: object) -> None:
        super().__init__(place)
        self.flaw = Flaw(place, _shown(expected), _shown(found))


@dataclass(slots=True)
class _Case:
    """A snapshot under examination, filled in step by step."""

    path: Path
    key: PublicKey | None
    bundle: bool
    data: bytes = b""
    document: Document = field(default_factory=dict)
    runs: list[Document] = field(default_factory=list)
    provenance: Document = field(default_factory=dict)
    envelope: Envelope = field(default_factory=lambda: Envelope(b""))
    signer: str | None = None
    notes: list[str] = field(default_factory=list)


def verify(path: Path, *, key: PublicKey | None = None, bundle: bool = False) -> Verdict:
    """Examine a snapshot; raises UsageError when there is no such file.

    With a key it has to be signed by that; with `bundle` the stored records beside it are read.
    """
    if not path.is_file():
        raise UsageError(f"there is no snapshot {str(path)!r}")
    case, held, flaw = _Case(path, key, bundle), list[str](), None
    try:
        for what, step in STEPS:
            if said := step(case):
                held.append(f"{what}: {said}")
    except _Found as found:
        flaw = found.flaw
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
    ) as error:
        # what is read was written by anyone: a shape that no snapshot has
        flaw = Flaw(path.name, "a snapshot", f"{type(error).__name__}: {_shown(str(error))}")
    name = case.document.get("name")
    return Verdict(
        path=path,
        name=name if isinstance(name, str) else path.name,
        runs=len(case.runs) if isinstance(case.runs, list) else 0,
        held=tuple(held),
        flaw=flaw,
        signer=None if flaw else case.signer,
        notes=tuple(case.notes),
    )


def _structure(case: _Case) -> str:
    case.data = case.path.read_bytes()
    case.document = parse_snapshot(case.data)
    case.runs = case.document["benchmarks"]["runs"]
    case.provenance = case.document["snapshot_metadata"]["provenance"]
    if "chain" not in case.provenance:
        raise _Found(
            "/snapshot_metadata/provenance/chain", "a chain of digests",
            "nothing: this snapshot was minted before there was provenance; mint it again",
        )  # fmt: skip
    _same("/snapshot_metadata/provenance/format", FORMAT, case.provenance["format"])
    return f"{len(case.data):,} bytes, minted by {case.document['snapshot_metadata']['minted_by']}"


def _scores(case: _Case) -> str:
    for number, run in enumerate(case.runs):
        place = f"/benchmarks/runs/{number}"
        record = record_of(run)
        total = None if record.fault else total_score(record.checks)
        _same(f"{place}/overall_score", total, run["overall_score"])
        weighted = None if total is None else round(10 * total, PRECISION)
        _same(f"{place}/weighted_score", weighted, run["weighted_score"])
        passed = not record.fault and is_success(record.checks, total, record.threshold)
        _same(f"{place}/passed", passed, run["passed"])
        _same(f"{place}/status", record.status, run["status"])
        for name, each in run["evaluations"].items():
            if each["score"] is not None and not 0 <= each["score"] <= 1:
                where = f"{place}/evaluations/{name}/score"
                raise _Found(where, "a score from 0 to 1", each["score"])
            expected = None if each["score"] is None else each["score"] == 1
            _same(f"{place}/evaluations/{name}/passed", expected, each["passed"])
    return f"{len(case.runs):,} runs scored again from their evaluations"


def _chain(case: _Case) -> str:
    stated = case.provenance["chain"]
    place, links = "/snapshot_metadata/provenance/chain", stated["links"]
    _same(f"{place}/genesis", GENESIS, stated["genesis"])
    texts = [canonical(run) for run in case.runs]
    ids = [run["run_id"] for run in case.runs]
    for number, (run, text, link) in enumerate(zip(ids, texts, links, strict=False)):
        _same(f"/benchmarks/runs/{number}/run_id", link["run"], run)
        _same(f"/benchmarks/runs/{number}", link["digest"], bytes_digest(text))
    _same("/benchmarks/runs, how many", len(links), len(case.runs))
    twice = next((run for run, number in Counter(ids).items() if number > 1), None)
    _same("/benchmarks/runs, a run that is there twice", None, twice)
    head = GENESIS
    for number, link in enumerate(links_of(tuple(zip(ids, texts, strict=True)), links)):
        _same(f"{place}/links/{number}/hash", link.digest, links[number]["hash"])
        head = link.digest
    _same(f"{place}/head", head, stated["head"])
    _same(f"{place}/root", root(texts), stated["root"])
    here = batch_counts(case.runs)
    for number, batch in enumerate(case.provenance["batches"]):
        where = f"/snapshot_metadata/provenance/batches/{number}/here"
        _same(where, here.get(batch["id"], 0), batch["here"])
    return f"{len(links):,} links, head {head[:16]}…"


def _aggregates(case: _Case) -> str:
    document = case.document
    try:
        found = compared(case.runs, document["name"], document["version"])
    except UsageError as error:
        raise _Found("/benchmarks/runs", "runs of the same tasks", error) from error
    stated = document["benchmarks"].get("comparison")
    expected = comparison_document(found) if found else None
    for place, want, have in _differences("/benchmarks/comparison", expected, stated):
        raise _Found(place, want, have)
    return "the comparison computed again from the runs" if found else "there is no comparison"


def _template(case: _Case) -> str:
    place = "/snapshot_metadata/provenance/template"
    stated = case.provenance["template"]
    _same(f"{place}/content", canonical_digest(template_part(case.document)), stated["content"])
    _same(f"{place}/name", case.document["name"], stated["name"])
    _same(f"{place}/version", case.document["version"], stated["version"])
    return f"{stated['name']}@{stated['version']}, content {stated['content'][:16]}…"


def _statement(case: _Case) -> str:
    path = sibling(case.path, ENVELOPE_SUFFIX)
    if not path.is_file():
        raise _Found(path.name, "the envelope of the snapshot's statement", "no such file")
    try:
        case.envelope = read_envelope(path.read_bytes())
        stated = json.loads(case.envelope.payload)
    except ValueError as error:
        raise _Found(path.name, "the envelope as it was written", error) from error
    listed = {each["name"]: each["digest"]["sha256"] for each in stated["subject"]}
    files: dict[str, str] = {}
    for name, digest in listed.items():
        suffix = SUFFIXES.get(name)
        beside = sibling(case.path, suffix) if suffix else None
        if name == SNAPSHOT:
            # whatever it is called: this is the file that was read
            files[name] = bytes_digest(case.data)
            _same(f"{case.path.name}, sha256", digest, files[name])
        elif beside and beside.is_file():
            files[name] = bytes_digest(beside.read_bytes())
            _same(f"{beside.name}, sha256", digest, files[name])
        elif beside:
            files[name] = digest
            case.notes.append(f"{beside.name} is not here")
    if SNAPSHOT not in files:
        raise _Found(f"{path.name}, /subject", SNAPSHOT, ", ".join(listed))
    _named(case, files)
    expected = json.loads(statement(case.document, files))
    for place, want, have in _differences(path.name, expected, stated):
        raise _Found(place, want, have)
    _same(f"{path.name}, payload", statement(case.document, files), case.envelope.payload)
    return f"in-toto statement about {', '.join(files)}"


def _named(case: _Case, files: dict[str, str]) -> None:
    """What stands beside the snapshot under its names, and is in no statement."""
    for name, suffix in SUFFIXES.items():
        beside = sibling(case.path, suffix)
        if name not in files and beside.is_file():
            raise _Found(beside.name, "a file that the statement names", "one it does not name")


def _signature(case: _Case) -> str:
    signer, signatures = case.provenance["signer"], case.envelope.signatures
    path = sibling(case.path, ENVELOPE_SUFFIX).name
    if signer is None:
        if signatures:
            raise _Found(f"{path}, /signatures", "none: it was minted unsigned", len(signatures))
        if case.key:
            raise _Found(f"{path}, /signatures", f"one by {case.key.keyid}", "none: not signed")
        case.notes.append("not signed: anyone could have minted this")
        return ""
    place = "/snapshot_metadata/provenance/signer"
    if not is_key(signer["public_key"]):
        raise _Found(f"{place}/public_key", "an Ed25519 key", signer["public_key"])
    public = PublicKey(signer["public_key"])
    _same(f"{place}/keyid", public.keyid, signer["keyid"])
    if case.key:
        _same(f"{place}/public_key", case.key.hex, public.hex)
    _same(f"{path}, /signatures", [public.keyid], [keyid for keyid, _ in signatures])
    if not holds(case.envelope, public):
        raise _Found(f"{path}, /signatures/0/sig", f"a signature by {public.keyid}", "another")
    case.signer = public.keyid
    if not case.key:
        case.notes.append("whose key it is, only you can know: give --key to require one")
    return f"Ed25519 by {public.keyid[:16]}…"


def _bundle(case: _Case) -> str:
    path = sibling(case.path, SUFFIXES[BUNDLE])
    if not case.bundle:
        if path.is_file():
            case.notes.append("the bundle's digest holds; its records were not read (--bundle)")
        return ""
    if not path.is_file():
        raise _Found(path.name, "a bundle", "no such file")
    try:
        found = unpack(path.read_bytes())
    except ValueError as error:
        raise _Found(path.name, "a bundle", error) from error
    for digest, data in found.objects.items():
        _same(f"{path.name}, objects/{digest}", digest, bytes_digest(data))
    _same(f"{path.name}, records", len(case.runs), len(found.records))
    links = case.provenance["chain"]["links"]
    for number, line in enumerate(found.records):
        where = f"{path.name}, record {number + 1}"
        _same(f"{where}, sha256", links[number]["record"], bytes_digest(line))
        record = read_record(line)
        for place, want, have in _differences(
            f"/benchmarks/runs/{number}", run_document(record), case.runs[number]
        ):
            raise _Found(place, want, have)
        for artifact in artifacts_of(record):
            if artifact.digest not in found.objects:
                raise _Found(f"{where}, {artifact.name}", f"objects/{artifact.digest}", "nothing")
    return f"{len(found.records):,} stored records and {len(found.objects):,} outputs"


STEPS: Sequence[tuple[str, Callable[[_Case], str]]] = (
    ("structure", _structure),
    ("scores", _scores),
    ("chain of runs", _chain),
    ("aggregates", _aggregates),
    ("template", _template),
    ("files", _statement),
    ("signature", _signature),
    ("bundle", _bundle),
)


def _same(place: str, expected: object, found: object) -> None:
    for where, want, have in _differences(place, expected, found):
        raise _Found(where, want, have)


def _differences(
    place: str, expected: object, found: object
) -> Iterator[tuple[str, object, object]]:
    """Where two JSON values differ, in the order of the first."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            yield from _differences(f"{place}/{key}", value, found.get(key))
        for key in found.keys() - expected.keys():
            yield f"{place}/{key}", "nothing", found[key]
    elif isinstance(expected, list) and isinstance(found, list):
        for number, (want, have) in enumerate(zip(expected, found, strict=False)):
            yield from _differences(f"{place}/{number}", want, have)
        if len(expected) != len(found):
            yield f"{place}, how many", len(expected), len(found)
    elif not _equal(expected, found):
        yield place, expected, found


def _equal(expected: object, found: object) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return math.isclose(expected, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(expected) is type(found) and expected == found


def _shown(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    text = text or "nothing"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
