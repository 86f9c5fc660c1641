"""What a project has: its templates, and its snapshots, ranked where they compare."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from harness.domain.digests import bytes_digest
from harness.domain.template import Deprecation, Template
from harness.errors import BadFile, UsageError, nearest
from harness.load.snapshots import parse_snapshot
from harness.load.template_files import is_enriched, version_key
from harness.load.templates import SUFFIXES, TEMPLATES, deprecation_of, load_template
from harness.report.claims import Verdict
from harness.specialists.cards import claim_of, interval_of, verdict_of
from harness.specialists.json5 import to_json5
from harness.specialists.numbering import sibling, snapshot_number
from harness.specialists.provenance import ENVELOPE_SUFFIX
from harness.specialists.runs import utc
from harness.specialists.signing import read_envelope
from harness.specialists.writing import read_exactly, replace_text

Document = dict[str, Any]

SNAPSHOTS = "snapshots"
PROMOTED = "promoted.json5"
BETTER = Verdict.BETTER.value
"""The comparison's verdict that promotion waits for."""
PROMOTED_COMMENT = (
    "The snapshots of this specialist that were made the one to use, the last one counts.\n"
    "Written by mint promote."
)

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
    tasks: frozenset[tuple[str, ...]]
    """What it was measured on: scenario, tier and the digest of the task."""
    improvement: float | None
    """None without a comparison."""
    interval: tuple[float, float] | None
    verdict: str | None
    claim: str
    simulated: bool
    """Every run was played by a script."""
    signed: bool
    """It has an envelope with a signature; whether that holds, only verifying tells."""
    deprecation: Deprecation | None = None
    promoted: bool = False
    best: bool = False
    """Of all that show a better specialist on the same tasks."""

    @property
    def ref(self) -> str:
        """How it is named on the command line."""
        return f"{self.name}@{self.version}#{self.number:03d}"


class Unreadable(NamedTuple):
    """A file that is not what its place says, and why not."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every template and snapshot that can be read, and what cannot."""

    templates: tuple[Template, ...]
    """The authors' own."""
    entries: tuple[Entry, ...]
    unreadable: tuple[Unreadable, ...]


def catalogue(root: Path) -> Catalogue:
    """What is below `root`/templates and `root`/snapshots, by name, version and number."""
    unreadable: list[Unreadable] = []
    templates = tuple(_templates(root / TEMPLATES, unreadable))
    entries = _entries(root, unreadable)
    promoted = frozenset(_all_promoted(root / SNAPSHOTS, unreadable))
    marked = [
        replace(each, promoted=each.path in promoted, deprecation=_deprecation(each, templates))
        for each in entries
    ]
    return Catalogue(templates, tuple(_with_best(marked)), tuple(unreadable))


def _templates(folder: Path, unreadable: list[Unreadable]) -> Iterator[Template]:
    found: list[Template] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in SUFFIXES and path.is_file():
            try:
                found.append(load_template(path, folder))
            except BadFile as error:
                more = f" (and {len(error.problems) - 1} more)" if error.problems[1:] else ""
                unreadable.append(Unreadable(path, error.problems[0] + more))
    authored = {each.name for each in found if not is_enriched(each.source)}
    for each in sorted(found, key=lambda each: (each.name, each.version_key)):
        # an enriched file is no template of its own, unless its author's is gone
        if not is_enriched(each.source) or each.name not in authored:
            yield each


def _entries(root: Path, unreadable: list[Unreadable]) -> list[Entry]:
    entries = []
    for path in sorted((root / SNAPSHOTS).rglob("snapshot-*.json5")):
        if snapshot_number(path.name) and path.is_file():
            try:
                entries.append(_read(path)[0])
            except BadFile as error:
                unreadable.append(Unreadable(path, error.problems[0]))
    return sorted(entries, key=lambda each: (each.name, version_key(each.version), each.number))


def _read(path: Path) -> tuple[Entry, Document]:
    """A snapshot's line and document; raises BadFile where it is none."""
    try:
        document = parse_snapshot(path.read_bytes())
        return entry_of(path, document), document
    except OSError as error:
        raise BadFile(path, [f"cannot be read: {error.strerror or error}"]) from error
    except KeyError as error:
        raise BadFile(path, [f"is no snapshot: {error} is missing"]) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise BadFile(path, [f"is no snapshot: {error}"]) from error


def entry_of(path: Path, document: Document) -> Entry:
    """A snapshot's line; raises what reading a document of another shape does."""
    runs = document["benchmarks"]["runs"]
    comparison = document["benchmarks"].get("comparison")
    return Entry(
        path=path,
        name=document["name"],
        version=document["version"],
        number=snapshot_number(path.name) or 0,
        created_at=document["snapshot_metadata"]["created_at"],
        runs=len(runs),
        scenarios=tuple(sorted({f"{run['suite']}/{run['scenario']}" for run in runs})),
        # the first version's runs have no digest of their task
        tasks=frozenset(
            (run["suite"], run["scenario"], run["tier"], run.get("task_digest", "")) for run in runs
        ),
        improvement=comparison and comparison["improvement"],
        interval=interval_of(comparison) if comparison else None,
        verdict=verdict_of(document),
        claim=claim_of(document),
        simulated=all(run["simulated"] for run in runs),
        signed=_is_signed(path),
        deprecation=deprecation_of(document.get("version_metadata", {})),
    )


class Choice(NamedTuple):
    """The snapshot that a reference means, and why that one where there were others."""

    path: Path
    why: str = ""


