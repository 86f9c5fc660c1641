"""What an overlay's upper folder says was changed; read as data, links never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.domain.changes import EXECUTABLE_MODE, LINK_MODE, Change, ChangeKind, Changes
from harness.sandbox.capture import (
    MAX_ENTRIES,
    MAX_FILE_BYTES,
    NO_FILE,
    REPOSITORY,
    TOO_MUCH,
    LeftOut,
    cost_bytes,
    git_mode,
    is_out,
    is_too_far,
)

OPAQUE = "trusted.overlay.opaque"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class UpperDir:
    """One walk over the upper folder beside the fixture it covers."""

    upper: Path
    lower: Path
    max_bytes: int
    left_out: LeftOut = field(default_factory=LeftOut)
    _bytes: int = 0
    _entries: int = 0

    def changes(self) -> Changes:
        """Every path that differs from the fixture."""
        root = os.open(self.upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            items = tuple(sorted(self._folder(root, b"", os.fsencode(self.lower), hides=False)))
        finally:
            os.close(root)
        return Changes(items, tuple(self.left_out.lines))

    def _folder(
        self, fd: int, prefix: bytes, below: bytes | None, *, hides: bool
    ) -> Iterator[Change]:
        """`below` is the fixture's folder here, or None; `hides` means that it does not show."""
        names = sorted(os.fsencode(name) for name in os.listdir(fd))
        for name in names:
            old = os.path.join(below, name) if below is not None else None
            if old is not None and not os.path.lexists(old):
                old = None
            yield from self._entry(fd, prefix + name, old, hides=hides)
        if hides and below is not None:
            for name in sorted(set(os.listdir(below)) - set(names)):
                if name.lower() != REPOSITORY:
                    yield Change(prefix + name, ChangeKind.DELETE)

    def _entry(self, fd: int, path: bytes, old: bytes | None, *, hides: bool) -> Iterator[Change]:
        name = path.rpartition(b"/")[2]
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        self._entries += 1
        if is_out(path, in_fixture=old is not None):
            return
        if self._entries > MAX_ENTRIES or is_too_far(path):
            self.left_out.note(path, TOO_MUCH)
        elif stat.S_ISDIR(info.st_mode):
            yield from self._subfolder(fd, path, old, hides=hides)
        elif stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
            if old is not None:
                yield Change(path, ChangeKind.DELETE)
        elif stat.S_ISLNK(info.st_mode):
            target = os.fsencode(os.readlink(name, dir_fd=fd))
            if old is None or not os.path.islink(old) or os.readlink(old) != target:
                yield Change(path, ChangeKind.SYMLINK, LINK_MODE, target)
        elif stat.S_ISREG(info.st_mode):
            yield from self._file(fd, path, old)
        else:
            self.left_out.note(path, NO_FILE)

    def _subfolder(
        self, fd: int, path: bytes, old: bytes | None, *, hides: bool
    ) -> Iterator[Change]:
        if old is not None and not _is_folder(old):
            yield Change(path, ChangeKind.DELETE)
            old = None
        child = os.open(path.rpartition(b"/")[2], _READ | os.O_DIRECTORY, dir_fd=fd)
        try:
            yield from self._folder(child, path + b"/", old, hides=hides or _is_opaque(child))
        finally:
            os.close(child)

    def _file(self, fd: int, path: bytes, old: bytes | None) -> Iterator[Change]:
        with os.fdopen(os.open(path.rpartition(b"/")[2], _READ, dir_fd=fd), "rb") as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode):
                self.left_out.note(path, "changed its kind")
                return
            if info.st_size > MAX_FILE_BYTES:
                self.left_out.note(path, f"larger than {MAX_FILE_BYTES} bytes")
                return
            self._bytes += cost_bytes(info.st_size)
            if self._bytes > self.max_bytes:
                self.left_out.note_too_big(path, self.max_bytes)
                return
            data = file.read(info.st_size)
        change = Change(path, ChangeKind.FILE, git_mode(info.st_mode), data)
        if old is None or not _is_same(change, old):
            yield change


def _is_same(change: Change, old: bytes) -> bool:
    if os.path.islink(old) or not os.path.isfile(old):
        return False
    info = os.stat(old)
    executable = bool(info.st_mode & 0o100) == (change.mode == EXECUTABLE_MODE)
    if not executable or info.st_size != len(change.data):
        return False
    with open(old, "rb") as file:
        return file.read() == change.data


def _is_folder(path: bytes) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _is_opaque(fd: int) -> bool:
    try:
        return os.getxattr(fd, OPAQUE) == b"y"
    except OSError:
        return False
