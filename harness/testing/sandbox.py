"""Sandboxes made of dictionaries: what a command says is written down beforehand."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest
from harness.domain.scenario import Scenario
from harness.errors import BoxClosed
from harness.sandbox.base import (
    WORKSPACE,
    Box,
    BoxError,
    BoxSpec,
    Completed,
    FileEntry,
    Match,
    Mount,
    PreparedImage,
    User,
    Workspace,
)
from harness.sandbox.engine import GIB, EngineReport
from harness.sandbox.owner import Marks

OK = Completed(0, "", "", 0.01)
Answer = Completed | Callable[["FakeBox"], Completed]


@dataclass(slots=True)
class FakeBox:
    """Files in a dictionary; commands answered by the first pattern that they contain."""

    files: dict[str, bytes]
    answers: Mapping[str, Answer]
    asked: list[str] = field(default_factory=list)
    hidden: dict[str, bytes] = field(default_factory=dict)
    closed: bool = False

    def run(
        self,
        command: str | Sequence[str],
        *,
        timeout_s: float,
        user: User = User.AGENT,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        output_bytes: int | None = None,
    ) -> Completed:
        """What was written down for the command, else success without a word."""
        del timeout_s, user, env, stdin, output_bytes
        self._check()
        line = command if isinstance(command, str) else shlex.join(command)
        self.asked.append(line)
        for part, answer in self.answers.items():
            if part in line:
                return answer(self) if callable(answer) else answer
        return OK

    def read(self, path: str, *, limit: int, user: User = User.AGENT) -> bytes:
        """A file's first bytes."""
        del user
        self._check()
        try:
            return self.files[_inside(path)][:limit]
        except KeyError:
            raise BoxError("not_found", f"no file {path}") from None

    def write(self, path: str, data: bytes) -> None:
        """Replace a file."""
        self._check()
        self.files[_inside(path)] = data

    def list(self, path: str, *, depth: int, limit: int) -> Sequence[FileEntry]:
        """Files below a folder, at most `depth` levels down."""
        self._check()
        prefix = "" if _inside(path) in ("", ".") else f"{_inside(path)}/"
        names = [n.removeprefix(prefix) for n in sorted(self.files) if n.startswith(prefix)]
        found = [n for n in names if n.count("/") < depth]
        return [FileEntry(n, "file", len(self.files[prefix + n])) for n in found[:limit]]

    def search(self, pattern: str, *, path: str, glob: str | None, limit: int) -> Sequence[Match]:
        """Lines that match."""
        self._check()
        prefix = "" if _inside(path) in ("", ".") else _inside(path)
        found = [
            Match(name, number, line)
            for name, data in sorted(self.files.items())
            if name.startswith(prefix) and fnmatch.fnmatch(name, glob or "*")
            for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1)
            if re.search(pattern, line)
        ]
        return found[:limit]

    def apply(self, changes: Sequence[Change]) -> None:
        """Make the files so."""
        self._check()
        # as the daemon does: what goes, goes before anything comes
        for change in sorted(changes, key=lambda each: each.kind is not ChangeKind.DELETE):
            name = change.path.decode()
            if change.kind is ChangeKind.DELETE:
                gone = [n for n in self.files if n == name or n.startswith(f"{name}/")]
                for path in gone:
                    del self.files[path]
            else:
                self.files[name] = change.data

    def put_hidden(self, files: Mapping[str, bytes]) -> None:
        """Keep hidden files where no test looks for the agent's."""
        self._check()
        self.hidden.update(files)

    def _check(self) -> None:
        if self.closed:
            raise BoxClosed("the sandbox ended")


@dataclass(slots=True)
class FakeSandboxes:
    """Opens FakeBoxes over the workspace that a spec mounts, and remembers every spec."""

    workspaces: FakeWorkspaces
    answers: Mapping[str, Answer] = field(default_factory=dict)
    opened: list[BoxSpec] = field(default_factory=list)
    boxes: list[FakeBox] = field(default_factory=list)

    @contextmanager
    def open(self, spec: BoxSpec) -> Iterator[Box]:
        """A box over the mounted workspace's files."""
        box = FakeBox(self.workspaces.files[spec.mounts[0].source], self.answers)
        self.opened.append(spec)
        self.boxes.append(box)
        try:
            yield box
        finally:
            box.closed = True


@dataclass(frozen=True, slots=True)
class FakeWorkspace:
    """A named dictionary of files beside the fixture's."""

    name: str
    files: Mapping[str, bytes]
    fixture: Mapping[str, bytes]

    @property
    def mount(self) -> Mount:
        """The dictionary's name stands for the folder."""
        return Mount(self.name, WORKSPACE)

    def capture(self) -> Changes:
        """The difference between the two dictionaries."""
        gone = [Change(n.encode(), ChangeKind.DELETE) for n in self.fixture if n not in self.files]
        new = [
            Change(name.encode(), ChangeKind.FILE, data=data)
            for name, data in self.files.items()
            if self.fixture.get(name) != data
        ]
        return Changes(tuple(sorted([*gone, *new])))


@dataclass(slots=True)
class FakeWorkspaces:
    """Reads fixtures from disk and copies them into dictionaries."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def open(
        self, scenario: Scenario, image: PreparedImage, marks: Marks | None = None
    ) -> Iterator[Workspace]:
        """A fresh copy."""
        del image, marks
        fixture = _read(scenario.fixture)
        name = f"workspace-{next(self.numbers)}"
        self.files[name] = dict(fixture)
        yield FakeWorkspace(name, self.files[name], fixture)


class FakeImages:
    """Every scenario's image is there already."""

    def prepare(self, scenario: Scenario, tell: Callable[[str], None]) -> PreparedImage:
        """A tag that nobody looks up."""
        del tell
        return PreparedImage(f"fake/{scenario.id}", Digest("0" * 64))


def _read(folder: Path) -> dict[str, bytes]:
    found = (Path(home, name) for home, _, names in os.walk(folder) for name in names)
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(found) if path.is_file()
    }


def _inside(path: str) -> str:
    return path.removeprefix(f"{WORKSPACE}/").removeprefix("./")


OpenBox = Callable[..., AbstractContextManager[tuple[Box, Workspace]]]
"""What a fixture hands to tests that open sandboxes."""


AN_ENGINE = EngineReport(
    version="28",
    api="1.48",
    cgroup="2",
    cgroup_driver="systemd",
    storage_driver="overlay2",
    security=("seccomp",),
    missing_limits=(),
    local=True,
    root_dir="/var/lib/docker",
    free_bytes=50 * GIB,
    memory_bytes=16 * GIB,
    cpus=8,
    images=(),
)
"""A healthy one."""
