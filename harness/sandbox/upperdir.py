"""What an overlay's upper folder says was changed; read as data, links never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.domain.changes import (
    EXECUTABLE_MODE,
    FILE_MODE,
    LINK_MODE,
    Change,
    ChangeKind,
    Changes,
)

MAX_DEPTH = 100
MAX_PATH_BYTES = 3000
MAX_ENTRIES = 100_000
OPAQUE = "trusted.overlay.opaque"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

ALWAYS_OUT = frozenset({b".git"})
USUALLY_OUT = frozenset(
    name.encode()
    for name in (
        "node_modules", ".venv", "venv", "__pycache__", ".pytest_cache", ".mypy_cache",
        ".ruff_cache", ".tox", ".nox", ".pnpm-store", ".turbo", ".nx", ".cache",
    )
)  # fmt: skip


@dataclass(slots=True)
class UpperDir:
    """One walk over the upper folder beside the fixture it covers."""

    upper: Path
    lower: Path
    max_bytes: int
    left_out: list[str] = field(default_factory=list)
    _bytes: int = 0
    _entries: int = 0

    def changes(self) -> Changes:
        """Every path that differs from the fixture."""
        root = os.open(self.upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            items = tuple(sorted(self._folder(root, b"", 0)))
        finally:
            os.close(root)
        return Changes(items, tuple(self.left_out))

    def _folder(self, fd: int, prefix: bytes, depth: int) -> Iterator[Change]:
        for name in sorted(os.fsencode(n) for n in os.listdir(fd)):
            path = prefix + name
            info = os.stat(name, dir_fd=fd, follow_symlinks=False)
            self._entries += 1
            if self._is_out(name, path):
                continue
            if self._entries > MAX_ENTRIES or len(path) > MAX_PATH_BYTES or depth > MAX_DEPTH:
                self._leave_out(path, "too many, too deep or too long a name")
            elif stat.S_ISDIR(info.st_mode):
                yield from self._subfolder(fd, name, path, depth)
            elif stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
                yield Change(path, ChangeKind.DELETE)
            elif stat.S_ISLNK(info.st_mode):
                yield from self._link(os.readlink(name, dir_fd=fd), path)
            elif stat.S_ISREG(info.st_mode):
                yield from self._file(fd, name, path)
            else:
                self._leave_out(path, "not a file, link or folder")

    def _subfolder(self, fd: int, name: bytes, path: bytes, depth: int) -> Iterator[Change]:
        below = self._lower(path)
        child = os.open(name, _READ | os.O_DIRECTORY, dir_fd=fd)
        try:
            if os.path.lexists(below) and (_is_opaque(child) or not _is_folder(below)):
                yield Change(path, ChangeKind.DELETE)
            yield from self._folder(child, path + b"/", depth + 1)
        finally:
            os.close(child)

    def _link(self, target: bytes | str, path: bytes) -> Iterator[Change]:
        below = self._lower(path)
        target = os.fsencode(target)
        if not (os.path.islink(below) and os.readlink(below) == target):
            yield Change(path, ChangeKind.SYMLINK, LINK_MODE, target)

    def _file(self, fd: int, name: bytes, path: bytes) -> Iterator[Change]:
        with os.fdopen(os.open(name, _READ, dir_fd=fd), "rb") as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode):
                self._leave_out(path, "changed its kind")
                return
            self._bytes += info.st_size
            if self._bytes > self.max_bytes:
                self._leave_out(path, f"more than {self.max_bytes} bytes of changes")
                return
            data = file.read(info.st_size)
        mode = EXECUTABLE_MODE if info.st_mode & 0o100 else FILE_MODE
        change = Change(path, ChangeKind.FILE, mode, data)
        if not self._is_same(change):
            yield change

    def _is_same(self, change: Change) -> bool:
        below = self._lower(change.path)
        if os.path.islink(below) or not os.path.isfile(below):
            return False
        info = os.stat(below)
        executable = bool(info.st_mode & 0o100) == (change.mode == EXECUTABLE_MODE)
        if not executable or info.st_size != len(change.data):
            return False
        with open(below, "rb") as file:
            return file.read() == change.data

    def _is_out(self, name: bytes, path: bytes) -> bool:
        if name.lower() in ALWAYS_OUT:
            return True
        return name in USUALLY_OUT and not os.path.lexists(self._lower(path))

    def _lower(self, path: bytes) -> bytes:
        return os.path.join(os.fsencode(self.lower), path)

    def _leave_out(self, path: bytes, reason: str) -> None:
        if len(self.left_out) < 100:  # noqa: PLR2004  # a list for people, not a log
            self.left_out.append(f"{Change(path, ChangeKind.DELETE).display[:200]}: {reason}")


def _is_folder(path: bytes) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _is_opaque(fd: int) -> bool:
    try:
        return os.getxattr(fd, OPAQUE) == b"y"
    except OSError:
        return False
