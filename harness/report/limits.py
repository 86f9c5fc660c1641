"""Whether a plan fits what it may use, as far as its forecast knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import UsageError
from harness.report.forecast import Forecast
from harness.report.words import dollars, plural, span


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a budget; None is no limit."""

    usd: float | None = None
    tokens: int | None = None
    spent_usd: float = 0.0
    """What earlier runs have taken; no part of what is left."""
    spent_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What the runs of a plan may use."""

    batch: Left = Left()
    day: Left = Left()
    """What all batches have in common until midnight, UTC."""
    seconds: float | None = None

    @property
    def budgets(self) -> tuple[tuple[str, Left], ...]:
        """With whose they are."""
        return ("batch", self.batch), ("day", self.day)

    @property
    def any(self) -> bool:
        """Whether anything is limited."""
        budgets = (left.usd is not None or left.tokens is not None for _, left in self.budgets)
        return self.seconds is not None or any(budgets)


def refuse_hopeless(found: Forecast, limits: Limits) -> None:
    """Raise UsageError where what is left does not pay for a single run, whichever it is."""
    usd, tokens = _least(found, "cost_usd"), _least(found, "tokens")
    for whose, left in limits.budgets:
        wait = ", or wait for the next day, which begins at 00:00 UTC" if whose == "day" else ""
        if left.usd is not None and usd is not None and left.usd < usd:
            raise UsageError(
                f"a run costs about {dollars(usd)}, by runs that are stored, and"
                f" {dollars(left.usd)} {_of(whose, left.spent_usd)}: not one could be paid for;"
                f" give a larger --max-{whose}-cost{wait}"
            )
        if left.tokens is not None and tokens is not None and left.tokens < tokens:
            raise UsageError(
                f"a run takes about {tokens:,.0f} tokens, by runs that are stored, and"
                f" {left.tokens:,} {_of(whose, left.spent_tokens, 'are')}: not one could be made;"
                f" give a larger --max-{whose}-tokens{wait}"
            )


def shortfalls(found: Forecast, limits: Limits) -> Iterator[str]:
    """What the plan will not fit, said before it begins."""
    cost, tokens = found.total("cost_usd"), found.total("tokens")
    for whose, left in limits.budgets:
        if left.usd is not None and cost.value > left.usd:
            fits = _fitting(found, "cost_usd", left.usd)
            yield (
                f"about {dollars(cost.value)} is more than the {dollars(left.usd)} that"
                f" {_of(whose, left.spent_usd)}: {fits}"
            )
        if left.tokens is not None and tokens.value > left.tokens:
            fits = _fitting(found, "tokens", left.tokens)
            yield (
                f"about {tokens.value:,.0f} tokens are more than the {left.tokens:,} that"
                f" {_of(whose, left.spent_tokens, 'are')}: {fits}"
            )
    wall = found.wall_s()
    if limits.seconds is not None and wall.value > limits.seconds:
        yield (
            f"about {span(wall.value)} with {plural(found.jobs, 'job')} is more than the"
            f" {span(limits.seconds)} of --max-batch-time: what has not begun by then stays planned"
        )


def _of(whose: str, spent: float, verb: str = "is") -> str:
    return f"{verb} left of the {whose}'s budget" if spent else f"{verb} the {whose}'s budget"


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
