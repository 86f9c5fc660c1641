"""A patch as data: what a session changed in each file, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LINK, SUBMODULE = "120000", "160000"
"""Modes of what is no file."""


class PatchKind(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class PatchLine:
    """One line that came or went; `number` counts in the file as it is, or as it was."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class FilePatch:
    """One file of a patch; a binary one has no lines."""

    path: str
    """Where it is, or was; undecodable bytes are escaped."""
    kind: PatchKind
    was: str | None = None
    """Where a renamed file was."""
    added: tuple[PatchLine, ...] = ()
    removed: tuple[PatchLine, ...] = ()
    binary: bool = False
    mode: str | None = None
    """The new mode, when it changed or the file is new; always of links, `120000`, and of
    submodules, `160000`. A file that became a link is two parts of a patch: one gone, one new."""
    cut: bool = False
    """It was longer than what is read of a file, or stands behind all that is read of a patch."""
    text: str = ""
    """The file's part of the patch as git writes it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """All that a session changed, in the order of paths."""

    files: tuple[FilePatch, ...] = ()
    cut: bool = False
    """Not all of it was read."""

    @property
    def text(self) -> str:
        """The whole of it."""
        return "".join(file.text for file in self.files)

    @property
    def lines_changed(self) -> int:
        """Lines that came and lines that went."""
        return sum(len(file.added) + len(file.removed) for file in self.files)
