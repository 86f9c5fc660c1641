"""What judges said of a run: scores by category, with the evidence that they quoted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.domain.artifact import Artifact
from harness.domain.ids import Digest, RunId
from harness.domain.model import ModelUse


@dataclass(frozen=True, slots=True)
class Mark:
    """One category's score on the scale of 1 to 5."""

    category: str
    weight: float
    score: float
    spread: float = 0.0
    """The largest score that was given for it less the smallest."""
    samples: tuple[float, ...] = ()
    reasoning: str = ""
    quotes: tuple[str, ...] = ()
    unfounded: tuple[str, ...] = ()
    """Quotations that are not in the work."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One panel's, or one person's, scores; `score` is the weighted mean on 0..1."""

    by: tuple[str, ...]
    """The judges' models, or the person's name."""
    is_human: bool
    rubric: Digest
    score: float
    marks: tuple[Mark, ...]
    disputed: bool = False
    """The judges are further apart than the rubric allows: for a person to look at."""
    note: str = ""
    use: ModelUse | None = None
    artifacts: tuple[Artifact, ...] = ()
    """The prompt as it was sent, and the answers."""


@dataclass(frozen=True, slots=True)
class Review:
    """A judgement that was made of a stored run, beside the grade that the run has."""

    run: RunId
    at: datetime
    judgement: Judgement
