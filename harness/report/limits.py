"""Whether a plan fits what it may use, as far as its forecast knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import UsageError
from harness.report.forecast import Forecast
from harness.report.words import dollars, plural, span


@dataclass(frozen=True, slots=True)
class Limits:
    """What is left for the runs of a plan; None is no limit."""

    usd: float | None = None
    tokens: int | None = None
    seconds: float | None = None
    spent_usd: float = 0.0
    """What earlier runs of the batch have taken; no part of what is left."""
    spent_tokens: int = 0


def refuse_hopeless(found: Forecast, limits: Limits) -> None:
    """Raise UsageError where what is left does not pay for a single run, whichever it is."""
    least = _least(found, "drawn_usd")
    if limits.usd is not None and least is not None and limits.usd < least:
        raise UsageError(
            f"a run costs about {dollars(least)}, by runs that are stored, and"
            f" {dollars(limits.usd)} {_left(limits.spent_usd)}: not one could be paid for; give a"
            " larger --max-batch-cost"
        )
    least = _least(found, "tokens")
    if limits.tokens is not None and least is not None and limits.tokens < least:
        raise UsageError(
            f"a run takes about {least:,.0f} tokens, by runs that are stored, and"
            f" {limits.tokens:,} {_left(limits.spent_tokens, 'are')}: not one could be made; give a"
            " larger --max-batch-tokens"
        )


def shortfalls(found: Forecast, limits: Limits) -> Iterator[str]:
    """What the plan will not fit, said before it begins."""
    cost, tokens = found.total("drawn_usd"), found.total("tokens")
    if limits.usd is not None and cost.value > limits.usd:
        fits = _fitting(found, "drawn_usd", limits.usd)
        yield (
            f"about {dollars(cost.value)} is more than the {dollars(limits.usd)} that"
            f" {_left(limits.spent_usd)}: {fits}"
        )
    if limits.tokens is not None and tokens.value > limits.tokens:
        fits = _fitting(found, "tokens", limits.tokens)
        yield (
            f"about {tokens.value:,.0f} tokens are more than the {limits.tokens:,} that"
            f" {_left(limits.spent_tokens, 'are')}: {fits}"
        )
    wall = found.wall_s()
    if limits.seconds is not None and wall.value > limits.seconds:
        yield (
            f"about {span(wall.value)} with {plural(found.jobs, 'job')} is more than the"
            f" {span(limits.seconds)} of --max-batch-time: what has not begun by then stays planned"
        )


def _left(spent: float, verb: str = "is") -> str:
    return f"{verb} left of the batch's budget" if spent else f"{verb} the batch's budget"


def _least(found: Forecast, name: str) -> float | None:
    """Of the cheapest run; None where that of any is unknown."""
    values = [getattr(cell.each, name) for cell in found.cells if cell.wish.made]
    return None if None in values else min(values, default=None)


def _fitting(found: Forecast, name: str, most: float) -> str:
    """How many runs the limit pays for, in planned order; what is unknown counts as nothing."""
    turns = max((cell.wish.made for cell in found.cells), default=0)
    order = (c for turn in range(turns) for c in found.cells if turn < c.wish.made)
    used, made = 0.0, 0
    for cell in order:
        used += getattr(cell.each, name) or 0.0
        if used > most:
            break
        made += 1
    return f"it pays for about {made:,} of {plural(found.made, 'run')}, the others stay planned"
