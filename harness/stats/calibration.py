"""What people would have said, from what a judge said of everything and people of some of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.estimate import ALPHA, around
from harness.stats.exact import ranks
from harness.stats.inputs import binary, finite, probability, share
from harness.stats.moments import correlation, covariance, mean, variance

LEAST_SKILL = 0.3
"""Sensitivity and specificity less 1: below it a judge alone supports no claim."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A mean corrected for the judge's bias."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Skill:
    """How a judge's verdicts relate to people's; None where people gave no such verdict."""

    sensitivity: float | None
    specificity: float | None

    @property
    def is_usable(self) -> bool:
        """The judge tells good from bad well enough to be corrected at all."""
        if self.sensitivity is None or self.specificity is None:
            return False
        return self.sensitivity + self.specificity - 1 >= LEAST_SKILL


def skill(human: Sequence[int], judge: Sequence[int]) -> Skill:
    """Over pairs of verdicts, 1 for passed."""
    binary(human, "verdicts of people")
    binary(judge, "verdicts of the judge")
    good = [j for h, j in zip(human, judge, strict=True) if h]
    bad = [j for h, j in zip(human, judge, strict=True) if not h]
    return Skill(mean(good) if good else None, 1 - mean(bad) if bad else None)


def rogan_gladen(judged: float, of: Skill) -> float | None:
    """The pass rate behind a judge's, kept within 0..1; None for a judge with no skill."""
    share(judged, "a pass rate")
    if of.sensitivity is None or of.specificity is None or not of.is_usable:
        return None
    corrected = (judged + of.specificity - 1) / (of.sensitivity + of.specificity - 1)
    return min(1.0, max(0.0, corrected))


def ppi_weight(
    human: Sequence[float], judge: Sequence[float], unlabelled: Sequence[float]
) -> float:
    """How much to lean on the judge, 0..1, for the shortest interval."""
    n, total = len(human), len(unlabelled)
    spread = variance([*judge, *unlabelled])
    if not spread:
        return 0.0
    best = covariance(human, judge, ddof=0) / ((1 + n / total) * spread)
    return min(1.0, max(0.0, best))


def ppi_mean(
    human: Sequence[float],
    judge: Sequence[float],
    unlabelled: Sequence[float],
    *,
    weight: float | None = None,
    alpha: float = ALPHA,
) -> Corrected:
    """Prediction-powered mean: `human` and `judge` of a random sample, `unlabelled` of the rest.

    Labels that were chosen for being doubtful need `active_mean` instead.
    """
    for values, what in ((human, "labels"), (judge, "judged"), (unlabelled, "unlabelled")):
        finite(values, what)
    lean = ppi_weight(human, judge, unlabelled) if weight is None else weight
    share(lean, "the weight of the judge")
    residuals = [y - lean * f for y, f in zip(human, judge, strict=True)]
    value = lean * mean(unlabelled) + mean(residuals)
    spread = lean**2 * variance(unlabelled, ddof=0) / len(unlabelled)
    se = math.sqrt(spread + variance(residuals, ddof=0) / len(residuals))
    return _corrected(value, se, alpha)


def active_mean(
    judge: Sequence[float],
    human: Sequence[float | None],
    chances: Sequence[float],
    *,
    alpha: float = ALPHA,
) -> Corrected:
    """The same where each item had its own chance of being labelled: Zrnic and Candès (2024)."""
    finite(judge, "judged")
    terms = []
    for verdict, label, chance in zip(judge, human, chances, strict=True):
        if chance != 1:
            probability(chance, "a chance of being labelled")
        terms.append(verdict if label is None else verdict + (label - verdict) / chance)
    return _corrected(mean(terms), math.sqrt(variance(terms) / len(terms)), alpha)


def brier(confidences: Sequence[float], outcomes: Sequence[int]) -> float:
    """Mean squared distance of a confidence from what came about."""
    _confident(confidences, outcomes)
    return mean([(p - y) ** 2 for p, y in zip(confidences, outcomes, strict=True)])


def calibration_error(
    confidences: Sequence[float], outcomes: Sequence[int], *, bins: int = 10
) -> float:
    """Expected calibration error over bins of equal width."""
    _confident(confidences, outcomes)
    inside: dict[int, list[float]] = {}
    for p, y in zip(confidences, outcomes, strict=True):
        inside.setdefault(min(bins - 1, int(p * bins)), []).append(p - y)
    return math.fsum(abs(math.fsum(gaps)) for gaps in inside.values()) / len(confidences)


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Rank correlation; None when a side does not vary."""
    return correlation(ranks(a), ranks(b))


def kendall(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Kendall's tau-b; None when a side does not vary."""
    pairs = list(zip(a, b, strict=True))
    signs = [
        (_sign(x - u), _sign(y - v)) for n, (x, y) in enumerate(pairs) for u, v in pairs[n + 1 :]
    ]
    ordered_a, ordered_b = (sum(1 for pair in signs if pair[side]) for side in (0, 1))
    if not ordered_a or not ordered_b:
        return None
    return sum(x * y for x, y in signs) / math.sqrt(ordered_a * ordered_b)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _confident(confidences: Sequence[float], outcomes: Sequence[int]) -> None:
    finite(confidences, "confidences")
    binary(outcomes, "outcomes")
    for p in confidences:
        share(p, "a confidence")


def _corrected(value: float, se: float, alpha: float) -> Corrected:
    half = around(0.0, se, alpha).high or 0.0
    return Corrected(value, se, value - half, value + half)
