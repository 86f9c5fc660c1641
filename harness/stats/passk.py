"""What several tries at a task are worth: one of k passes, or all of k do."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.stats.clustered import clustered_mean
from harness.stats.estimate import ALPHA, Estimate


@dataclass(frozen=True, slots=True)
class Tries:
    """How often one task was tried and how often it passed."""

    cluster: str
    trials: int
    successes: int


def pass_at_k(trials: int, successes: int, k: int) -> float | None:
    """The chance that at least one of k tries passes, unbiased; None when fewer were made."""
    _possible(trials, successes, k)
    if k > trials:
        return None
    return 1 - math.comb(trials - successes, k) / math.comb(trials, k)


def pass_hat_k(trials: int, successes: int, k: int) -> float | None:
    """The chance that all of k tries pass, unbiased; None for more tries than were made."""
    _possible(trials, successes, k)
    return None if k > trials else math.comb(successes, k) / math.comb(trials, k)


def mean_pass_at_k(tasks: Iterable[Tries], k: int, *, alpha: float = ALPHA) -> Estimate | None:
    """pass@k over tasks, clustered; None when a task was tried fewer than k times."""
    return _mean([(t.cluster, pass_at_k(t.trials, t.successes, k)) for t in tasks], alpha)


def mean_pass_hat_k(tasks: Iterable[Tries], k: int, *, alpha: float = ALPHA) -> Estimate | None:
    """pass^k over tasks, clustered; None when a task was tried fewer than k times."""
    return _mean([(t.cluster, pass_hat_k(t.trials, t.successes, k)) for t in tasks], alpha)


def _mean(values: list[tuple[str, float | None]], alpha: float) -> Estimate | None:
    groups: dict[str, list[float]] = {}
    for cluster, value in values:
        if value is None:
            return None
        groups.setdefault(cluster, []).append(value)
    return clustered_mean(groups, alpha=alpha)


def _possible(trials: int, successes: int, k: int) -> None:
    if not 0 <= successes <= trials or k < 1:
        raise ValueError(f"{successes} of {trials} in {k} tries cannot be")
