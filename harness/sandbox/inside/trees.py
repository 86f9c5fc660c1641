"""The daemon's operations on whole trees: make them so, and tell what is there.

Names are bytes. No component of a path is ever followed as a link; every step is taken from the
descriptor of the folder before it.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from files import write_all
from protocol import Problem, from_os, items, line, path_of, table, text, to_bytes, to_text, whole

MYPY = False
if MYPY:
    from collections.abc import Iterator, Sequence

    from protocol import Reply, Request

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
PARTS_MOST = 256
HASH_MOST = 1024 * 1024 * 1024
TOTAL_MOST = 1024 * HASH_MOST
ENTRIES_MOST = 1000000
PAGE = 500
PIECE = 1024 * 1024
PRIVATE = 0o700


class Change:
    """One path and what shall stand there, checked."""

    def __init__(self, raw: Request) -> None:
        self.path = to_bytes(raw.get("path"), "path")
        self.kind = raw.get("kind")
        if self.kind not in ("file", "symlink", "delete"):
            raise Problem("bad_request", "kind {!r:.80}".format(self.kind), shown(self.path))
        self.mode = whole(raw, "mode", 0o644, 0o177777) & 0o777
        self.data = b"" if self.kind == "delete" else to_bytes(raw.get("data"), "data")
        self.parts = _parts(self.path)


def shown(path: bytes) -> str:
    """A path in a message."""
    return path.decode("utf-8", "backslashreplace")


def _parts(path: bytes) -> Sequence[bytes]:
    parts = path.split(b"/")
    wrong = any(part in (b"", b".", b"..") or b"\0" in part for part in parts)
    if wrong or len(parts) > PARTS_MOST:
        raise Problem("bad_request", "not a path inside the tree", shown(path))
    return parts


def apply(request: Request) -> Reply:
    """Make the tree so: what must go goes first, then everything else in the order given."""
    changes = [Change(table(raw, "changes")) for raw in items(request, "changes")]
    changes.sort(key=lambda change: change.kind != "delete")
    root = os.open(path_of(request, "root"), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for change in changes:
            try:
                _make(root, change)
            except OSError as error:
                raise from_os(error, shown(change.path)) from None
    finally:
        os.close(root)
    return {"applied": len(changes)}


def put(request: Request) -> Reply:
    """Files that only root reads; the folder is root's alone, so nobody else looks inside."""
    if os.getuid() != 0:
        raise Problem("denied", "hidden files are only kept by root")
    root = path_of(request, "root")
    files = [table(raw, "files") for raw in items(request, "files")]
    changes = [dict(file, kind="file", path=_packed(path_of(file))) for file in files]
    with suppress(FileExistsError):
        os.mkdir(root, PRIVATE)
    found = os.lstat(root)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0:
        raise Problem("denied", "is no folder of root", root)
    os.chmod(root, PRIVATE)
    return apply({"root": root, "changes": changes})


def _packed(path: str) -> str:
    return to_text(os.fsencode(path))


def _make(root: int, change: Change) -> None:
    folder = _folder_of(root, change.parts[:-1], create=change.kind != "delete")
    if folder is None:
        return
    name = change.parts[-1]
    try:
        _remove(folder, name)
        if change.kind == "symlink":
            os.symlink(change.data, name, dir_fd=folder)
        elif change.kind == "file":
            fd = os.open(name, NEW_FILE, 0o600, dir_fd=folder)
            try:
                write_all(fd, change.data)
                os.fchmod(fd, change.mode)
            finally:
                os.close(fd)
    finally:
        os.close(folder)


def _folder_of(root: int, parts: Sequence[bytes], *, create: bool) -> int | None:
    """Its descriptor; whatever is no folder on the way makes room, or means there is none."""
    here = os.dup(root)
    for part in parts:
        try:
            below = _enter(here, part, create=create)
        finally:
            os.close(here)
        if below is None:
            return None
        here = below
    return here


def _enter(here: int, part: bytes, *, create: bool) -> int | None:
    try:
        return os.open(part, FOLDER, dir_fd=here)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        if not create:
            return None
        if error.errno != errno.ENOENT:
            os.unlink(part, dir_fd=here)
    os.mkdir(part, 0o755, dir_fd=here)
    return os.open(part, FOLDER, dir_fd=here)


def _remove(folder: int, name: bytes) -> None:
    """Remove a file, a link or a whole tree; nothing there is fine."""
    try:
        kind = os.lstat(name, dir_fd=folder).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(kind):
        os.unlink(name, dir_fd=folder)
        return
    top = _open_owned(folder, name)
    try:
        _empty(top)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=folder)


