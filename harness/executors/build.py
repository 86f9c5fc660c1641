"""What a process runs, so that all nodes of a batch run the same."""

from __future__ import annotations

import hashlib
import platform
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from harness import __version__
from harness.domain.ids import Digest

PACKAGES = ("harness", "evaluators")
GROUPS = ("mintmark.agents", "mintmark.evaluators")


@dataclass(frozen=True, slots=True)
class Build:
    """Mintmark, what others add to it, and Python; and on which machine."""

    mintmark: str
    code: Digest
    """Of the files themselves: a checkout changes without its version."""
    python: str
    added: tuple[str, ...]
    host: str

    def differs(self, other: Build) -> str | None:
        """In what another process runs something else."""
        mine, theirs = f"{self.mintmark} ({self.code[:8]})", f"{other.mintmark} ({other.code[:8]})"
        if mine != theirs:
            return f"Mintmark {theirs}, and this one is {mine}"
        if self.python != other.python:
            return f"Python {other.python}, and this one is {self.python}"
        if self.added != other.added:
            return f"plugins ({_listed(other.added)}), and here there are {_listed(self.added)}"
        return None


def this_build() -> Build:
    """What this process runs."""
    return Build(
        __version__,
        _code(),
        platform.python_version(),
        tuple(sorted(_added())),
        socket.gethostname(),
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"


def _added() -> Iterator[str]:
    for group in GROUPS:
        for point in entry_points(group=group):
            version = point.dist.version if point.dist else "?"
            yield f"{point.name}={point.value} {version}"


def _code() -> Digest:
    whole = hashlib.sha256()
    for package in PACKAGES:
        found = find_spec(package)
        folders = found.submodule_search_locations if found else None
        for folder in map(Path, folders or ()):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    name = path.relative_to(folder).as_posix().encode()
                    whole.update(b"%d:%s" % (len(name), name))
                    whole.update(hashlib.sha256(path.read_bytes()).digest())
    return Digest(whole.hexdigest())
