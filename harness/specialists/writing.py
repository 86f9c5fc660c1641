"""Files that are written whole or not at all, and never over somebody else's change."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import StoreFault, UsageError
from harness.specialists.numbering import ENRICHED, write_numbered
from harness.specialists.staging import staged


def write_enriched(folder: Path, text: str) -> Path:
    """Write under the next free number, whoever else is writing; raises StoreFault."""
    return write_numbered(folder, text, series=ENRICHED).path


def replace_text(path: Path, before: str | None, after: str) -> None:
    """Put a changed text in a file's place; raises UsageError when it is no longer as it was.

    Without `before` there was no file.
    """
    # a link stays a link: what it leads to is changed
    target = path.resolve()
    try:
        with _turn(target.parent), staged(target.parent, after.encode()) as (hidden,):
            if before is not None:
                hidden.chmod(target.stat().st_mode & 0o7777)
            # as late as can be: an editor waits for nobody's turn
            now = target.read_bytes() if target.exists() else None
            if now != (None if before is None else before.encode()):
                raise UsageError(f"{path} was changed meanwhile and not written: try again")
            hidden.replace(target)
    except OSError as error:
        raise StoreFault(f"could not write {path}: {error.strerror or error}") from error


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One command at a time changes files of a folder; a killed one's turn ends with it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def read_exactly(path: Path) -> str:
    """A file with its own line ends and byte order mark, for edits to keep."""
    return path.read_bytes().decode()
