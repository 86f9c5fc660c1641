"""Whether a candidate may replace what there is, segment by segment: yes, no, or not known yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.stats.distributions import t_quantile, t_tail
from harness.stats.estimate import ALPHA
from harness.stats.inputs import finite, positive, probability
from harness.stats.multiplicity import holm

Status = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Decision = Literal["ALLOW", "BLOCK", "INCONCLUSIVE"]
EXIT_CODES = {"ALLOW": 0, "BLOCK": 20, "INCONCLUSIVE": 21}


@dataclass(frozen=True, slots=True)
class Segment:
    """What changed for one part of the work, with its uncertainty."""

    id: str
    delta: float
    se: float
    df: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One segment held against the margin; the bounds are one-sided, each at `1 - alpha`."""

    id: str
    lower: float
    upper: float
    p_noninferior: float
    """Of a difference this good if it were as bad as the margin."""
    p_regressed: float
    """Of a difference this bad if it were no worse than the margin."""
    p_regressed_holm: float
    status: Status


@dataclass(frozen=True, slots=True)
class GateResult:
    """All segments, and what follows from them."""

    segments: tuple[Judged, ...]
    strict: Decision
    """For releases: every segment passes, or it is not allowed."""
    lenient: Decision
    """For pull requests: only a proved regression blocks."""
    worst: str


def judge_segments(
    segments: Sequence[Segment], *, margin: float, alpha: float = ALPHA
) -> GateResult:
    """PASS when surely above -margin, FAIL when surely below it (Holm), else INCONCLUSIVE."""
    positive(margin, "the margin")
    probability(alpha, "alpha")
    finite([segment.delta for segment in segments], "segments")
    for segment in segments:
        positive(segment.se, f"the standard error of {segment.id!r}")
    regressed = [t_tail(-_t(segment, margin), segment.df) for segment in segments]
    adjusted = holm(regressed)
    judged = tuple(
        _judged(segment, margin, alpha, p, p_holm)
        for segment, p, p_holm in zip(segments, regressed, adjusted, strict=True)
    )
    statuses = {each.status for each in judged}
    strict: Decision = "ALLOW" if statuses == {"PASS"} else "INCONCLUSIVE"
    return GateResult(
        segments=judged,
        strict="BLOCK" if "FAIL" in statuses else strict,
        lenient="BLOCK" if "FAIL" in statuses else "ALLOW",
        worst=min(segments, key=lambda segment: segment.delta).id,
    )


def _t(segment: Segment, margin: float) -> float:
    return (segment.delta + margin) / segment.se


def _judged(segment: Segment, margin: float, alpha: float, p: float, p_holm: float) -> Judged:
    half = t_quantile(1 - alpha, segment.df) * segment.se
    lower, upper = segment.delta - half, segment.delta + half
    status: Status = "INCONCLUSIVE"
    if p_holm < alpha:
        status = "FAIL"
    elif lower > -margin:
        status = "PASS"
    return Judged(
        id=segment.id,
        lower=lower,
        upper=upper,
        p_noninferior=t_tail(_t(segment, margin), segment.df),
        p_regressed=p,
        p_regressed_holm=p_holm,
        status=status,
    )
