"""How far judges agree with people and with each other, category by category.

Marks are compared as whole levels of the scale; one between two levels, the median of an even
number of samples, counts as the upper. Only the bias is taken from the marks as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from harness.domain.ids import Digest, RunId
from harness.domain.judgement import Judgement, Review
from harness.domain.record import RunRecord
from harness.stats.agreement import Kappa, gwet_ac1, percent_agreement, weighted_kappa

LEVELS = (1, 2, 3, 4, 5)
FEWEST = 10
"""Of fewer runs a kappa says nothing, whatever it comes to."""
PEOPLE = "people"


class Rater(NamedTuple):
    """Who gave marks: one person, or one panel of models."""

    name: str
    is_human: bool


class Couple(NamedTuple):
    """Two marks for one category of one run."""

    run: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Figures:
    """How near two series of marks are; what cannot be computed is None, and `why` says why."""

    n: int
    runs: int
    """Marks of one run lean on each other: the interval counts runs and not marks."""
    exact: float | None = None
    within_one: float | None = None
    bias: float | None = None
    """The mean of `b` less that of `a`, on the scale of 1 to 5."""
    kappa: Kappa | None = None
    ac1: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Two raters, or a judge and all people, over the runs that both judged."""

    a: str
    b: str
    against_people: bool
    categories: tuple[tuple[str, Figures], ...]
    overall: Figures


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everyone against everyone else."""

    runs: int
    """Runs that anybody judged."""
    raters: tuple[tuple[Rater, int], ...]
    """And how many runs each judged."""
    matches: tuple[Match, ...]


def agreement(records: Iterable[RunRecord], reviews: Iterable[Review]) -> Agreement:
    """Judges against people first, then each other; of several judgements the last one counts.

    Marks are compared only where both were asked the same rubric.
    """
    given = _given(records, reviews)
    raters = sorted({rater for _, _, rater in given}, key=lambda r: (r.is_human, r.name))
    judges = [rater for rater in raters if not rater.is_human]
    people = [rater for rater in raters if rater.is_human]
    matches = [_match(given, people, judge) for judge in judges] if people else []
    matches += [_match(given, [a], b) for a, b in combinations(judges, 2)]
    matches += [_match(given, [a], b) for a, b in combinations(people, 2)]
    runs = {rater: {run for run, _, who in given if who == rater} for rater in raters}
    return Agreement(
        runs=len(set().union(*runs.values())),
        raters=tuple((rater, len(runs[rater])) for rater in raters),
        matches=tuple(match for match in matches if match.overall.n),
    )


def counting(reviews: Sequence[Review]) -> tuple[Review, ...]:
    """The reviews that count: of one rater's several of a run, by one rubric, the last."""
    return tuple({_key(r.run, r.judgement): r for r in reviews}.values())


def figures(couples: Sequence[Couple], levels: Sequence[int] = LEVELS) -> Figures:
    """All figures of some couples of marks."""
    n, runs = len(couples), len({couple.run for couple in couples})
    if not n:
        return Figures(0, 0, why="nobody else judged the same runs")
    pairs = [(level(a), level(b)) for _, a, b in couples]
    exact = percent_agreement(pairs)
    within = sum(abs(a - b) <= 1 for a, b in pairs) / n
    bias = math.fsum(b - a for _, a, b in couples) / n
    firsts, seconds = ({pair[side] for pair in pairs} for side in (0, 1))
    if runs < FEWEST:
        why = f"too few runs: {runs}, and {FEWEST} are the least"
        return Figures(n, runs, exact, within, bias, why=why)
    if firsts == seconds and len(firsts) == 1:
        why = f"no variation: every mark is {firsts.pop()}"
        return Figures(n, runs, exact, within, bias, why=why)
    if lone := next((marks for marks in (firsts, seconds) if len(marks) == 1), None):
        # it would be 0 without any error, whatever the other side says
        why = f"no variation: one side gives {lone.pop()} every time"
        return Figures(n, runs, exact, within, bias, ac1=gwet_ac1(pairs, levels), why=why)
    kappa = weighted_kappa(pairs, [couple.run for couple in couples])
    return Figures(n, runs, exact, within, bias, kappa, gwet_ac1(pairs, levels))


def level(mark: float) -> int:
    """The whole level of the scale that a mark stands for."""
    return math.floor(mark + 0.5)


_Key = tuple[RunId, Digest, Rater]


def _key(run: RunId, judgement: Judgement) -> _Key:
    rater = Rater(", ".join(judgement.by), judgement.is_human)
    return run, judgement.rubric, rater


def _given(records: Iterable[RunRecord], reviews: Iterable[Review]) -> Mapping[_Key, Judgement]:
    panels = ((run.id, check.judgement) for run in records for check in run.checks)
    # a verdict that no model was asked for agrees with nobody
    given = {_key(run, panel): panel for run, panel in panels if panel and panel.by}
    return given | {_key(r.run, r.judgement): r.judgement for r in reviews if r.judgement.by}


def _match(given: Mapping[_Key, Judgement], a: Sequence[Rater], b: Rater) -> Match:
    couples: dict[str, list[Couple]] = {}
    for (run, rubric, rater), judgement in given.items():
        other = given.get((run, rubric, b))
        if rater in a and other is not None:
            for category, first, second in _shared(judgement, other):
                couples.setdefault(category, []).append(Couple(run, first, second))
    every = [couple for each in couples.values() for couple in each]
    against_people = a[0].is_human and not b.is_human
    return Match(
        a=a[0].name if len(a) == 1 else PEOPLE,
        b=b.name,
        against_people=against_people,
        categories=tuple((name, figures(each)) for name, each in couples.items()),
        overall=figures(every),
    )


def _shared(a: Judgement, b: Judgement) -> Iterator[tuple[str, float, float]]:
    """The categories that both marked: a person may leave some out."""
    marks = {mark.category: mark.score for mark in b.marks}
    return (
        (mark.category, mark.score, marks[mark.category])
        for mark in a.marks
        if mark.category in marks
    )
