"""The snapshots of a project: found by name, ranked where they compare, promoted when proved."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.domain.digests import bytes_digest
from harness.errors import BadFile, StoreFault, UsageError, nearest
from harness.load.snapshots import parse_snapshot
from harness.report.claims import Verdict
from harness.specialists.cards import claim_of, interval_of, verdict_of
from harness.specialists.json5 import to_json5
from harness.specialists.numbering import sibling
from harness.specialists.provenance import ENVELOPE_SUFFIX
from harness.specialists.runs import utc
from harness.specialists.signing import read_envelope

Document = dict[str, Any]

SNAPSHOTS = "snapshots"
PROMOTED = "promoted.json5"
BETTER = Verdict.BETTER.value
"""The comparison's verdict that promotion waits for."""
PROMOTED_COMMENT = (
    "The snapshots of this specialist that were made the one to use, the last one counts.\n"
    "Written by mint promote."
)

_FILE = re.compile(r"snapshot-(\d{3,})\.json5")
_REF = re.compile(r"(?P<name>(?:@[^@/]+/)?[^@/#]+)(?:@(?P<version>[^@/#]+))?(?:#(?P<number>\d+))?")


@dataclass(frozen=True, slots=True)
class Entry:
    """A snapshot in a line."""

    path: Path
    name: str
    version: str
    number: int
    created_at: str
    runs: int
    scenarios: tuple[str, ...]
    """What it was measured on: suite/scenario and tier."""
    improvement: float | None
    """None without a comparison."""
    interval: tuple[float, float] | None
    verdict: str | None
    claim: str
    simulated: bool
    """Every run was played by a script."""
    signed: bool
    """It has an envelope with a signature; whether that holds, only verifying tells."""
    promoted: bool = False
    best: bool = False
    """Of all snapshots that were measured on the same scenarios."""

    @property
    def ref(self) -> str:
        """How it is named on the command line."""
        return f"{self.name}@{self.version}#{self.number:03d}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every snapshot that can be read, and what cannot."""

    entries: tuple[Entry, ...]
    unreadable: tuple[Path, ...]


def catalogue(root: Path) -> Catalogue:
    """What is below `root`/snapshots, by name, version and number."""
    entries, unreadable = [], []
    for path in sorted((root / SNAPSHOTS).rglob("snapshot-*.json5")):
        if _FILE.fullmatch(path.name) and path.is_file():
            try:
                entries.append(entry_of(path, parse_snapshot(path.read_bytes())))
            except (ValueError, KeyError, TypeError, AttributeError, OSError):
                unreadable.append(path)
    entries.sort(key=lambda each: (each.name, _version_key(each.version), each.number))
    promoted = _all_promoted(root / SNAPSHOTS)
    marked = [replace(each, promoted=each.path in promoted) for each in entries]
    return Catalogue(tuple(_with_best(marked)), tuple(unreadable))


def entry_of(path: Path, document: Document) -> Entry:
    """A snapshot's line; raises what reading a document of another shape does."""
    runs = document["benchmarks"]["runs"]
    comparison = document["benchmarks"].get("comparison")
    number = _FILE.fullmatch(path.name)
    return Entry(
        path=path,
        name=document["name"],
        version=document["version"],
        number=int(number[1]) if number else 0,
        created_at=document["snapshot_metadata"]["created_at"],
        runs=len(runs),
        scenarios=tuple(sorted({f"{r['suite']}/{r['scenario']} {r['tier']}" for r in runs})),
        improvement=comparison and comparison["improvement"],
        interval=interval_of(comparison) if comparison else None,
        verdict=verdict_of(document),
        claim=claim_of(document),
        simulated=all(run["simulated"] for run in runs),
        signed=_is_signed(path),
    )


def find_snapshot(root: Path, ref: str) -> Path:
    """A snapshot by path or as name[@version][#number], the newest that fits.

    Raises UsageError for one that is not there.
    """
    if ref.endswith(".json5"):
        for path in (Path(ref), root / ref):
            if os.path.isfile(path):  # noqa: PTH113  # Path raises for names that are too long
                return path.absolute()
        raise UsageError(f"there is no snapshot {ref!r}, neither here nor in {root}")
    found = matching(root, ref)
    if not found:
        known = {each.name for each in catalogue(root).entries}
        name = ref.removeprefix("@").partition("@")[0]
        raise UsageError(f"no snapshot {ref!r} in {root / SNAPSHOTS}; {nearest(f'@{name}', known)}")
    return found[-1].path


