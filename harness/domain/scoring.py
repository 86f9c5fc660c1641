"""The arithmetic of the grade."""

from __future__ import annotations

from collections.abc import Iterable

from harness.domain.record import CheckResult

PRECISION = 9


def total_score(checks: Iterable[CheckResult]) -> float | None:
    """Σ w·s / Σ w over the checks that ran, 0..1; None when none of any weight did."""
    ran = [(c.weight, c.score) for c in checks if c.score is not None and c.weight > 0]
    weight = sum(w for w, _ in ran)
    return round(sum(w * s for w, s in ran) / weight, PRECISION) if weight else None


def is_success(checks: Iterable[CheckResult], total: float | None, threshold: float) -> bool:
    """The total reaches the threshold, every required check its own, and no evaluator crashed."""
    if total is None or total < threshold:
        return False
    return all(not check.crashed and (check.reached or not check.required) for check in checks)
