"""What of a workspace counts as work, however it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.domain.changes import EXECUTABLE_MODE, FILE_MODE, Change, ChangeKind

MAX_DEPTH = 100
MAX_PATH_BYTES = 3000
MAX_ENTRIES = 100_000
MAX_NOTES = 100
PAGE_BYTES = 4096
MAX_FILE_BYTES = 32 * 1024 * 1024
"""One file has to fit into one request of the daemon that writes it down again."""
TOO_MUCH = "too many, too deep or too long a name"
NO_FILE = "not a file, link or folder"

REPOSITORY = b".git"
USUALLY_OUT = frozenset(
    name.encode()
    for name in (
        "node_modules", ".venv", "venv", "__pycache__", ".pytest_cache", ".mypy_cache",
        ".ruff_cache", ".tox", ".nox", ".pnpm-store", ".turbo", ".nx", ".cache",
    )
)  # fmt: skip


def is_out(path: bytes, *, in_fixture: bool) -> bool:
    """Whether a path, and all below it, is no work: repositories, and tools' own folders."""
    name = path.rpartition(b"/")[2]
    return name.lower() == REPOSITORY or (name in USUALLY_OUT and not in_fixture)


def is_too_far(path: bytes) -> bool:
    """Whether a path is deeper or longer than anybody's work."""
    return len(path) > MAX_PATH_BYTES or path.count(b"/") > MAX_DEPTH


def cost_bytes(size: int) -> int:
    """What a file takes when it is written down again, which hard links and holes do not tell."""
    return -(-size // PAGE_BYTES) * PAGE_BYTES


def git_mode(mode: int) -> int:
    """The mode that git would note for a file."""
    return EXECUTABLE_MODE if mode & 0o100 else FILE_MODE


@dataclass(slots=True)
class LeftOut:
    """What could not be kept, for people to read; at most so many lines."""

    lines: list[str] = field(default_factory=list)

    def note(self, path: bytes, reason: str) -> None:
        """Name a path and say why."""
        if len(self.lines) < MAX_NOTES:
            shown = Change(path, ChangeKind.DELETE).display[:200]
            self.lines.append(f"{shown}: {reason}")

    def note_too_big(self, path: bytes, max_bytes: int) -> None:
        """Name a path that is one byte too many."""
        self.note(path, f"more than {max_bytes} bytes of changes")
