"""Mistakes that cost differently: expected cost, and how safe the dangerous classes are."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.stats.distributions import beta_quantile
from harness.stats.estimate import ALPHA
from harness.stats.inputs import finite, positive


@dataclass(frozen=True, slots=True)
class Case:
    """What was true, what was said, and how much the case weighs."""

    true: str
    predicted: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs by true label, then by the label that was said."""

    table: Mapping[str, Mapping[str, float]]

    def __post_init__(self) -> None:
        """Refuses a table with a hole in it."""
        for true, row in self.table.items():
            if missing := self.table.keys() - row.keys():
                raise ValueError(f"no cost of saying {min(missing)!r} for {true!r}")
            finite(list(row.values()), f"costs of {true!r}")


@dataclass(frozen=True, slots=True)
class CostReport:
    """What a policy costs, beside what the simplest and the worst would."""

    expected: float
    constant: Mapping[str, float]
    """Of saying always the same."""
    utility_vs_worst: float | None
    """1 for no cost, 0 for the worst at every case; None where nothing costs anything."""
    utility_vs_constant: float | None
    """Below 0 when saying always the same is cheaper; None when that is free."""
    accuracy: float
    weighted_accuracy: float


@dataclass(frozen=True, slots=True)
class Safety:
    """How many cases of the dangerous classes were recognised, each counting once."""

    cases: int
    score: float | None
    lower: float | None
    """What the score lies above: exact and one-sided."""


def cost_report(cases: Sequence[Case], costs: Costs) -> CostReport:
    """Over cases whose labels are all in the table."""
    _known(cases, costs)
    weight = math.fsum(case.weight for case in cases)
    positive(weight, "the sum of the weights")
    expected = math.fsum(c.weight * costs.table[c.true][c.predicted] for c in cases) / weight
    constant = {
        label: math.fsum(c.weight * costs.table[c.true][label] for c in cases) / weight
        for label in costs.table
    }
    worst = math.fsum(c.weight * max(costs.table[c.true].values()) for c in cases) / weight
    cheapest = min(constant.values())
    right = [case for case in cases if case.true == case.predicted]
    return CostReport(
        expected=expected,
        constant=constant,
        utility_vs_worst=1 - expected / worst if worst else None,
        utility_vs_constant=1 - expected / cheapest if cheapest else None,
        accuracy=len(right) / len(cases),
        weighted_accuracy=math.fsum(case.weight for case in right) / weight,
    )


def weighted_confusion(cases: Sequence[Case], labels: Sequence[str]) -> list[list[float]]:
    """One row per true label, one column per label that was said."""
    place = {label: n for n, label in enumerate(labels)}
    table = [[0.0] * len(labels) for _ in labels]
    for case in cases:
        table[place[case.true]][place[case.predicted]] += case.weight
    return table


def safety(cases: Sequence[Case], critical: Collection[str], *, alpha: float = ALPHA) -> Safety:
    """A dangerous case that is given any other label counts as missed."""
    dangerous = [case for case in cases if case.true in critical]
    caught = sum(case.true == case.predicted for case in dangerous)
    if not dangerous:
        return Safety(0, None, None)
    missed = len(dangerous) - caught
    lower = beta_quantile(alpha, caught, missed + 1) if caught else 0.0
    return Safety(len(dangerous), caught / len(dangerous), lower)


def alarm_threshold(*, false_alarm: float, miss: float) -> float:
    """From which probability on an alarm is cheaper than silence."""
    positive(false_alarm, "the cost of a false alarm")
    positive(miss, "the cost of a miss")
    return false_alarm / (false_alarm + miss)


def _known(cases: Sequence[Case], costs: Costs) -> None:
    if not cases:
        raise ValueError("no cases")
    for case in cases:
        for label in (case.true, case.predicted):
            if label not in costs.table:
                raise ValueError(f"no costs for {label!r}; there are {', '.join(costs.table)}")
        if not 0 <= case.weight < math.inf:
            raise ValueError(f"a case weighs 0 or more, not {case.weight!r}")
