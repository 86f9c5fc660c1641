"""What manifests and lock files say, whatever their format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from harness.load.versions import Ecosystem, Range

MAX_DECLARED = 1_000
"""Of one manifest: more than anyone's; each costs a range to be read."""

PEER = "peerDependencies"
LOCAL = ("workspace:", "link:", "file:", "portal:")
"""A folder of the project's own."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One dependency as one manifest asks for it."""

    manifest: str
    section: str
    name: str
    spec: str
    """As it is written, but for a catalogue's entry, which is looked up."""
    range: Range | None
    """None for a tag, an address, a folder."""
    package: str
    """What is installed under the name."""
    recorded: str
    """How a lock file quotes it."""

    @property
    def ecosystem(self) -> Ecosystem:
        """Whose rules it follows."""
        return Ecosystem.NPM if self.manifest.endswith("package.json") else Ecosystem.PYTHON

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.manifest}: {self.name} {self.spec!r}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A package.json, pyproject.toml, requirements file ..."""

    path: str
    ecosystem: Ecosystem
    declared: tuple[Declared, ...] = ()
    name: str = ""
    workspaces: tuple[str, ...] | None = None
    """Globs of the members; None when it is no root of workspaces."""
    engines: Mapping[str, str] = field(default_factory=dict)
    """The ranges of `node` or `python` that it works with."""
    manager: str = ""
    """The packageManager field."""
    problem: str = ""

    @property
    def folder(self) -> str:
        """Where it is; `.` is the root."""
        return str(PurePosixPath(self.path).parent)


@dataclass(frozen=True, slots=True)
class Locked:
    """One package in a lock file."""

    name: str
    version: str
    deprecated: str = ""
    """What the registry says of a deprecated one."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file, read for the manifests that it stands for."""

    path: str
    manager: str
    packages: tuple[Locked, ...] = ()
    resolved: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Versions by manifest and name."""
    disagreements: tuple[str, ...] = ()
    """Where manifests ask for what the lock file was not made from."""
    checked: int = 0
    """How many dependencies were looked up."""
    tells_deprecated: bool = False
    problem: str = ""

    @property
    def agreement(self) -> float:
        """The share of declared dependencies that it was made from."""
        if self.problem:
            return 0.0
        # entries for what nobody asks for any more are disagreements, too
        return max(0.0, 1.0 - len(self.disagreements) / max(self.checked, 1))
