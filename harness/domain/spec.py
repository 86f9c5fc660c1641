"""One cell of a plan: everything that a run is made from, as data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import Any

from harness.domain.application import Application
from harness.domain.grading import Grading
from harness.domain.ids import Digest
from harness.domain.mcp import McpServer
from harness.domain.model import Budget, ModelRef, ModelSettings
from harness.domain.record import Cell, SpecialistRef
from harness.domain.scenario import Prompt, Scenario

GRADING_VERSION = 2
"""Raised when the same work would be graded differently: recorded controls no longer hold."""


class Warmup(StrEnum):
    """Whether the untouched fixture is graded first."""

    RUN = "run"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class AgentRef:
    """Which agent works: `name` or `name:argument`, and the digest of what it plays from."""

    name: str
    argument: str | None = None
    model: str | None = None
    settings: ModelSettings = field(default_factory=ModelSettings)
    digest: Digest | None = None

    @property
    def label(self) -> str:
        """The agent as it is typed on the command line."""
        return f"{self.name}:{self.argument}" if self.argument else self.name


@dataclass(frozen=True, slots=True)
class Specialist:
    """A template's words, composed: who it is and what the model is told before the task."""

    ref: SpecialistRef
    system_prompt: str
    mcps: tuple[McpServer, ...] = ()
    """Servers of tools that it brings along."""
    application: Application | None = None
    """How the words were chosen."""


@dataclass(frozen=True)  # without slots, for what is worked out once
class RunSpec:
    """One cell of the plan; its digest names everything that could change the result."""

    scenario: Scenario
    prompt: Prompt
    agent: AgentRef
    specialist: Specialist | None = None
    budget: Budget = field(default_factory=Budget)
    user: ModelRef | None = None
    """Plays the user who is asked; None leaves it to the scenario's answers."""
    iteration: int = 1
    warmup: Warmup = Warmup.RUN
    grading: Grading = field(default_factory=Grading)
    """What was asked of it; the scenario's checks are already those that are made."""

    @cached_property
    def cell(self) -> Cell:
        """The columns that the run is grouped and compared by."""
        return Cell(
            suite=self.scenario.suite,
            scenario=self.scenario.id,
            tier=self.prompt.tier,
            agent=self.agent.label,
            model=self.agent.model,
            specialist=self.specialist.ref if self.specialist else None,
        )

    @cached_property
    def digest(self) -> Digest:
        """Equal for two iterations of one cell, different as soon as anything else differs."""
        return _digest(
            {
                "task": self.task_digest,
                "agent": self.agent,
                "budget": self.budget,
                "user": self.user.label if self.user else None,
                "specialist": self.specialist.system_prompt if self.specialist else None,
                "specialist_digest": self.specialist.ref.digest if self.specialist else None,
            }
        )

    @cached_property
    def task_digest(self) -> Digest:
        """What is asked and how it is graded, whoever works: equal for runs that compare."""
        return _digest(
            {
                "grading": GRADING_VERSION,
                "scenario": self.scenario.digests,
                "key": self.scenario.key,
                "network": self.scenario.network,
                "asked": self.grading,
                "prompt": [self.prompt.tier, self.prompt.text],
                "warmup": self.warmup,
            }
        )


def control_key(scenario: Scenario, image_key: Digest) -> Digest:
    """What the grade of the untouched fixture depends on."""
    return _digest(
        {
            "grading": GRADING_VERSION,
            "image": image_key,
            "fixture": scenario.digests.fixture,
            "hidden": scenario.digests.hidden,
            "definition": scenario.digests.definition,
            "checks": [check.name for check in scenario.checks],
        }
    )


def _fields(part: Any) -> dict[str, object]:  # noqa: ANN401  # a dataclass
    return {field.name: getattr(part, field.name) for field in fields(part)}


_WRITTEN = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_fields)


def _digest(value: object) -> Digest:
    return Digest(hashlib.sha256(_WRITTEN.encode(value).encode()).hexdigest())
