"""Files with numbers of their own, whoever else is writing: 001, 002, and no number twice.

A snapshot and what stands beside it share a number. The name of the first file is the claim to
it, and the snapshot's own comes last: whoever sees a snapshot sees everything that belongs to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.domain.ids import snapshot_name
from harness.errors import StoreFault
from harness.load.enriched import enriched_name, enriched_number
from harness.specialists.staging import staged

SUFFIX = ".json5"

_SNAPSHOT = re.compile(r"snapshot-(\d{3,})\.(?:json5|dsse\.json)")


class Numbered(NamedTuple):
    """A file that was written, its number, and the files beside it."""

    path: Path
    number: int
    beside: tuple[Path, ...] = ()


def snapshot_number(name: str) -> int | None:
    """The number that a snapshot's file, or its envelope, has in its name."""
    found = _SNAPSHOT.fullmatch(name)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Series:
    """How the files of one kind are numbered."""

    what: str
    name: Callable[[int], str]
    number: Callable[[str], int | None]
    """Of a name that claims one."""
    advice: str = ""
    """What to do where they cannot be written."""


SNAPSHOTS = Series(
    "a snapshot", snapshot_name, snapshot_number, "; name another folder with --output"
)
ENRICHED = Series("an enriched file", enriched_name, enriched_number)


def write_numbered(
    folder: Path,
    content: str | bytes,
    beside: Mapping[str, bytes] | None = None,
    *,
    first: str = SUFFIX,
    series: Series = SNAPSHOTS,
) -> Numbered:
    """Write a file whole under the next free name; raises StoreFault.

    `beside` are other files by the ending of their name; that of `first` is taken first. The
    content is on the disk before its name is: a reader sees all of it or nothing. What a killed
    process leaves is hidden until the next one comes, or a number that no file has.
    """
    data = content.encode() if isinstance(content, str) else content
    files = {**(beside or {}), SUFFIX: data}
    # the claim first, and the file itself last
    order = sorted(files, key=lambda suffix: (suffix != first, suffix == SUFFIX))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with staged(folder, *(files[suffix] for suffix in order)) as hidden:
            return _take_names(folder, dict(zip(order, hidden, strict=True)), series)
    except OSError as error:
        raise StoreFault(
            f"could not write {series.what} into {folder}: {error.strerror or error}{series.advice}"
        ) from error


def sibling(snapshot: Path, suffix: str) -> Path:
    """The file beside a snapshot with another ending."""
    return snapshot.with_name(snapshot.name.removesuffix(SUFFIX) + suffix)


def _take_names(folder: Path, ready: Mapping[str, Path], series: Series) -> Numbered:
    number = _highest(folder, series) + 1
    while True:
        path = folder / series.name(number)
        made: list[Path] = []
        try:
            for suffix, hidden in ready.items():
                name = sibling(path, suffix)
                # of all processes that try, the system lets one make this name
                os.link(hidden, name)
                made.append(name)
        except OSError as error:
            for name in made:
                name.unlink()
            if not isinstance(error, FileExistsError):
                raise
            number = max(number, _highest(folder, series)) + 1
        else:
            return Numbered(path, number, tuple(name for name in made if name != path))


def _highest(folder: Path, series: Series) -> int:
    return max(filter(None, map(series.number, os.listdir(folder))), default=0)  # noqa: PTH208  # names are enough
