"""The files of a project as data on the host: the fixture's, and what an agent made of them.

What validation commands leave in the grading sandbox (an install writes lock files) is not in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from harness.domain.changes import ChangeKind
from harness.domain.scenario import Scenario
from harness.evaluate import Evidence

MAX_BYTES = 4 * 1024 * 1024
MAX_FILES = 50_000
MAX_TEXT_BYTES = 12 * 1024 * 1024
"""Of all that is parsed: some parsers take a second for a MiB."""

IGNORED = frozenset(
    {
        *("node_modules", "bower_components", ".git", ".yarn", ".pnpm-store", ".nx", ".turbo"),
        *(".venv", "venv", "site-packages", "__pycache__", ".tox", ".nox", "__pypackages__"),
        *("fixtures", "__fixtures__", "testdata"),
    }
)
"""Folders that hold nothing of the project's own, or projects that tests are made with."""


class Tree:
    """Files by path; links are none."""

    def __init__(self, files: Mapping[str, Path | bytes]) -> None:
        self._files = files
        self._left = MAX_TEXT_BYTES

    @property
    def names(self) -> tuple[str, ...]:
        """Every path, in order."""
        return tuple(sorted(self._files))

    def read(self, path: str) -> bytes | None:
        """A file; None when there is none, or it is larger than what is read of any."""
        found = self._files.get(path)
        if isinstance(found, Path):
            try:
                with found.open("rb") as file:
                    found = file.read(MAX_BYTES + 1)
            except OSError:
                return None
        return None if found is None or len(found) > MAX_BYTES else found

    def text(self, path: str) -> str | None:
        """A file as text, whatever its bytes are; None when too much has been read before."""
        data = self.read(path)
        if data is None or len(data) > self._left:
            return None
        self._left -= len(data)
        return data.decode("utf-8-sig", "replace")


def fixture_tree(scenario: Scenario) -> Tree:
    """What the agent was given."""
    return Tree(dict(_fixture(scenario.fixture)))


def graded_tree(evidence: Evidence) -> Tree:
    """What reached the grading: the fixture with the changes."""
    files: dict[str, Path | bytes] = dict(_fixture(evidence.scenario.fixture))
    folders = _folders(files)
    for change in evidence.changes:
        path = os.fsdecode(change.path)
        if path in folders:
            for below in [name for name in files if name.startswith(f"{path}/")]:
                del files[below]
        files.pop(path, None)
        if change.kind is ChangeKind.FILE and _counts(path) and len(files) < MAX_FILES:
            files[path] = change.data
    return Tree(files)


def _fixture(root: Path) -> Iterator[tuple[str, Path]]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        for name in sorted(names):
            path = Path(folder, name)
            if not path.is_symlink() and count < MAX_FILES:
                count += 1
                yield path.relative_to(root).as_posix(), path


def _folders(files: Mapping[str, object]) -> set[str]:
    return {str(parent) for name in files for parent in PurePosixPath(name).parents}


def _counts(path: str) -> bool:
    return not IGNORED.intersection(path.split("/")[:-1])