def _empty(top: int) -> None:
    """Folders below are moved up before they are emptied: any depth, two descriptors."""
    moved = 0
    waiting = []
    for name in _names(top):
        if _is_folder(top, name):
            waiting.append(name)
        else:
            os.unlink(name, dir_fd=top)
    taken = set(waiting)
    while waiting:
        name = waiting.pop()
        below = _open_owned(top, name)
        try:
            for child in _names(below):
                if not _is_folder(below, child):
                    os.unlink(child, dir_fd=below)
                    continue
                moved += 1
                while b"%d" % moved in taken:
                    moved += 1
                _unlock(below, child)
                try:
                    os.rename(child, b"%d" % moved, src_dir_fd=below, dst_dir_fd=top)
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    # an overlay does not move its lower folders; only the fixture makes those
                    _remove(below, child)
                    continue
                waiting.append(b"%d" % moved)
        finally:
            os.close(below)
        os.rmdir(name, dir_fd=top)


def _is_folder(folder: int, name: bytes) -> bool:
    return stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode)


def _unlock(folder: int, name: bytes) -> None:
    """A folder that its owner may not write to could be neither emptied nor moved."""
    found = os.lstat(name, dir_fd=folder)
    if found.st_uid == os.geteuid() and found.st_mode & PRIVATE != PRIVATE:
        os.chmod(name, PRIVATE, dir_fd=folder)


def _open_owned(folder: int, name: bytes) -> int:
    _unlock(folder, name)
    return os.open(name, FOLDER, dir_fd=folder)


class Hashing:
    """How much a scan reads: sparse files cost an agent nothing to make."""

    def __init__(self, request: Request) -> None:
        self._largest = whole(request, "max_bytes", HASH_MOST, HASH_MOST)
        self._left = whole(request, "max_total", TOTAL_MOST, TOTAL_MOST)

    def takes(self, size: int) -> bool:
        """Whether one more file of so many bytes is read."""
        if size > min(self._largest, self._left):
            return False
        self._left -= size
        return True


def pages(request: Request) -> Iterator[bytes]:
    """Replies, one page of entries each, and a last one that says it is done."""
    most = whole(request, "max_entries", ENTRIES_MOST, ENTRIES_MOST)
    hashing = Hashing(request)
    skip = frozenset(_name(name) for name in items(request, "skip", optional=True))
    root = os.open(path_of(request, "root"), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    page: list[Reply] = []
    count = 0
    for entry in _entries(root, skip, hashing):
        if count == most:
            yield line({"id": request["id"], "more": True, "entries": page})
            yield line({"id": request["id"], "done": True, "count": count, "truncated": True})
            return
        page.append(entry)
        count += 1
        if len(page) == PAGE:
            yield line({"id": request["id"], "more": True, "entries": page})
            page = []
    yield line({"id": request["id"], "more": True, "entries": page})
    yield line({"id": request["id"], "done": True, "count": count, "truncated": False})


def _name(value: object) -> bytes:
    return os.fsencode(text({"skip": value}, "skip"))


def _entries(root: int, skip: frozenset[bytes], hashing: Hashing) -> Iterator[Reply]:
    """Depth first, sorted; one descriptor per level."""
    stack = [(root, b"", _names(root))]
    while stack:
        folder, prefix, names = stack[-1]
        if not names:
            stack.pop()
            os.close(folder)
            continue
        name = names.pop()
        if name in skip:
            continue
        entry = _entry(folder, name, prefix + name, hashing)
        if entry["kind"] == "dir":
            if len(stack) >= PARTS_MOST:
                entry["unread"] = "too deep"
            else:
                below = _open_for_scan(folder, name, entry)
                if below is not None:
                    stack.append((below, prefix + name + b"/", _names(below)))
        yield entry


def _open_for_scan(folder: int, name: bytes, entry: Reply) -> int | None:
    try:
        return os.open(name, FOLDER, dir_fd=folder)
    except OSError as error:
        entry["unread"] = os.strerror(error.errno or 0)
        return None


def _names(folder: int) -> list[bytes]:
    return sorted((os.fsencode(name) for name in os.listdir(folder)), reverse=True)


def _entry(folder: int, name: bytes, path: bytes, hashing: Hashing) -> Reply:
    entry: Reply = {"path": to_text(path), "kind": "other", "mode": 0, "size": 0}
    try:
        found = os.lstat(name, dir_fd=folder)
        entry.update(mode=stat.S_IMODE(found.st_mode), size=found.st_size)
        if stat.S_ISDIR(found.st_mode):
            entry["kind"] = "dir"
        elif stat.S_ISLNK(found.st_mode):
            entry["kind"] = "symlink"
            entry["target"] = to_text(os.readlink(name, dir_fd=folder))
        elif stat.S_ISREG(found.st_mode):
            entry["kind"] = "file"
            if not hashing.takes(found.st_size):
                entry["unread"] = "too large"
            else:
                entry["sha256"] = _sha256(folder, name)
    except OSError as error:
        entry["unread"] = os.strerror(error.errno or 0)
    return entry


def _sha256(folder: int, name: bytes) -> str:
    from hashlib import sha256  # noqa: PLC0415  # 4 ms that only a scan has to pay

    digest = sha256()
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        piece = os.read(fd, PIECE)
        while piece:
            digest.update(piece)
            piece = os.read(fd, PIECE)
    finally:
        os.close(fd)
    return digest.hexdigest()
