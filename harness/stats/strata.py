"""Samples that keep the shape of the whole: allocation, post-stratification, a stable holdout."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.stats.estimate import ALPHA, Interval, around
from harness.stats.inputs import finite, positive, share
from harness.stats.moments import mean, variance


@dataclass(frozen=True, slots=True)
class Stratified:
    """A mean that counts every stratum by its share of the whole."""

    mean: float | None
    """None when a stratum has no values: nobody knows what it would have been."""
    se: float | None
    interval: Interval
    missing: tuple[str, ...]
    """Strata without a value."""
    thin: tuple[str, ...]
    """Strata with a single value, which has no spread."""


def holdout_place(salt: str, case: str) -> float:
    """Where a case falls in 0..1, by HMAC-SHA256 of its id: the same for ever."""
    digest = hmac.new(salt.encode(), case.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def is_held_out(salt: str, case: str, fraction: float) -> bool:
    """Whether a case belongs to the holdout; adding other cases never changes it."""
    share(fraction, "the share held out")
    return holdout_place(salt, case) < fraction


def allocate(
    total: int,
    shares: Mapping[str, float],
    *,
    deviations: Mapping[str, float] | None = None,
    floor: int = 0,
) -> dict[str, int]:
    """How many cases each stratum gets, none fewer than the floor.

    In proportion to the shares, or with `deviations` to share times deviation, which is Neyman's
    and gives the shortest interval.
    """
    if floor < 0 or total < floor * len(shares):
        raise ValueError(f"{total} cases do not give {len(shares)} strata {floor} each")
    sizes = {name: each * (deviations[name] if deviations else 1) for name, each in shares.items()}
    finite(list(sizes.values()), "shares")
    if min(sizes.values()) < 0:
        raise ValueError("a share is below 0")
    positive(math.fsum(sizes.values()), "the sum of the shares")
    given = dict.fromkeys(sizes, floor)
    open_ = dict(sizes)
    while open_:
        left = total - sum(given[name] for name in sizes if name not in open_)
        whole = math.fsum(open_.values())
        exact = {name: left * size / whole if whole else 0.0 for name, size in open_.items()}
        short = [name for name, cases in exact.items() if cases < floor]
        if not short:
            return given | _rounded(exact, left)
        for name in short:
            del open_[name]
    return given


def post_stratified(
    values: Mapping[str, Sequence[float]], shares: Mapping[str, float], *, alpha: float = ALPHA
) -> Stratified:
    """The mean over strata by their shares in the whole, not by how many were sampled."""
    if unknown := values.keys() - shares.keys():
        raise ValueError(f"no share is known of {min(unknown)!r}")
    whole = math.fsum(shares.values())
    positive(whole, "the sum of the shares")
    weights = {name: each / whole for name, each in shares.items() if each}
    missing = tuple(name for name in weights if not values.get(name))
    thin = tuple(name for name in weights if len(values.get(name, ())) == 1)
    if missing:
        return Stratified(None, None, Interval(None, None, "a stratum is empty"), missing, thin)
    middle = math.fsum(weight * mean(values[name]) for name, weight in weights.items())
    if thin:
        why = "a stratum has a single value"
        return Stratified(middle, None, Interval(None, None, why), missing, thin)
    squares = math.fsum(w**2 * variance(values[n]) / len(values[n]) for n, w in weights.items())
    se = math.sqrt(squares)
    return Stratified(middle, se, around(middle, se, alpha), missing, thin)


def ladder(scores: Sequence[float], *, step: float) -> list[float]:
    """What a holdout tells per question: a new best only when it beats the last by a step.

    Whoever asks often then learns no more than a few numbers: Blum and Hardt (2015).
    """
    finite(scores, "scores")
    positive(step, "the step")
    told: list[float] = []
    best = -math.inf
    for score in scores:
        if score > best + step:
            best = round(score / step) * step
        told.append(best)
    return told


def _rounded(exact: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers with the same sum: the largest remainders are rounded up."""
    given = {name: math.floor(each) for name, each in exact.items()}
    by_rest = sorted(exact, key=lambda name: (given[name] - exact[name], name))
    for name in by_rest[: total - sum(given.values())]:
        given[name] += 1
    return given
