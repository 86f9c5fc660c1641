"""Files with numbers of their own, whoever else is writing: 001, 002, and no number twice.

A snapshot and what stands beside it share a number. The name of the first file is the claim to
it, and the snapshot's own comes last: whoever sees a snapshot sees everything that belongs to it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from harness.domain.ids import snapshot_name
from harness.errors import StoreFault

SUFFIX = ".json5"

_NUMBERED = re.compile(r"snapshot-(\d{3,})\.(?:json5|dsse\.json)")


class Numbered(NamedTuple):
    """A file that was written, its number, and the files beside it."""

    path: Path
    number: int
    beside: tuple[Path, ...] = ()


def write_numbered(
    folder: Path,
    content: str | bytes,
    beside: Mapping[str, bytes] | None = None,
    *,
    first: str = SUFFIX,
) -> Numbered:
    """Write a snapshot whole under the next free name; raises StoreFault.

    `beside` are other files by the ending of their name; that of `first` is taken first. The
    content is on the disk before its name is: a reader sees all of it or nothing. What a killed
    process leaves is hidden, or a number that no snapshot has.
    """
    data = content.encode() if isinstance(content, str) else content
    files = {**(beside or {}), SUFFIX: data}
    order = [first, *(suffix for suffix in files if suffix not in {first, SUFFIX}), SUFFIX]
    mark = f".snapshot-{os.getpid()}-{secrets.token_hex(8)}"
    hidden = {suffix: folder / f"{mark}{suffix}" for suffix in dict.fromkeys(order)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for suffix, path in hidden.items():
                _write_through(path, files[suffix])
            written = _take_names(folder, hidden)
        finally:
            for path in hidden.values():
                path.unlink(missing_ok=True)
        _flush_folder(folder)
    except OSError as error:
        raise StoreFault(
            f"could not write a snapshot into {folder}: {error.strerror or error};"
            " name another folder with --output"
        ) from error
    return written


def sibling(snapshot: Path, suffix: str) -> Path:
    """The file beside a snapshot with another ending."""
    return snapshot.with_name(snapshot.name.removesuffix(SUFFIX) + suffix)


def _write_through(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _take_names(folder: Path, ready: Mapping[str, Path]) -> Numbered:
    number = _highest(folder) + 1
    while True:
        path = folder / snapshot_name(number)
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
            number = max(number, _highest(folder)) + 1
        else:
            return Numbered(path, number, tuple(name for name in made if name != path))


def _highest(folder: Path) -> int:
    found = map(_NUMBERED.fullmatch, os.listdir(folder))  # noqa: PTH208  # names are enough
    return max((int(match[1]) for match in found if match), default=0)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
