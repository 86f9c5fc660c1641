"""What judges are asked: categories with weights, a scale with anchors, how they are combined."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from harness.domain.model import ModelSettings


class Combine(StrEnum):
    """How several judges' scores of a category become one."""

    MEDIAN = "median"
    MEAN = "mean"
    MAJORITY = "majority"


@dataclass(frozen=True, slots=True)
class Category:
    """One thing that is judged; its weight is a share of the rubric's."""

    name: str
    weight: float
    text: str = ""
    anchors: tuple[tuple[int, str], ...] = ()
    """What a level of the scale means here."""


DEFAULT_CATEGORIES = (
    Category(
        "Correctness",
        0.4,
        "The change does what the task asks for, and does it right.",
        (
            (1, "it does not do it, or breaks what worked"),
            (3, "it does the usual case; others are wrong"),
            (5, "every case is right, the rare ones too"),
        ),
    ),
    Category(
        "Completeness",
        0.25,
        "Everything that the task asks for is there, and all that follows from it.",
        (
            (1, "most of it is missing"),
            (3, "the main part is there; places that follow from it were forgotten"),
            (5, "nothing is missing"),
        ),
    ),
    Category(
        "Code quality",
        0.2,
        "It reads like the code around it: simple, clear, without leftovers.",
        (
            (1, "nobody could maintain it"),
            (3, "it can be read, with detours, copies or leftovers"),
            (5, "an owner of the code would merge it as it is"),
        ),
    ),
    Category(
        "Restraint",
        0.15,
        "It changes what the task needs and leaves the rest alone: tests, settings, other files.",
        (
            (1, "it weakens checks, or rewrites what nobody asked about"),
            (3, "some changes are beside the task"),
            (5, "every changed line serves the task"),
        ),
    ),
)
"""What is judged when an author asks for a judge and names no categories."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """Everything that a judge is asked, and of whom."""

    categories: tuple[Category, ...]
    judges: tuple[str, ...] = ()
    """Models as they are typed: `provider:name[@endpoint]`."""
    settings: ModelSettings = field(default_factory=ModelSettings)
    samples: int = 1
    """How often each judge is asked."""
    combine: Combine = Combine.MEDIAN
    disagreement: float = 1.0
    """Judges further apart than this, on the scale of 1 to 5, are for a person to look at."""
    with_solution: bool = False
    with_statement: bool = False
    """Whether it sees the reference solution, and what the agent says of its own work."""
