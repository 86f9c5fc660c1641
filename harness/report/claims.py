"""What may be said of a comparison in one sentence; nothing is claimed from too little."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.report.effects import CHECK, COST, MEASURE, SCORE, SUCCESS, TIME, Effect
from harness.report.power import LEAST_SCENARIOS, Outlook, advice
from harness.report.words import outward, plural
from harness.stats.estimate import ALPHA, Estimate
from harness.stats.exact import smallest_p
from harness.stats.proportions import none_failed

UNKNOWN = "how small a one would have been found cannot be told"


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
    aside: str = ""
    """A sentence that no claim may go without."""
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
    of: str = ""
    """What a difference is one of, where it is not the score."""

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
PHRASES: Mapping[str, Phrase] = {
    SCORE: Phrase("improves the score", "lowers the score"),
    SUCCESS: Phrase(
        "raises the success rate",
        "lowers the success rate",
        " percentage points",
        scale=100,
        digits=0,
        of=" of the success rate",
    ),
    COST: Phrase(
        "raises the cost of a run",
        "lowers the cost of a run",
        " USD",
        more_is_better=False,
        of=" of the cost of a run",
    ),
    TIME: Phrase(
        "lengthens a run",
        "shortens a run",
        " seconds",
        digits=0,
        more_is_better=False,
        of=" of the time of a run",
    ),
}


def claim(found: Effect, context: Context) -> Claim:
    """What may be said of one measure or slice."""
    if context.obstacles:
        sentence = f"Nothing may be claimed: {context.obstacles[0]}."
        return Claim(found.asked, Verdict.NOTHING, Scope.NONE, sentence)
    made = (_of_these if found.scenarios < LEAST_SCENARIOS else _of_all)(found, context)
    return replace(made, sentence=f"{made.sentence} {context.aside}".rstrip())


def no_claim(why: str) -> Claim:
    """Where there is nothing to compare."""
    return Claim(SCORE, Verdict.NOTHING, Scope.NONE, f"Nothing may be claimed: {why}.")


def phrase(found: Effect) -> Phrase:
    """How changes of this measure are told."""
    if found.kind == CHECK:
        what = f"the check {found.name!r}"
    elif found.kind != MEASURE:
        what = f"the score in {found.kind} {found.name!r}"
    else:
        return PHRASES[found.name]
    return Phrase(f"improves {what}", f"lowers {what}", of=f" of {what}")


def _of_all(found: Effect, context: Context) -> Claim:
    """Of scenarios like these: both tests have to agree."""
    where = f"on {_scenarios(found)} and on others like them"
    estimate = found.general
    if not estimate.se:
        return _without_spread(found, context)
    if found.is_fragile(context.alpha):
        p, flip = found.general.p_two_sided, found.sign_flip and found.sign_flip.p_two_sided
        return _undecided(
            found,
            context,
            f"the tests{phrase(found).of} disagree (p = {p:.3f} by t, {flip:.3f} by signs), a"
            " result that fragile is no evidence",
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
        return _change(found, context, (low, high), where, _basis(found, context))
    least, most = _ends(estimate, context)
    widest = max(-least, most)
    if context.wanted and _has_scale(found) and widest <= context.wanted:
        words = phrase(found)
        sentence = (
            f"{context.subject} makes no difference{words.of} larger than"
            f" {words.at_most(widest)} {where}: anything larger is excluded."
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
        unknown = "" if found.delta else f", and {UNKNOWN}"
        same = f"the same in every iteration{unknown}"
        sentence = f"Undecided: {_measured(found)} {where}, {same}; {beyond}."
        return Claim(found.asked, Verdict.UNDECIDED, Scope.THESE, sentence)
    low, high = _ends(estimate, context)
    is_luck = found.permutation is not None and found.permutation >= context.alpha
    if (low > 0 or high < 0) and not is_luck:
        made = _change(found, context, (low, high), where, f"; {beyond}")
        return replace(made, scope=Scope.THESE)
    why = f" (exact p = {found.permutation:.2f})" if is_luck and (low > 0 or high < 0) else ""
    sentence = f"Undecided: {_lies(found, low, high, where)}{why}; {beyond}."
    return Claim(found.asked, Verdict.UNDECIDED, Scope.THESE, sentence)


def _change(
    found: Effect, context: Context, ends: tuple[float, float], where: str, beyond: str
) -> Claim:
    """What changed by how much where; `beyond` is what else belongs into the sentence."""
    words, rose = phrase(found), ends[0] > 0
    size = words.told(*ends) if rose else words.told(-ends[1], -ends[0])
    verdict = Verdict.BETTER if rose is words.more_is_better else Verdict.WORSE
    verb = words.rises if rose else words.falls
    sentence = f"{context.subject} {verb} by {size} {where}{beyond}."
    return Claim(found.asked, verdict, Scope.GENERAL, sentence)


def _basis(found: Effect, context: Context) -> str:
    """What a claim hangs on where a single scenario that went the other way would undo it."""
    flip = found.sign_flip
    if flip is None or (found.general.se and 2 * smallest_p(found.scenarios) < context.alpha):
        return ""
    return (
        f"; it rests on all {found.scenarios} having changed the same way"
        f" (p = {flip.p_two_sided:.3f} by signs)"
    )


def _without_spread(found: Effect, context: Context) -> Claim:
    """Every scenario changed by the same: only the number of scenarios speaks."""
    if not found.delta:
        sentence = (
            f"Undecided: {_measured(found)}, every one of {_scenarios(found)} came out the same on"
            f" both sides; {_unseen(found, context)}."
        )
        return Claim(found.asked, Verdict.UNDECIDED, Scope.THESE, sentence)
    if found.p is not None and (found.adjusted or found.p) < context.alpha:
        here = (
            f"on every one of {_scenarios(found)}, and on others like them by an amount that cannot"
            " be told where nothing varies"
        )
        return _change(found, context, (found.delta, found.delta), here, _basis(found, context))
    p = found.p if found.adjusted is None else found.adjusted
    several = f" for {context.questions} questions" if context.questions > 1 else ""
    chance = "" if p is None else f" (p = {p:.3f} by signs{several})"
    why = f"{_measured(found)} on every one of {_scenarios(found)}{chance}"
    return _undecided(found, context, why)


def _unseen(found: Effect, context: Context) -> str:
    """How large a difference could have been missed."""
    size = context.outlook
    if found.asked == SCORE and size is not None and size.detectable is not None:
        return f"one of {phrase(found).at_most(size.detectable)} is found four times in five"
    share = outward(100 * none_failed(found.scenarios, alpha=context.alpha), 0, up=True)
    return f"{UNKNOWN}, and up to {share:.0f}% of others like them may differ"


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
    between = f"{ends[0]:+.{digits}f} and {ends[1]:+.{digits}f}{words.unit}"
    return f"the difference{words.of} lies between {between} {where}"


def _measured(found: Effect) -> str:
    words = phrase(found)
    if not found.delta:
        return f"no difference{words.of} was seen"
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
