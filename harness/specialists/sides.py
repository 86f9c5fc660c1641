"""The two sides of a comparison: which file a reference means, and what of it can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.load.enriched import SUFFIXES
from harness.load.files import read_document
from harness.load.template_files import (
    TEMPLATES,
    existing,
    find_file,
    is_enriched,
    named,
    without_enrichment,
)
from harness.load.templates import resolve_template
from harness.specialists.catalogue import SNAPSHOTS, catalogue, choose

PROVEN = ("benchmarks", "snapshot_metadata", "$schema")
"""What a snapshot has and its template has not, or has otherwise."""


class Kind(StrEnum):
    """What a file is."""

    AUTHORED = "the author's file"
    ENRICHED = "an enriched file"
    SNAPSHOT = "a snapshot"


@dataclass(frozen=True, slots=True)
class Side:
    """One of two that are compared."""

    ref: str
    path: Path
    kind: Kind
    value: Any

    @property
    def by_name(self) -> bool:
        """A name was asked for, and any file of it would do."""
        return not self.ref.endswith(SUFFIXES)


def find_side(root: Path, ref: str) -> Side:
    """What is at a path, or of a name and a version; `#` names a snapshot by its number.

    A version that its template has left is looked for among enriched files, then among snapshots.
    Raises UsageError naming what can be had.
    """
    path = _path(root, ref)
    value = read_document(path).value
    kind = Kind.ENRICHED if is_enriched(path) else Kind.AUTHORED
    if isinstance(value, dict) and "snapshot_metadata" in value:
        kind = Kind.SNAPSHOT
    return Side(ref, path, kind, value)


def comparable(before: Side, after: Side, root: Path, *, resolved: bool) -> tuple[Any, Any]:
    """Both as far as both have it: what one of them alone can have is no difference."""
    sides = (before, after)
    kinds = {side.kind for side in sides}
    is_mixed = len(kinds) > 1 and Kind.SNAPSHOT in kinds
    values = []
    for side in sides:
        value = side.value
        if side.kind is not Kind.SNAPSHOT and (resolved or is_mixed):
            value = resolve_template(side.path, root / TEMPLATES).value
        if is_mixed:
            value = {key: each for key, each in value.items() if key not in PROVEN}
        if _leaves_out_enrichment(sides) and isinstance(value, dict):
            value = without_enrichment(value)
        values.append(value)
    return values[0], values[1]


def notes(before: Side, after: Side) -> Iterator[str]:
    """What somebody should know of the choice."""
    for side in (before, after):
        if side.by_name and side.kind is not Kind.AUTHORED and "#" not in side.ref:
            taken = f"{side.kind} of it, {side.path.name}, is compared"
            yield f"no author's file has {side.ref} any more: {taken}"
    if _leaves_out_enrichment((before, after)):
        yield "what a model drew from documents is left out: one side is the author's own file"


def _leaves_out_enrichment(sides: tuple[Side, Side]) -> bool:
    """Two versions were asked for, and only one is to be had as its author wrote it."""
    kinds = [side.kind for side in sides]
    return any(side.by_name for side in sides) and kinds.count(Kind.AUTHORED) == 1


def _path(root: Path, ref: str) -> Path:
    if ref.endswith(SUFFIXES):
        return existing(root, ref)
    missing = f"there is no snapshot {ref!r}"
    if "#" not in ref:
        try:
            named(root / TEMPLATES, ref)
        except UsageError as error:
            missing = str(error)
        else:
            return find_file(root, ref, enriched=False).path
    entries = catalogue(root).entries
    if chosen := choose(entries, ref):
        return chosen.path
    bare = ref.partition("#")[0]
    name = bare[:1] + bare[1:].partition("@")[0]
    there = [each.ref for each in entries if name in (each.name, each.name.rpartition("/")[2])]
    raise UsageError(f"{missing}; {SNAPSHOTS}/ has {', '.join(there) or 'nothing of it'}")
