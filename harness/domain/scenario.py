"""A scenario: what the agent is given, what it may use, how it is graded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.domain.dependencies import DependencyRules
from harness.domain.heuristics import Heuristic
from harness.domain.ids import Digest
from harness.domain.rubric import Rubric

KIB = 1024
MIB = 1024 * KIB

TIERS = {
    "L0": "Minimal",
    "L1": "Basic",
    "L2": "Directed",
    "L3": "Migration",
    "Lx": "Adversarial",
}
DEFAULT_THRESHOLD = 0.7
DEFAULT_IMAGE = "debian:bookworm-slim"


class Network(StrEnum):
    """What the agent's sandbox may reach besides the model gateway."""

    NONE = "none"
    FULL = "full"


class Level(StrEnum):
    """How far a test can be fooled: A imports the agent's code, B only looks at its values."""

    A = "A"
    B = "B"


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where a scenario's image comes from: a name and additions, or a Dockerfile."""

    name: str = DEFAULT_IMAGE
    packages: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    dockerfile: Path | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sandbox may use; the wall clock covers the agent's whole session."""

    cpus: float = 1.0
    memory_bytes: int = 1024 * MIB
    pids: int = 256
    disk_bytes: int = 256 * MIB
    wall_clock_s: float = 600.0
    command_s: float = 120.0
    output_bytes: int = 64 * KIB


@dataclass(frozen=True, slots=True)
class Command:
    """A shell command that somebody named."""

    name: str
    run: str


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """One weighted evaluator as a scenario configures it."""

    name: str
    kind: str
    weight: float
    required: bool = False
    level: Level | None = None
    command: str | None = None
    tests: tuple[str, ...] = ()
    report: str | None = None
    fail_to_pass: tuple[str, ...] | None = None
    pass_to_pass: tuple[str, ...] | None = None
    timeout_s: float | None = None
    threshold: float = 1.0
    """What a required check has to score."""
    after: tuple[tuple[str, float], ...] = ()
    """It is made when these checks score so much; else it scores 0 without being made."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the evaluator's own schema has let through."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expected value: what a file must hold (or must not) when the work is done."""

    name: str
    file: str
    weight: float = 1.0
    path: tuple[str | int, ...] | None = None
    equals: str | None = None
    """The expected value as canonical JSON; None asks only that the path exists."""
    matches: str | None = None
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Oracle:
    """What the scenario's author knows: answers for the agent, expected values for the grade."""

    answers: tuple[tuple[str, str], ...] = ()
    expected: tuple[Expectation, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """The wording of a task at one tier."""

    tier: str
    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class TierProfile:
    """How a tier shifts the weights: `policy.yaml` beside the suite's prompts."""

    tier: str
    ask_user_bonus: float = 0.0
    """Added to the weight of user_questions_quality, as a share of all other weights."""
    efficiency_weight: float = 1.0
    """What the weight of efficiency is multiplied by."""


@dataclass(frozen=True, slots=True)
class Digests:
    """What the scenario's files were when they were loaded; a run's spec names them."""

    fixture: Digest
    hidden: Digest
    image: Digest
    definition: Digest


@dataclass(frozen=True, slots=True)
class Scenario:
    """A loaded, validated scenario; paths are absolute."""

    suite: str
    id: str
    title: str
    description: str
    folder: Path
    fixture: Path
    image: ImageSource
    limits: Limits
    network: Network
    threshold: float
    checks: tuple[CheckSpec, ...]
    validation: tuple[Command, ...]
    prompts: tuple[Prompt, ...]
    oracle: Oracle
    digests: Digests
    hidden: Path | None = None
    solution: Path | None = None
    heuristics: tuple[Heuristic, ...] = ()
    rubric: Rubric | None = None
    rules: DependencyRules = field(default_factory=DependencyRules)
    profiles: tuple[TierProfile, ...] = ()
    protected: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    difficulty: str | None = None
    notes: tuple[str, ...] = field(default=())
    """What the file says that this version keeps but does not act on."""

    @property
    def project(self) -> Path:
        """The folder that holds `suites/`."""
        return self.folder.parents[3]

    @property
    def key(self) -> str:
        """`suite/scenario`, how people and reports name it."""
        return f"{self.suite}/{self.id}"

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers that have a prompt, in the order of TIERS."""
        return tuple(tier for tier in TIERS if any(p.tier == tier for p in self.prompts))
