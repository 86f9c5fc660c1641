"""What judges used, apart from what they judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.domain.model import ModelUse, total_use
from harness.domain.outline import Run
from harness.report.stats import PRECISION
from harness.report.telemetry import Line, tokens
from harness.report.words import dollars, plural


def judging_of(runs: Iterable[Run]) -> ModelUse | None:
    """What the runs' own judges used together; None when no run had any.

    The cost is unknown when that of any of them is.
    """
    use = total_use([use for run in runs for use in run.judging])
    if use is None or use.cost_usd is None:
        return use
    return replace(use, cost_usd=round(use.cost_usd, PRECISION))


def judging_lines(run: Run) -> Iterator[Line]:
    """What to say of it beside the telemetry of a run's agent."""
    if use := judging_of([run]):
        yield Line("Judges", f"{used(use)}; no part of the cost")


def used(use: ModelUse) -> str:
    """What judging took, in words."""
    cost = "unknown price" if use.cost_usd is None else dollars(use.cost_usd)
    return f"{plural(use.requests, 'request')}, {tokens(use.usage)}, {cost}"
