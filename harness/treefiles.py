"""The files of a tree on the host: read and written as data, no link ever followed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from harness.domain.changes import EXECUTABLE_MODE, FILE_MODE, LINK_MODE, Change, ChangeKind

SHOWN_CHARS = 200
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_NTFS_GIT = re.compile(rb"(?is)(?:\.git|git~1)[. ]*(?::.*)?")
_NTFS_MODULES = re.compile(
    rb"(?is)(?:\.gitmodules|gitmod~[1-4]|(?:gi7eba|gi7eb|gi7e|gi7|gi|g)?~[1-9][0-9]*)[. ]*(?::.*)?"
)
_HFS_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_HFS_GIT = re.compile("(?ias)\\.git(?:[\udc80-\udcff\ufffe\uffff].*)?")
_HFS_MODULES = re.compile("(?ias)\\.gitmodules(?:[\udc80-\udcff\ufffe\uffff].*)?")


def refused_part(path: bytes, *, is_link: bool) -> bytes | None:
    """The beginning of a path up to the part that git's own `verify_path` refuses, or None.

    `.git` and what other file systems take for it: a repository must not be made by a checkout.
    """
    parts = path.split(b"/")
    for end, part in enumerate(parts, 1):
        if part in {b"", b".", b".."} or b"\0" in part or _is_repository(part, is_link=is_link):
            return b"/".join(parts[:end]) or path
    return None


def _is_repository(part: bytes, *, is_link: bool) -> bool:
    ntfs = (_NTFS_GIT, _NTFS_MODULES) if is_link else (_NTFS_GIT,)
    if any(name.fullmatch(piece) for name in ntfs for piece in part.split(b"\\")):
        return True
    text = _HFS_IGNORED.sub("", part.decode("utf-8", "surrogateescape"))
    hfs = (_HFS_GIT, _HFS_MODULES) if is_link else (_HFS_GIT,)
    return any(name.fullmatch(text) for name in hfs)


def leads_out(path: bytes, target: bytes) -> bool:
    """Whether a link might; `..` after a name is not worked out, since that name may be a link."""
    parts = [part for part in target.split(b"/") if part not in {b"", b"."}]
    up = next((n for n, part in enumerate(parts) if part != b".."), len(parts))
    strange = not target or target.startswith(b"/") or b"\0" in target or b".." in parts[up:]
    return strange or up > path.count(b"/")


def above(path: bytes) -> Iterator[bytes]:
    """The folders that a path is in, the nearest first."""
    while b"/" in path:
        path = path.rpartition(b"/")[0]
        yield path


def shown(name: bytes) -> str:
    """A path or a link's target for people, not endlessly long."""
    return Change(name, ChangeKind.DELETE).display[:SHOWN_CHARS]


def files_below(folder: bytes, prefix: bytes = b"") -> Iterator[Change]:
    """Every file and link of a folder as if it were new, but those with a refused name."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = prefix + entry.name
        if refused_part(path, is_link=entry.is_symlink()) is not None:
            continue
        if entry.is_symlink():
            target = os.readlink(entry.path)  # noqa: PTH115  # names are bytes
            yield Change(path, ChangeKind.SYMLINK, LINK_MODE, target)
        elif entry.is_dir():
            yield from files_below(entry.path, path + b"/")
        elif entry.is_file():
            with open(entry.path, "rb") as file:  # noqa: PTH123  # the same
                executable = os.fstat(file.fileno()).st_mode & stat.S_IXUSR
                mode = EXECUTABLE_MODE if executable else FILE_MODE
                yield Change(path, ChangeKind.FILE, mode, file.read())


class NewFiles:
    """Makes files and links below a folder, walking down from it without following a link."""

    def __init__(self, folder: Path) -> None:
        self._names: list[bytes] = []
        self._open = [os.open(folder, _FOLDER)]

    def write(self, path: bytes, data: bytes, *, executable: bool) -> None:
        """A new file; a name that is there already is an error."""
        mode = 0o777 if executable else 0o666
        parent, name = self._parent(path)
        with os.fdopen(os.open(name, _NEW, mode, dir_fd=parent), "wb") as file:
            file.write(data)

    def link(self, path: bytes, target: bytes) -> None:
        """A new symbolic link."""
        parent, name = self._parent(path)
        os.symlink(target, name, dir_fd=parent)

    def close(self) -> None:
        """Let go of every folder."""
        while self._open:
            os.close(self._open.pop())

    def _parent(self, path: bytes) -> tuple[int, bytes]:
        *folders, name = path.split(b"/")
        while self._names != folders[: len(self._names)]:
            self._names.pop()
            os.close(self._open.pop())
        for folder in folders[len(self._names) :]:
            with suppress(FileExistsError):
                os.mkdir(folder, dir_fd=self._open[-1])
            self._open.append(os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=self._open[-1]))
            self._names.append(folder)
        return self._open[-1], name
