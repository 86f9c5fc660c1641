"""What a run leaves behind: immutable once it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from harness.domain.application import Application
from harness.domain.artifact import Artifact
from harness.domain.failures import ENDINGS, Cause
from harness.domain.grading import Grading
from harness.domain.ids import BatchId, Digest, RunId
from harness.domain.judgement import Judgement
from harness.domain.model import Asked, Budget, ModelRef, ModelSettings, ModelUse, Usage
from harness.domain.scenario import Level
from harness.domain.session import Session


class Verdict(StrEnum):
    """How one test came out."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """One named test and how it came out."""

    __test__ = False

    id: str
    verdict: Verdict
    message: str = ""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A validation command as it ran; exit code None means it was killed at its deadline."""

    name: str
    run: str
    exit_code: int | None
    duration_s: float
    output: Artifact | None = None

    @property
    def ok(self) -> bool:
        """It ended by itself, well."""
        return self.exit_code == 0


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a tool has to say about a place in the code."""

    rule: str
    path: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One evaluator's word: a score in 0..1, or None and the reason why there is none."""

    name: str
    kind: str
    score: float | None
    weight: float
    required: bool = False
    reason: str = ""
    details: tuple[str, ...] = ()
    level: Level | None = None
    outcomes: tuple[TestOutcome, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    duration_s: float = 0.0
    threshold: float = 1.0
    """What it has to score when it is required."""
    findings: tuple[Finding, ...] = ()
    """What is found in this work, to compare with the control's."""
    crashed: bool = False
    """The evaluator broke down: the run is graded only in part, and does not pass."""
    judgement: Judgement | None = None
    """The judges' scores behind it."""
    use: ModelUse | None = None
    """What asking models cost, whether a judgement came of it or not."""

    @property
    def reached(self) -> bool:
        """It ran, and scores what it has to score when it is required."""
        return self.score is not None and self.score >= self.threshold


class Grader(NamedTuple):
    """A check's part in the task, without what came of it."""

    name: str
    kind: str
    weight: float
    required: bool


@dataclass(frozen=True, slots=True)
class Control:
    """The grade of the untouched fixture: what every run of the scenario is compared with."""

    key: Digest
    commands: tuple[CommandResult, ...]
    checks: tuple[CheckResult, ...]

    def check(self, name: str) -> CheckResult | None:
        """A check as it came out on the untouched fixture."""
        return next((c for c in self.checks if c.name == name), None)

    def outcomes(self, check: str) -> tuple[TestOutcome, ...]:
        """The tests that `check` saw on the untouched fixture."""
        found = self.check(check)
        return found.outcomes if found else ()


@dataclass(frozen=True, slots=True)
class SpecialistRef:
    """Which specialist worked, exactly."""

    name: str
    version: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Cell:
    """Who did what: the columns that runs are grouped, compared and listed by."""

    suite: str
    scenario: str
    tier: str
    agent: str
    model: str | None = None
    specialist: SpecialistRef | None = None

    @property
    def who(self) -> str:
        """The agent for people, with its model and its specialist."""
        model = f" {self.model}" if self.model else ""
        specialist = (
            f" + {self.specialist.name}@{self.specialist.version}" if self.specialist else ""
        )
        return f"{self.agent}{model}{specialist}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a run has no grade: the world failed, or we did, or somebody stopped it."""

    cause: Cause
    stage: str
    message: str


@dataclass(frozen=True, slots=True)
class TreeRef:
    """Where the ledger keeps the final tree and what it grew from."""

    base: str
    commit: str
    files_changed: int
    insertions: int
    deletions: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """The run that was made, where another batch counts it as its own."""

    run: RunId
    batch: BatchId


@dataclass(frozen=True, slots=True)
class PriceTables:
    """What prices were taken from."""

    library: str
    """The price library and its version: the table is part of it."""
    own: Digest | None = None
    """Of the project's prices.json5; None where there was none."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Which harness made a run, and what it was metered with."""

    harness: str
    """Its version."""
    prices: PriceTables


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Spec + session + tree + checks + score, or a fault."""

    id: RunId
    batch: BatchId
    cell: Cell
    iteration: int
    spec_digest: Digest
    started_at: datetime
    finished_at: datetime
    task_digest: Digest
    threshold: float
    simulated: bool
    """True when a script and not a model did the work; shown wherever the run is."""
    session: Session | None = None
    tree: TreeRef | None = None
    commands: tuple[CommandResult, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    total_score: float | None = None
    passed: bool = False
    fault: Fault | None = None
    settings: ModelSettings = field(default_factory=ModelSettings)
    budget: Budget = field(default_factory=Budget)
    """How the model was asked, and what it might use."""
    user: ModelRef | None = None
    """The model that played the user."""
    stages_s: tuple[tuple[str, float], ...] = ()
    """How long each stage took, in the order they ran."""
    grading: Grading = field(default_factory=Grading)
    """What somebody asked of the grading."""
    application: Application | None = None
    """The specialist's words, and how they were chosen."""
    reused: Origin | None = None
    """None where it was made for its own batch; else the record is that of another, and paid."""
    maker: Maker | None = None
    """None for a run that was stored before this was recorded."""

    @property
    def judging(self) -> tuple[ModelUse, ...]:
        """What the judges used: no part of the agent's cost."""
        return tuple(check.use for check in self.checks if check.use)

    @property
    def drawn(self) -> tuple[ModelUse, ...]:
        """All that was taken from the batch's common budget."""
        if self.reused:
            return ()
        session = self.session
        asked = (session.model_use, session.user_use) if session else ()
        return (*(use for use in asked if use), *self.judging)

    @property
    def cause(self) -> Cause | None:
        """Whose doing it was that it did not end well; its rule says if a plan waits on."""
        if self.fault is not None:
            return self.fault.cause
        return ENDINGS[self.session.ending] if self.session else Cause.HARNESS

    @property
    def faulted(self) -> bool:
        """It has a fault in place of a grade."""
        return self.fault is not None

    @property
    def fixture(self) -> str:
        """What it started from, by content; empty where nothing was kept of it."""
        return self.tree.base if self.tree else ""

    @property
    def graders(self) -> tuple[Grader, ...]:
        """Its checks as the task names them, in their order."""
        return tuple(Grader(c.name, c.kind, c.weight, c.required) for c in self.checks)

    @property
    def check_scores(self) -> tuple[float | None, ...]:
        """What each of them gave."""
        return tuple(check.score for check in self.checks)

    @property
    def seconds(self) -> float | None:
        """How long the session took; None where there was none."""
        return self.session.duration_s if self.session else None

    @property
    def usage(self) -> Usage | None:
        """What the session used."""
        return self.session.usage if self.session else None

    @property
    def cost_usd(self) -> float | None:
        """What the session cost; None when no price is known."""
        return self.session.cost_usd if self.session else None

    @property
    def asked(self) -> Asked:
        """How its models were asked."""
        return Asked(self.settings, self.budget, self.user)

    @property
    def partly_graded(self) -> bool:
        """An evaluator broke down: the total is of the other checks."""
        return any(check.crashed for check in self.checks)

    @property
    def status(self) -> str:
        """One word for lists: how the run ended, before any question of score."""
        if self.fault:
            return "interrupted" if self.fault.cause is Cause.CANCELLED else "faulted"
        return self.session.ending.value if self.session else "faulted"

    @property
    def weighted_score(self) -> float | None:
        """The total on the scale 0..10."""
        return None if self.total_score is None else round(10 * self.total_score, 9)


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs that belong together; `planned` counts every run that was ever asked of it."""

    id: BatchId
    created_at: datetime
    planned: int
    finished: bool
    """Nothing that was planned is still missing."""
