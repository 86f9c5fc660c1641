"""Whether something that was fine is no longer: streams, error budgets, and judges that move."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.stats.estimate import ALPHA, Interval, around
from harness.stats.exact import mcnemar
from harness.stats.inputs import binary, positive, probability
from harness.stats.proportions import wilson


@dataclass(frozen=True, slots=True)
class Cusum:
    """The path of the sum, and which value first took it to the bar, counted from 1."""

    path: tuple[float, ...]
    alarm_at: int | None


@dataclass(frozen=True, slots=True)
class Window:
    """A burn rate that must be exceeded over a long and a short time before anybody is told."""

    long: str
    short: str
    factor: float
    action: str


WINDOWS = (
    Window("1h", "5m", 14.4, "page"),
    Window("6h", "30m", 6, "page"),
    Window("3d", "6h", 1, "ticket"),
)
"""Those of the Google SRE workbook."""


@dataclass(frozen=True, slots=True)
class JudgeDrift:
    """A judge today against the same judge before, on pieces of work whose verdict is known."""

    before: float
    """Share of right verdicts."""
    after: float
    change: Interval
    p_mid: float
    flip_rate: float
    """Share of verdicts that changed, whether for the better or the worse."""
    flips: Interval


def cusum(failures: Sequence[int], *, usual: float, alarming: float, bar: float) -> Cusum:
    """Failures as 1: alarm when the evidence for the alarming rate reaches the bar.

    A bar of ln(A) lets a stream at the usual rate or below run for A values on average before it
    raises a false alarm.
    """
    binary(failures, "outcomes")
    probability(usual, "the usual rate")
    probability(alarming, "the alarming rate")
    positive(bar, "the bar")
    if alarming <= usual:
        raise ValueError("the alarming rate lies above the usual one")
    up = math.log(alarming / usual)
    down = math.log((1 - alarming) / (1 - usual))
    path, level = [], 0.0
    for failure in failures:
        level = max(0.0, level + (up if failure else down))
        path.append(level)
    return Cusum(tuple(path), next((n for n, at in enumerate(path, start=1) if at >= bar), None))


def burn_rate(bad: int, total: int, *, slo: float) -> float | None:
    """How many times faster than allowed an error budget is used up; None without any events."""
    probability(slo, "the objective")
    if not 0 <= bad <= total:
        raise ValueError(f"{bad} of {total} cannot have been bad")
    return bad / total / (1 - slo) if total else None


def fired(rates: Mapping[str, float | None], windows: Sequence[Window] = WINDOWS) -> list[Window]:
    """The windows over which the budget burns too fast, both long and short."""

    def burns(name: str, factor: float) -> bool:
        rate = rates.get(name)
        return rate is not None and rate >= factor

    return [w for w in windows if burns(w.long, w.factor) and burns(w.short, w.factor)]


def judge_drift(
    gold: Sequence[int], before: Sequence[int], after: Sequence[int], *, alpha: float = ALPHA
) -> JudgeDrift:
    """The share that is right can stay while a quarter of the verdicts change: both are here."""
    for values, what in ((gold, "known verdicts"), (before, "verdicts"), (after, "verdicts")):
        binary(values, what)
    right = [(a == g, b == g) for g, a, b in zip(gold, before, after, strict=True)]
    test = mcnemar(
        both=right.count((True, True)),
        before_only=right.count((True, False)),
        after_only=right.count((False, True)),
        neither=right.count((False, False)),
    )
    flipped = sum(a != b for a, b in zip(before, after, strict=True))
    n = len(gold)
    return JudgeDrift(
        before=sum(a for a, _ in right) / n,
        after=sum(b for _, b in right) / n,
        change=around(test.delta, test.wald_se, alpha),
        p_mid=test.p_mid,
        flip_rate=flipped / n,
        flips=wilson(flipped, n, alpha=alpha),
    )
