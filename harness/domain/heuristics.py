"""Heuristic checks: small facts about the finished work, each with a weight."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.domain.ids import Digest


class HeuristicKind(StrEnum):
    """What is looked at."""

    COMMAND = "command"
    FILE = "file"
    PATTERN = "pattern"
    STRUCTURED = "structured"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class Heuristic:
    """One of them; which fields matter depends on the kind."""

    kind: HeuristicKind
    name: str
    weight: float = 1.0
    description: str = ""
    command: str | None = None
    file: str | None = None
    """A path or a glob."""
    pattern: str | None = None
    """A regular expression as JavaScript writes it."""
    flags: str = ""
    path: tuple[str | int, ...] | None = None
    """Where in a structured file."""
    equals: str | None = None
    """Canonical JSON of the value that has to be there."""
    section: str | None = None
    script: str | None = None
    """A file of the scenario's folder."""
    digest: Digest | None = None
    """What the script was when it was loaded."""
    args: tuple[str, ...] = ()
    absent: bool = False
    """It holds when what it describes is not there."""
