"""Files laid over a fixture: solutions, and the wrong ones kept beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from harness.domain.changes import EXECUTABLE_MODE, FILE_MODE, LINK_MODE, Change, ChangeKind

DELETED = ".deleted"
SOLUTION_PATCH = "solution.patch"
"""The solution as a diff, beside its files or in their place."""
NOT_FILES = frozenset({DELETED, "WHY.md", SOLUTION_PATCH})


def read_overlay(folder: Path) -> tuple[Change, ...]:
    """What laying `folder` over a fixture changes; `.deleted` lists paths that go."""
    return tuple(sorted([*_deleted(folder), *_files(folder)]))


def _deleted(folder: Path) -> Iterator[Change]:
    listed = folder / DELETED
    if listed.is_file():
        for line in listed.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield Change(line.strip().encode(), ChangeKind.DELETE)


def _files(folder: Path) -> Iterator[Change]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_symlink():
            target = os.fsencode(path.readlink())
            yield Change(os.fsencode(relative), ChangeKind.SYMLINK, LINK_MODE, target)
        elif path.is_file() and str(relative) not in NOT_FILES:
            mode = EXECUTABLE_MODE if path.stat().st_mode & 0o100 else FILE_MODE
            yield Change(os.fsencode(relative), ChangeKind.FILE, mode, path.read_bytes())
