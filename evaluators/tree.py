"""The finished work as data: the fixture with the changes that reached grading, links followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from harness.domain.changes import Change, ChangeKind, Changes
from harness.load.globs import matching
from harness.sandbox.base import WORKSPACE

FILE_BYTES = 4 * 1024 * 1024
MAX_LINKS = 40

Entry = Change | Path
Folder = dict[str, "Entry | Folder"]


class NoTextError(Exception):
    """There is no text at a path, and why."""


class Tree:
    """What commands have made of the files since is not in it."""

    def __init__(self, fixture: Path, changes: Changes) -> None:
        self._fixture = fixture
        self._top: Folder = {}
        self._paths: tuple[str, ...] | None = None
        for folder, folders, files in os.walk(fixture):
            at = Path(folder).relative_to(fixture).parts
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            for name in (*files, *links):
                self._put([*at, name], Path(folder) / name)
        for change in changes:
            steps = os.fsdecode(change.path).split("/")
            if change.kind is ChangeKind.DELETE:
                self._remove(steps)
            else:
                self._put(steps, change)

    def find(self, glob: str, *, folders: bool = False) -> tuple[str, ...]:
        """The paths that a path or a glob means, in order."""
        if self._paths is None:
            self._paths = tuple(sorted(_walk(self._top, "")))
        paths = self._paths if folders else (p for p in self._paths if not p.endswith("/"))
        found = matching(glob.rstrip("/"), (path.rstrip("/") for path in paths))
        if not found:
            found = (glob,)  # perhaps through a link
        return tuple(path for path in found if self._reached(path) is not None)

    def text(self, path: str) -> str:
        """A file's text, undecodable bytes replaced; raises NoTextError."""
        found = self._reached(path)
        if found is None:
            raise NoTextError(f"no file {path}")
        if isinstance(found, dict):
            raise NoTextError(f"{path} is a folder")
        data = _bytes(found)
        if len(data) > FILE_BYTES:
            raise NoTextError(f"{path} is larger than {FILE_BYTES // 1024**2} MiB")
        return data.decode("utf-8-sig", "replace")

    def _put(self, steps: list[str], entry: Entry) -> None:
        folder = self._top
        for step in steps[:-1]:
            below = folder.get(step)
            if not isinstance(below, dict):
                below = folder[step] = {}
            folder = below
        folder[steps[-1]] = entry

    def _remove(self, steps: list[str]) -> None:
        passed = [self._top]
        for step in steps[:-1]:
            below = passed[-1].get(step)
            if not isinstance(below, dict):
                return
            passed.append(below)
        passed[-1].pop(steps[-1], None)
        # as in git, there are no empty folders
        for depth in range(len(passed) - 1, 0, -1):
            if not passed[depth]:
                del passed[depth - 1][steps[depth - 1]]

    def _reached(self, path: str) -> Entry | Folder | None:
        """What is at a path when every link within the workspace is followed."""
        left, at, links = [s for s in path.split("/") if s not in ("", ".")][::-1], [self._top], 0
        while left:
            step = left.pop()
            if step == "..":
                at.pop()
                if not at:
                    return None
                continue
            found = at[-1].get(step)
            target = _target(found)
            if target is not None:
                links += 1
                inner = PurePosixPath(target)
                if inner.is_absolute():
                    if not inner.is_relative_to(WORKSPACE):
                        return None
                    inner, at = inner.relative_to(WORKSPACE), [self._top]
                left += reversed(inner.parts)
                if links > MAX_LINKS:
                    return None
            elif isinstance(found, dict):
                at.append(found)
            else:
                return None if left else found
        return at[-1]


def _walk(folder: Folder, prefix: str) -> Iterator[str]:
    left = [(prefix, folder)]
    while left:
        above, items = left.pop()
        for name, entry in items.items():
            if isinstance(entry, dict):
                yield f"{above}{name}/"
                left.append((f"{above}{name}/", entry))
            else:
                yield f"{above}{name}"


def _target(entry: Entry | Folder | None) -> str | None:
    """Where a link points."""
    if isinstance(entry, Change) and entry.kind is ChangeKind.SYMLINK:
        return os.fsdecode(entry.data)
    if isinstance(entry, Path) and entry.is_symlink():
        return os.fspath(entry.readlink())
    return None


def _bytes(entry: Entry) -> bytes:
    """At most one byte more than is looked at."""
    if isinstance(entry, Change):
        return entry.data[: FILE_BYTES + 1]
    with entry.open("rb") as file:
        return file.read(FILE_BYTES + 1)
