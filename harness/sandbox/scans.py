"""What two scans say was changed: one of a fixture, one of a whole workspace over it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from harness.domain.changes import LINK_MODE, Change, ChangeKind, Changes
from harness.sandbox.base import BoxError, TreeEntry
from harness.sandbox.capture import (
    MAX_ENTRIES,
    MAX_FILE_BYTES,
    NO_FILE,
    REPOSITORY,
    TOO_MUCH,
    USUALLY_OUT,
    LeftOut,
    git_mode,
    is_out,
    is_too_far,
)

TOO_MANY = "too_many"
"""The error of a scan that found more than it was asked for; what it found so far is true."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A fixture as a scan saw it, its repository left out, and the room that all of it takes."""

    entries: Mapping[bytes, TreeEntry]
    size_bytes: int
    files: int

    def to_json(self) -> bytes:
        """For a file beside the fixture."""
        entries = [
            [_pack(e.path), e.kind, e.mode, e.size_bytes, e.sha256, _pack(e.target)]
            for e in self.entries.values()
        ]
        return json.dumps([self.size_bytes, self.files, entries], separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """The same again."""
        size_bytes, files, rows = json.loads(data)
        entries = (
            TreeEntry(_unpack(path), kind, mode, size, sha256, _unpack(target))
            for path, kind, mode, size, sha256, target in rows
        )
        return cls({entry.path: entry for entry in entries}, size_bytes, files)

    @property
    def skip(self) -> frozenset[str]:
        """Names that a scan need not look at: no work, and nowhere in the fixture."""
        known = {path.rpartition(b"/")[2] for path in self.entries}
        return frozenset(name.decode() for name in {REPOSITORY, *(USUALLY_OUT - known)})

    @property
    def max_entries(self) -> int:
        """How many files a scan lists."""
        return len(self.entries) + MAX_ENTRIES

    def max_hashed_bytes(self, max_bytes: int) -> int:
        """How much a scan reads where the agent had `max_bytes` to fill."""
        return sum(entry.size_bytes for entry in self.entries.values()) + max_bytes


@dataclass(slots=True)
class Comparison:
    """One comparison of a workspace with its fixture."""

    before: Mapping[bytes, TreeEntry]
    fetch: Callable[[bytes], bytes]
    max_bytes: int
    left_out: LeftOut = field(default_factory=LeftOut)
    _bytes: int = 0
    _whole: bool = True

    def changes(self, scan: Iterable[TreeEntry]) -> Changes:
        """Every path that differs from the fixture."""
        now = self._work(scan)
        removed = self._removed(now) if self._whole else ()
        items = sorted([*removed, *self._made(now)])
        return Changes(tuple(items), tuple(self.left_out.lines))

    def _work(self, scan: Iterable[TreeEntry]) -> Mapping[bytes, TreeEntry]:
        """What of a scan counts; parents come before what is in them."""
        now: dict[bytes, TreeEntry] = {}
        out: set[bytes] = set()
        try:
            for entry in scan:
                path = entry.path
                far = is_too_far(path)
                if _parent(path) in out or is_out(path, in_fixture=path in self.before) or far:
                    if entry.kind == "dir":
                        out.add(path)
                    if far and _parent(path) not in out:
                        self.left_out.note(path, TOO_MUCH)
                else:
                    now[path] = entry
        except BoxError as error:
            if error.kind != TOO_MANY:
                raise
            # what a scan that was cut short did not show may well be there
            self._whole = False
            self.left_out.note(b"", f"{error}; what was removed is not known")
        return now

    def _removed(self, now: Mapping[bytes, TreeEntry]) -> Iterator[Change]:
        """Topmost names only: what was below them went with them."""
        for path, old in self.before.items():
            new, parent = now.get(path), _parent(path)
            if new is None:
                gone_from = not parent or (parent in now and now[parent].kind == "dir")
                if gone_from and not is_out(path, in_fixture=True) and not is_too_far(path):
                    yield Change(path, ChangeKind.DELETE)
            elif new.kind == "dir" and old.kind != "dir":
                yield Change(path, ChangeKind.DELETE)

    def _made(self, now: Mapping[bytes, TreeEntry]) -> Iterator[Change]:
        for path, new in now.items():
            old = self.before.get(path)
            if new.kind == "symlink":
                if old is None or (old.kind, old.target) != ("symlink", new.target):
                    yield Change(path, ChangeKind.SYMLINK, LINK_MODE, new.target)
            elif new.kind == "file":
                if old is None or not _is_same(old, new):
                    yield from self._file(path, new)
            elif new.kind != "dir":
                self.left_out.note(path, NO_FILE)

    def _file(self, path: bytes, new: TreeEntry) -> Iterator[Change]:
        if new.size_bytes > MAX_FILE_BYTES:
            self.left_out.note(path, f"larger than {MAX_FILE_BYTES} bytes")
            return
        self._bytes += new.size_bytes
        if self._bytes > self.max_bytes or not new.sha256:
            self.left_out.note_too_big(path, self.max_bytes)
        else:
            yield Change(path, ChangeKind.FILE, git_mode(new.mode), self.fetch(path))


def _is_same(old: TreeEntry, new: TreeEntry) -> bool:
    same_mode = git_mode(old.mode) == git_mode(new.mode)
    return old.kind == new.kind and same_mode and bool(new.sha256) and old.sha256 == new.sha256


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _pack(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unpack(text: str) -> bytes:
    return base64.b64decode(text)