def choose_snapshot(root: Path, ref: str) -> Choice:
    """A snapshot by path or name; raises UsageError for one that is not there."""
    if ref.endswith(".json5"):
        return Choice(snapshot_file(root, ref))
    unreadable: list[Unreadable] = []
    entries = _entries(root, unreadable)
    found = choose(entries, ref)
    if found is None:
        hint = f" ({len(unreadable)} files there cannot be read: mint list)" if unreadable else ""
        raise UsageError(f"no snapshot {ref!r} in {root / SNAPSHOTS}; {_near(entries, ref)}{hint}")
    return found


def _near(entries: Sequence[Entry], ref: str) -> str:
    """What may have been meant: of a known name the snapshots that there are, else a name."""
    asked = _REF.fullmatch(ref)
    name = asked["name"] if asked else ref
    if own := _called(entries, name):
        return f"there is {', '.join(each.ref for each in own)}"
    is_whole = name.startswith("@")
    return nearest(
        name, {each.name if is_whole else each.name.rpartition("/")[2] for each in entries}
    )


def snapshot_file(root: Path, ref: str) -> Path:
    """A snapshot's file, seen from here or from the project; raises UsageError."""
    for path in (Path(ref), root / ref):
        if os.path.isfile(path):  # noqa: PTH113  # Path raises for names that are too long
            return path.absolute()
    raise UsageError(f"there is no snapshot {ref!r}, neither here nor in {root}")


def choose(entries: Sequence[Entry], ref: str) -> Choice | None:
    """The newest called name[@version][#number], with a comparison if any has one; None without.

    Raises UsageError for a name that two specialists have.
    """
    found = _called(entries, ref)
    names = sorted({each.name for each in found})
    if len(names) > 1:
        raise UsageError(f"{ref!r} means {' and '.join(names)}; write the whole name")
    if not found:
        return None
    chosen = ([each for each in found if each.improvement is not None] or found)[-1]
    return Choice(chosen.path, _why(chosen, found))


def _why(chosen: Entry, found: Sequence[Entry]) -> str:
    """What is said of the choice where there was one."""
    if len(found) == 1:
        return ""
    said = f"of {len(found)} snapshots the newest"
    if chosen.improvement is None:
        return f"{said}; none of them has a comparison"
    newer = found[found.index(chosen) + 1 :]
    if newer:
        refs = ", ".join(each.ref for each in newer)
        return f"{said} that compares; newer, but without a comparison: {refs}"
    return said


def matching(root: Path, ref: str) -> tuple[Entry, ...]:
    """The snapshots that a name stands for, the newest last; none where it names no snapshot."""
    return tuple(_called(_entries(root, []), ref))


def _called(entries: Sequence[Entry], ref: str) -> Sequence[Entry]:
    asked = _REF.fullmatch(ref)
    if not asked:
        return ()
    name, version, number = asked["name"], asked["version"], asked["number"]
    return [
        each
        for each in entries
        if name in (each.name, each.name.rpartition("/")[2])
        and version in (None, each.version)
        and (number is None or int(number) == each.number)
    ]


def read_entry(known: Catalogue, path: Path) -> tuple[Entry, Document]:
    """One snapshot, marked as the project has it; raises BadFile where it is none."""
    entry, document = _read(path)
    return next((each for each in known.entries if each.path == path), entry), document


def promote(path: Path, *, now: datetime, reason: str | None) -> Path:
    """Record that a snapshot is the one to use; raises UsageError where it is not proved.

    With a `reason` it is promoted all the same, and the reason stays in the record. The file is
    the project's: it lies in the specialist's folder and goes into version control.
    """
    entry, _ = _read(path)
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
    before = read_exactly(log) if log.exists() else None
    promotions = {"promotions": [*_promotions(log), promotion]}
    replace_text(log, before, to_json5(promotions, {(): PROMOTED_COMMENT}))
    return log


def promotion_of(path: Path) -> Document | None:
    """The promotion that makes this snapshot the one to use, if one does."""
    listed = _promotions(path.parent.parent / PROMOTED)
    last = listed[-1] if listed else None
    return last if last and last["snapshot"] == f"{path.parent.name}/{path.name}" else None


def _deprecation(entry: Entry, templates: Sequence[Template]) -> Deprecation | None:
    """What its template says today, in its own version or else the newest."""
    named = [each for each in templates if each.name == entry.name]
    own = [each for each in named if each.version == entry.version] or named
    return own[-1].deprecation if own else entry.deprecation


def _with_best(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The best for every set of tasks is marked; what shows no improvement is never the best."""
    best: dict[frozenset[tuple[str, ...]], Entry] = {}
    for each in entries:
        if each.verdict == BETTER:
            held = best.get(each.tasks)
            if held is None or _worth(each) > _worth(held):
                best[each.tasks] = each
    paths = {each.path for each in best.values()}
    yield from (replace(each, best=each.path in paths) for each in entries)


def _worth(entry: Entry) -> float:
    """What is certain at least."""
    return entry.interval[0] if entry.interval else entry.improvement or 0.0


def _is_signed(path: Path) -> bool:
    try:
        return bool(read_envelope(sibling(path, ENVELOPE_SUFFIX).read_bytes()).signatures)
    except (OSError, ValueError):
        return False


def _all_promoted(folder: Path, unreadable: list[Unreadable]) -> Iterator[Path]:
    for log in sorted(folder.glob(f"*/{PROMOTED}")):
        try:
            listed = _promotions(log)
        except BadFile as error:
            unreadable.append(Unreadable(log, error.problems[0]))
            continue
        if listed:
            yield log.parent / listed[-1]["snapshot"]


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
        "deprecated": entry.deprecation and asdict(entry.deprecation),
        "promoted": entry.promoted,
        "best": entry.best,
    }
