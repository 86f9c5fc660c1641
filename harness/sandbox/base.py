"""What the rest of the harness knows about sandboxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from harness.domain.changes import Change, Changes
from harness.domain.ids import Digest
from harness.domain.scenario import Limits, Network, Scenario
from harness.sandbox.owner import Marks

WORKSPACE = "/workspace"
GRADING = "/grading"
HOME = "/home/agent"
PROGRAMS = "/opt/mintmark"
SOCKET = "/run/mintmark/gateway.sock"
"""Where an agent's sandbox finds the gateway."""

AGENT_NAME = "agent"
AGENT_UID = 64321
"""User and group of whoever works in a sandbox; no host account has this number."""


class Purpose(StrEnum):
    """What a sandbox is opened for; it decides who runs in it and what it may do."""

    WORK = "work"
    GRADE = "grade"
    KEEP = "keep"
    """Trusted: fills workspaces and looks through them; nothing of an agent's runs in it."""


class User(StrEnum):
    """Who a command runs as: the unprivileged one, or the trusted one where there is one."""

    AGENT = "agent"
    GRADER = "grader"


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended; exit code None means it was killed at its deadline."""

    exit_code: int | None
    stdout: str
    stderr: str
    duration_s: float
    dropped_bytes: int = 0
    """How much output was left out of the middle of stdout and stderr."""

    @property
    def ok(self) -> bool:
        """It ended by itself, well."""
        return self.exit_code == 0

    @property
    def timed_out(self) -> bool:
        """It was still running at its deadline."""
        return self.exit_code is None


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One name in a folder."""

    name: str
    kind: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One path of a scanned tree; a file that was not read has no digest."""

    path: bytes
    kind: str
    mode: int
    size_bytes: int
    sha256: str = ""
    target: bytes = b""


@dataclass(frozen=True, slots=True)
class Match:
    """One line that a search found."""

    path: str
    line: int
    text: str


class BoxError(Exception):
    """A request that the sandbox answered with no: it goes back to the agent as text."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Box(Protocol):
    """A running sandbox. Methods raise BoxClosed when it died, SandboxFault when the engine did."""

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
        """Run a shell line or an argv in the workspace; at the deadline all that it began dies."""
        ...

    def read(self, path: str, *, limit: int, user: User = User.AGENT) -> bytes:
        """A regular file's first `limit` bytes; raises BoxError."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Replace a file, making its folders; raises BoxError."""
        ...

    def list(self, path: str, *, depth: int, limit: int) -> Sequence[FileEntry]:
        """Names below a folder; raises BoxError."""
        ...

    def search(self, pattern: str, *, path: str, glob: str | None, limit: int) -> Sequence[Match]:
        """Lines that match a Python regular expression; raises BoxError."""
        ...

    def apply(self, changes: Sequence[Change]) -> None:
        """Make the workspace so; raises BoxError."""
        ...

    def put_hidden(self, files: Mapping[str, bytes]) -> None:
        """Put files where only the grader reads them; grading sandboxes only."""
        ...


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An image with all that a scenario installs and nothing of what it hides."""

    tag: str
    key: Digest


@dataclass(frozen=True, slots=True)
class Mount:
    """How a workspace gets into a container: a host folder or a named volume."""

    source: str
    target: str = WORKSPACE
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class BoxSpec:
    """Everything a container is started from."""

    name: str
    image: PreparedImage
    purpose: Purpose
    limits: Limits
    network: Network
    mounts: tuple[Mount, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Archive:
    """A package of the npm registry for one machine, pinned by its integrity."""

    package: str
    version: str
    integrity: str
    """`sha512-…`, as registries and lock files write it."""
    program: str
    """The executable's path within the package."""


@dataclass(frozen=True, slots=True)
class Program:
    """An agent's own program, which is mounted into its sandbox at `folder`."""

    name: str
    version: str
    archives: tuple[tuple[str, Archive], ...]
    """By machine, as `uname -m` says it."""

    @property
    def path(self) -> str:
        """The executable, inside the sandbox."""
        return f"{PROGRAMS}/{self.name}/bin/{self.name}"


class Programs(Protocol):
    """Agents' programs, fetched once and kept beside the engine."""

    def mount(self, program: Program, image: PreparedImage, tell: Callable[[str], None]) -> Mount:
        """How a sandbox sees the program, fetched if it has to be; raises SandboxFault."""
        ...


class Sandboxes(Protocol):
    """An engine that opens boxes."""

    def open(self, spec: BoxSpec) -> AbstractContextManager[Box]:
        """A running box; gone, with every process in it, when the block ends."""
        ...


class Images(Protocol):
    """Prepared images, built once per content."""

    def prepare(self, scenario: Scenario, tell: Callable[[str], None]) -> PreparedImage:
        """The scenario's image, built if it has to be; `tell` hears of slow steps."""
        ...


class Workspace(Protocol):
    """A private, writable copy of a fixture."""

    @property
    def mount(self) -> Mount:
        """How a container sees it."""
        ...

    def capture(self) -> Changes:
        """What differs from the fixture; only when no container uses it any more."""
        ...


class Workspaces(Protocol):
    """Workspaces from one fixture store."""

    def open(
        self, scenario: Scenario, image: PreparedImage, marks: Marks | None = None
    ) -> AbstractContextManager[Workspace]:
        """A fresh workspace, removed when the block ends; `image` is what helpers are made of."""
        ...
