"""Files under hidden names until they are whole; what killed processes left of theirs is swept."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from harness.sandbox.owner import is_alive, this_process

_HIDDEN = re.compile(r"\.staged-[0-9a-f]{16}-(?P<owner>.+)")


@contextmanager
def staged(folder: Path, *contents: bytes) -> Iterator[tuple[Path, ...]]:
    """Each content in a file of its own, on the disk: to be linked or moved to where it belongs.

    The hidden names are gone afterwards, and those of dead processes before; then the folder's new
    names are on the disk too. Raises OSError.
    """
    _sweep(folder)
    hidden = tuple(folder / _hidden_name() for _ in contents)
    try:
        for path, content in zip(hidden, contents, strict=True):
            _write_through(path, content)
        yield hidden
    finally:
        for path in hidden:
            path.unlink(missing_ok=True)
    _flush_folder(folder)


def _hidden_name() -> str:
    return f".staged-{secrets.token_hex(8)}-{quote(this_process(), safe='')}"


def _sweep(folder: Path) -> None:
    for name in os.listdir(folder):  # noqa: PTH208  # names are enough
        found = _HIDDEN.fullmatch(name)
        if found and not is_alive(unquote(found["owner"])):
            (folder / name).unlink(missing_ok=True)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
