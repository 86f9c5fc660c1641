"""Files that are written whole or not at all, and never over somebody else's change."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import StoreFault, UsageError
from harness.load.enriched import enriched_name, enriched_number


def write_enriched(folder: Path, text: str) -> Path:
    """Write under the next free number, whoever else is writing; raises StoreFault."""
    hidden = folder / f".enriched-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _write_through(hidden, text)
            return _take_name(folder, hidden)
        finally:
            hidden.unlink(missing_ok=True)
    except OSError as error:
        raise StoreFault(
            f"could not write an enriched file into {folder}: {error.strerror or error}"
        ) from error


def replace_text(path: Path, before: str, after: str) -> None:
    """Put a changed text in a file's place; raises UsageError when it is no longer as it was."""
    # a link stays a link: what it leads to is changed
    target = path.resolve()
    hidden = target.with_name(f".{target.name}-{os.getpid()}-{secrets.token_hex(8)}")
    try:
        with _turn(target.parent):
            try:
                _write_through(hidden, after)
                hidden.chmod(target.stat().st_mode & 0o7777)
                # as late as can be: an editor waits for nobody's turn
                if target.read_bytes() != before.encode():
                    raise UsageError(f"{path} was changed meanwhile and not written: try again")
                hidden.replace(target)
            finally:
                hidden.unlink(missing_ok=True)
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


def _write_through(path: Path, text: str) -> None:
    with path.open("xb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _take_name(folder: Path, ready: Path) -> Path:
    number = 0
    while True:
        number = max([number, *filter(None, map(enriched_number, os.listdir(folder)))]) + 1  # noqa: PTH208  # names are enough
        path = folder / enriched_name(number)
        try:
            # of all processes that try, the system lets one make this name
            os.link(ready, path)
        except FileExistsError:
            continue
        return path
