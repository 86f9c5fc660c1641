"""What judges used, apart from what they judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from harness.domain.model import ModelUse, Usage
from harness.domain.record import RunRecord
from harness.report.stats import PRECISION
from harness.report.telemetry import Line, tokens
from harness.report.words import dollars, plural


def judging_of(runs: Iterable[RunRecord]) -> ModelUse | None:
    """What the runs' own judges used together; None when no run had any.

    The cost is unknown when that of any of them is.
    """
    uses = [use for run in runs for use in run.judging]
    if not uses:
        return None
    costs = [use.cost_usd for use in uses if use.requests]
    known = [cost for cost in costs if cost is not None]
    return ModelUse(
        usage=sum((use.usage for use in uses), Usage()),
        cost_usd=round(math.fsum(known), PRECISION) if len(known) == len(costs) else None,
        requests=sum(use.requests for use in uses),
        failed=sum(use.failed for use in uses),
        retries=sum(use.retries for use in uses),
    )


def judging_lines(run: RunRecord) -> Iterator[Line]:
    """What to say of it beside the telemetry of a run's agent."""
    if use := judging_of([run]):
        yield Line("Judges", f"{used(use)}; no part of the cost")


def used(use: ModelUse) -> str:
    """What judging took, in words."""
    cost = "unknown price" if use.cost_usd is None else dollars(use.cost_usd)
    return f"{plural(use.requests, 'request')}, {tokens(use.usage)}, {cost}"
