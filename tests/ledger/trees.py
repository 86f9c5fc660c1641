"""Trees and changes for the tests of the ledger."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.domain.changes import (
    EXECUTABLE_MODE,
    FILE_MODE,
    LINK_MODE,
    Change,
    ChangeKind,
    Changes,
)
from harness.domain.digests import text_digest
from harness.domain.ids import RunId

RUN = RunId("run_20240101120000_abc123")
DIGEST = text_digest("fixture")
Tree = Mapping[bytes, tuple[int, bytes]]


def text(path: str | bytes, data: bytes = b"new\n", mode: int = FILE_MODE) -> Change:
    return Change(path.encode() if isinstance(path, str) else path, ChangeKind.FILE, mode, data)


def link(path: str, target: bytes) -> Change:
    return Change(path.encode(), ChangeKind.SYMLINK, LINK_MODE, target)


def gone(path: str) -> Change:
    return Change(path.encode(), ChangeKind.DELETE)


def git(ledger_or_folder: Path, *arguments: str) -> bytes:
    command = ["git", f"--git-dir={ledger_or_folder}", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


def where(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.git"


def tree_of(folder: Path) -> Tree:
    found: dict[bytes, tuple[int, bytes]] = {}
    for place, folders, files in os.walk(folder):
        paths = [Path(place, name) for name in [*files, *folders]]
        for path in paths:
            if path.is_symlink():
                entry = (LINK_MODE, os.fsencode(path.readlink()))
            elif path.is_file():
                mode = EXECUTABLE_MODE if path.stat().st_mode & 0o100 else FILE_MODE
                entry = (mode, path.read_bytes())
            else:
                continue
            found[os.fsencode(path.relative_to(folder))] = entry
    return found


def laid_over(base: Tree, changes: Changes) -> Tree:
    """The plain meaning of Changes: at each path stands what is said, nothing is below a file."""
    tree = dict(base)
    for change in changes:
        for path in [p for p in tree if p == change.path or p.startswith(change.path + b"/")]:
            del tree[path]
        if change.kind is not ChangeKind.DELETE:
            tree[change.path] = (change.mode, change.data)
    return tree
