"""What a session did to the files of its workspace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

FILE_MODE = 0o100644
EXECUTABLE_MODE = 0o100755
LINK_MODE = 0o120000


class ChangeKind(StrEnum):
    """What now stands at a path."""

    FILE = "file"
    SYMLINK = "symlink"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One path, as bytes because file names are bytes, and what stands there now."""

    path: bytes
    kind: ChangeKind
    mode: int = FILE_MODE
    data: bytes = b""
    """The file's content, or where the link points."""

    @property
    def display(self) -> str:
        """The path for people; undecodable bytes and control characters are escaped."""
        text = self.path.decode("utf-8", "backslashreplace")
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@dataclass(frozen=True, slots=True)
class Changes:
    """A session's changes, by path; `left_out` names what was too big or of no file kind."""

    items: tuple[Change, ...] = ()
    left_out: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Change]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
