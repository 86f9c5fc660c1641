"""What may be said of a comparison in one sentence; nothing is claimed from too little."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.report.effects import CHECK, COST, MEASURE, SCORE, SUCCESS, TIME, Effect
from harness.report.power import LEAST_SCENARIOS, Outlook, advice
from harness.report.words import plural
from harness.stats.estimate import ALPHA, Estimate


class Verdict(StrEnum):
    """What the numbers bear out."""

    BETTER = "better"
    WORSE = "worse"
    NO_LARGER = "no larger difference"
    """The wanted difference, and everything above it, is excluded."""
    UNDECIDED = "undecided"
    NOTHING = "nothing"
    """The runs are none that anything may be claimed from."""


class Scope(StrEnum):
    """What a claim speaks about."""

    GENERAL = "scenarios like these"
    THESE = "these scenarios only"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence, and what it comes to."""

    about: str
    """The question, as `Effect.asked` names it."""
    verdict: Verdict
    scope: Scope
    sentence: str


@dataclass(frozen=True, slots=True)
class Context:
    """What claims about all measures have in common."""

    subject: str
    """Who is spoken of: `The specialist`, `B`."""
    obstacles: tuple[str, ...] = ()
    """Why nothing may be claimed, the gravest first."""
    outlook: Outlook | None = None
    wanted: float = 0.0
    questions: int = 1
    """How many were declared."""
    alpha: float = ALPHA


@dataclass(frozen=True, slots=True)
class Phrase:
    """How the rise of a measure is told, and its fall."""

    rises: str
    falls: str
    unit: str = ""
    scale: float = 1.0
    digits: int = 2
    more_is_better: bool = True

    def told(self, low: float, high: float) -> str:
        """Between what the size of a change lies, rounded outwards."""
        digits = self.digits
        while digits < _MOST_DIGITS and low and not outward(low * self.scale, digits, up=False):
            digits += 1
        ends = [
            f"{outward(value * self.scale, digits, up=up):.{digits}f}"
            for value, up in ((low, False), (high, True))
        ]
        return " to ".join(dict.fromkeys(ends)) + self.unit

    def at_most(self, size: float) -> str:
        """The size of a change that is not exceeded."""
        return f"{outward(size * self.scale, self.digits, up=True):.{self.digits}f}{self.unit}"


_MOST_DIGITS = 4
_SLACK = 1e-9
PHRASES: Mapping[str, Phrase] = {
    SCORE: Phrase("improves the score", "lowers the score"),
    SUCCESS: Phrase(
        "raises the success rate", "lowers the success rate", " percentage points", 100, 0
    ),
    COST: Phrase(
        "raises the cost of a run", "lowers the cost of a run", " USD", 1, 2, more_is_better=False
    ),
    TIME: Phrase("lengthens a run", "shortens a run", " seconds", 1, 0, more_is_better=False),
}


def claim(found: Effect, context: Context) -> Claim:
    """What may be said of one measure or slice."""
    if context.obstacles:
        sentence = f"Nothing may be claimed: {context.obstacles[0]}."
        return Claim(found.asked, Verdict.NOTHING, Scope.NONE, sentence)
    if found.scenarios < LEAST_SCENARIOS:
        return _of_these(found, context)
    return _of_all(found, context)


def no_claim(why: str) -> Claim:
    """Where there is nothing to compare."""
    return Claim(SCORE, Verdict.NOTHING, Scope.NONE, f"Nothing may be claimed: {why}.")


def phrase(found: Effect) -> Phrase:
    """How changes of this measure are told."""
    if found.kind == CHECK:
        return Phrase(f"improves the check {found.name!r}", f"lowers the check {found.name!r}")
    if found.kind != MEASURE:
        where = f"in {found.kind} {found.name!r}"
        return Phrase(f"improves the score {where}", f"lowers the score {where}")
    return PHRASES[found.name]


def _of_all(found: Effect, context: Context) -> Claim:
    """Of scenarios like these: both tests have to agree."""
    where = f"on {_scenarios(found)} and on others like them"
    estimate = found.general
    if not estimate.se:
        return _without_spread(found, context, where)
    if found.is_fragile(context.alpha):
        p, flip = found.general.p_two_sided, found.sign_flip and found.sign_flip.p_two_sided
        return _undecided(
            found,
            context,
            f"the tests disagree (p = {p:.3f} by t, {flip:.3f} by signs), a result that fragile is"
            " no evidence",
        )
    low, high = _ends(estimate)
    if low > 0 or high < 0:
        if found.adjusted is not None and found.adjusted >= context.alpha:
            return _undecided(
                found,
                context,
                f"{context.questions} questions were declared, and for so many the evidence is too"
                f" weak (Holm's p = {found.adjusted:.3f})",
            )
        return _change(found, context, (low, high), where, Scope.GENERAL)
    least, most = _ends(estimate, context)
    widest = max(-least, most)
    if context.wanted and _has_scale(found) and widest <= context.wanted:
        top = phrase(found).at_most(widest)
        sentence = (
            f"{context.subject} makes no difference larger than {top} {where}:"
            " anything larger is excluded."
        )
        return Claim(found.asked, Verdict.NO_LARGER, Scope.GENERAL, sentence)
    return _undecided(found, context, _lies(found, low, high, where))


