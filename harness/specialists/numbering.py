"""Files with numbers of their own, whoever else is writing: 001, 002, and no number twice."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple

from harness.domain.ids import snapshot_name
from harness.errors import StoreFault

_NUMBERED = re.compile(r"snapshot-(\d{3,})\.json5")


class Numbered(NamedTuple):
    """A file that was written, and its number."""

    path: Path
    number: int


def write_numbered(folder: Path, text: str) -> Numbered:
    """Write `text` whole under the next free snapshot name; raises StoreFault.

    The text is on the disk before its name is: a reader sees all of it or nothing. What a killed
    process leaves is a hidden file that counts for nothing.
    """
    hidden = folder / f".snapshot-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _write_through(hidden, text)
            written = _take_name(folder, hidden)
        finally:
            hidden.unlink(missing_ok=True)
        _flush_folder(folder)
    except OSError as error:
        raise StoreFault(
            f"could not write a snapshot into {folder}: {error.strerror or error};"
            " name another folder with --output"
        ) from error
    return written


def _write_through(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _take_name(folder: Path, ready: Path) -> Numbered:
    number = _highest(folder) + 1
    while True:
        path = folder / snapshot_name(number)
        try:
            # of all processes that try, the system lets one make this name
            os.link(ready, path)
        except FileExistsError:
            number = max(number, _highest(folder)) + 1
        else:
            return Numbered(path, number)


def _highest(folder: Path) -> int:
    found = map(_NUMBERED.fullmatch, os.listdir(folder))  # noqa: PTH208  # names are enough
    return max((int(match[1]) for match in found if match), default=0)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