def matching(root: Path, ref: str) -> tuple[Entry, ...]:
    """The snapshots that a name stands for, the newest last; none where it names no snapshot."""
    asked = _REF.fullmatch(ref)
    if not asked:
        return ()
    name, version, number = asked["name"], asked["version"], asked["number"]
    return tuple(
        each
        for each in catalogue(root).entries
        if name in (each.name, each.name.rpartition("/")[2])
        and version in (None, each.version)
        and (number is None or int(number) == each.number)
    )


def read_entry(root: Path, path: Path) -> tuple[Entry, Document]:
    """One snapshot, marked as the project has it; raises BadFile where it is none."""
    try:
        document = parse_snapshot(path.read_bytes())
        entry = entry_of(path, document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(path, [f"is no snapshot: {error}"]) from error
    known = {each.path: each for each in catalogue(root).entries}
    return known.get(path, entry), document


def promote(path: Path, *, now: datetime, reason: str | None) -> Path:
    """Record that a snapshot is the one to use; raises UsageError where it is not proved.

    With a `reason` it is promoted all the same, and the reason stays in the record. The file is
    the project's: it lies in the specialist's folder and goes into version control.
    """
    entry = entry_of(path, parse_snapshot(path.read_bytes()))
    if entry.verdict != BETTER and reason is None:
        raise UsageError(
            f"{entry.ref} is not promoted: it does not show that the specialist is better."
            f" {entry.claim} To promote it all the same: --force --reason '…'"
        )
    log = path.parent.parent / PROMOTED
    promotion = {
        "snapshot": f"{path.parent.name}/{path.name}",
        "version": entry.version,
        "number": entry.number,
        "sha256": bytes_digest(path.read_bytes()),
        "promoted_at": utc(now),
        "verdict": entry.verdict,
        "claim": entry.claim,
        "forced": entry.verdict != BETTER,
        **({"reason": reason} if reason else {}),
    }
    _rewrite(log, {"promotions": [*_promotions(log), promotion]})
    return log


def promotion_of(path: Path) -> Document | None:
    """The promotion that makes this snapshot the one to use, if one does."""
    listed = _promotions(path.parent.parent / PROMOTED)
    last = listed[-1] if listed else None
    return last if last and last["snapshot"] == f"{path.parent.name}/{path.name}" else None


def _with_best(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The best of every set of scenarios is marked; without a comparison nothing is best."""
    best: dict[tuple[str, ...], Entry] = {}
    for each in entries:
        if each.improvement is not None:
            held = best.get(each.scenarios)
            if held is None or _worth(each) > _worth(held):
                best[each.scenarios] = each
    paths = {each.path for each in best.values()}
    yield from (replace(each, best=each.path in paths) for each in entries)


def _worth(entry: Entry) -> tuple[bool, bool, float, float]:
    """Models before scripts, what is proved before what is not, then what is certain at least."""
    low = entry.interval[0] if entry.interval else float("-inf")
    return not entry.simulated, entry.verdict == BETTER, low, entry.improvement or 0.0


def _is_signed(path: Path) -> bool:
    try:
        return bool(read_envelope(sibling(path, ENVELOPE_SUFFIX).read_bytes()).signatures)
    except (OSError, ValueError):
        return False


def _all_promoted(folder: Path) -> frozenset[Path]:
    found = set()
    for log in folder.glob(f"*/{PROMOTED}"):
        listed = _promotions(log)
        if listed:
            found.add(log.parent / listed[-1]["snapshot"])
    return frozenset(found)


def _promotions(log: Path) -> list[Document]:
    if not log.is_file():
        return []
    try:
        listed = parse_snapshot(log.read_bytes())["promotions"]
        if all(isinstance(each["snapshot"], str) for each in listed):
            return list(listed)
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(log, [f"is no record of promotions: {error}"]) from error
    raise BadFile(log, ["is no record of promotions"])


def _rewrite(path: Path, document: Document) -> None:
    hidden = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        hidden.write_text(to_json5(document, {(): PROMOTED_COMMENT}), encoding="utf-8")
        hidden.replace(path)
    except OSError as error:
        raise StoreFault(f"could not write {path}: {error.strerror or error}") from error
    finally:
        hidden.unlink(missing_ok=True)


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else -1 for part in str(version).split("."))


def as_document(entry: Entry) -> Document:
    """A snapshot's line for programs."""
    low, high = entry.interval or (None, None)
    return {
        "ref": entry.ref,
        "name": entry.name,
        "version": entry.version,
        "number": entry.number,
        "path": str(entry.path),
        "created_at": entry.created_at,
        "runs": entry.runs,
        "scenarios": list(entry.scenarios),
        "improvement": entry.improvement,
        "low": low,
        "high": high,
        "verdict": entry.verdict,
        "claim": entry.claim,
        "simulated": entry.simulated,
        "signed": entry.signed,
        "promoted": entry.promoted,
        "best": entry.best,
    }