def _of_these(found: Effect, context: Context) -> Claim:
    """Of fewer scenarios than a general claim takes: only a re-run of them is spoken of."""
    estimate, where = found.these, f"on {_scenarios(found)} only"
    missing = LEAST_SCENARIOS - found.scenarios
    beyond = (
        f"nothing is said of others, which takes {LEAST_SCENARIOS} scenarios or more:"
        f" more iterations would not help, {plural(missing, 'more scenario')} would"
    )
    if estimate.se is None:
        sentence = (
            f"Nothing may be claimed: {_measured(found)} {where}, and {estimate.why};"
            f" a claim takes 2 iterations or more of every cell, and one beyond"
            f" {_scenarios(found)} {LEAST_SCENARIOS} scenarios or more."
        )
        return Claim(found.asked, Verdict.NOTHING, Scope.NONE, sentence)
    if estimate.se == 0:
        sentence = f"Undecided: {_measured(found)} {where}, the same in every iteration; {beyond}."
        return Claim(found.asked, Verdict.UNDECIDED, Scope.THESE, sentence)
    low, high = _ends(estimate, context)
    is_luck = found.permutation is not None and found.permutation >= context.alpha
    if (low > 0 or high < 0) and not is_luck:
        made = _change(found, context, (low, high), where, Scope.THESE)
        return Claim(
            made.about, made.verdict, made.scope, f"{made.sentence.removesuffix('.')}; {beyond}."
        )
    why = f" (exact p = {found.permutation:.2f})" if is_luck and (low > 0 or high < 0) else ""
    sentence = f"Undecided: {_lies(found, low, high, where)}{why}; {beyond}."
    return Claim(found.asked, Verdict.UNDECIDED, Scope.THESE, sentence)


def _change(
    found: Effect, context: Context, ends: tuple[float, float], where: str, scope: Scope
) -> Claim:
    words, rose = phrase(found), ends[0] > 0
    size = words.told(*ends) if rose else words.told(-ends[1], -ends[0])
    verdict = Verdict.BETTER if rose is words.more_is_better else Verdict.WORSE
    verb = words.rises if rose else words.falls
    return Claim(found.asked, verdict, scope, f"{context.subject} {verb} by {size} {where}.")


def _without_spread(found: Effect, context: Context, where: str) -> Claim:
    """Every scenario changed by the same: only the number of scenarios speaks."""
    if not found.delta:
        sentence = (
            f"Undecided: no difference was seen, every one of {_scenarios(found)} came out the"
            " same on both sides."
        )
        return Claim(found.asked, Verdict.UNDECIDED, Scope.THESE, sentence)
    if found.p is not None and (found.adjusted or found.p) < context.alpha:
        return _change(found, context, (found.delta, found.delta), where, Scope.GENERAL)
    return _undecided(found, context, f"{_measured(found)} {where}")


def _undecided(found: Effect, context: Context, why: str) -> Claim:
    more = ""
    size = context.outlook
    if size is not None and found.asked == SCORE:
        few = f"too few scenarios to tell a difference of {context.wanted:g}: "
        more = f"; {'' if size.is_enough else few}{advice(size)}"
    return Claim(found.asked, Verdict.UNDECIDED, Scope.GENERAL, f"Undecided: {why}{more}.")


def _lies(found: Effect, low: float, high: float, where: str) -> str:
    words = phrase(found)
    digits, scale = words.digits, words.scale
    ends = [outward(low * scale, digits, up=False), outward(high * scale, digits, up=True)]
    return (
        f"the difference lies between {ends[0]:+.{digits}f} and {ends[1]:+.{digits}f}{words.unit}"
        f" {where}"
    )


def _measured(found: Effect) -> str:
    words = phrase(found)
    return f"{found.delta * words.scale:+.{words.digits}f}{words.unit} was measured"


def _scenarios(found: Effect) -> str:
    return "this one scenario" if found.scenarios == 1 else f"these {found.scenarios} scenarios"


def _has_scale(found: Effect) -> bool:
    """The wanted difference is one of scores."""
    return found.kind != MEASURE or found.name == SCORE


def _ends(estimate: Estimate, context: Context | None = None) -> tuple[float, float]:
    """At 95 %; with a context at as much more as all declared questions together need."""
    found = estimate.interval(context.alpha / context.questions) if context else estimate
    if found.low is None or found.high is None:
        return -math.inf, math.inf
    return found.low, found.high


def outward(value: float, digits: int, *, up: bool) -> float:
    """The end of an interval, rounded so that the interval only grows."""
    unit = 10.0**digits
    near = round(value * unit)
    if abs(value * unit - near) < _SLACK:
        return near / unit + 0.0
    return (math.ceil(value * unit) if up else math.floor(value * unit)) / unit + 0.0
