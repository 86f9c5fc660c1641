"""From several answers to one mark for each category, and to one score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from harness.domain.digests import text_digest
from harness.domain.ids import Digest
from harness.domain.judgement import Mark
from harness.domain.rubric import Category, Combine, Rubric
from harness.judging.answers import HIGHEST, LOWEST, MOST_QUOTES, Verdict


@dataclass(frozen=True, slots=True)
class Opinion:
    """All answers of one judge."""

    judge: str
    answers: tuple[tuple[Verdict, ...], ...]
    """Each with a verdict for every category, in the rubric's order."""

    def score(self, number: int) -> float:
        """Its mark for a category: the median of its answers."""
        return median(answer[number].score for answer in self.answers)

    def nearest(self, number: int) -> Verdict:
        """The verdict that speaks for all of its answers: the one closest to the median."""
        middle = self.score(number)
        return min((a[number] for a in self.answers), key=lambda v: abs(v.score - middle))


def combined(rubric: Rubric, opinions: Sequence[Opinion]) -> tuple[Mark, ...]:
    """One mark for each category."""
    return tuple(
        _mark(rubric, n, category, opinions) for n, category in enumerate(rubric.categories)
    )


def disputed(rubric: Rubric, opinions: Sequence[Opinion]) -> tuple[str, ...]:
    """The categories in which judges are further apart than the rubric allows."""
    names = []
    for number, category in enumerate(rubric.categories):
        scores = [opinion.score(number) for opinion in opinions]
        if max(scores) - min(scores) > rubric.disagreement:
            names.append(category.name)
    return tuple(names)


def weighted_score(marks: Iterable[Mark]) -> float:
    """Marks from 1 to 5 as one score from 0 to 1: Σ weight · (mark - 1) / 4 ÷ Σ weight."""
    known = list(marks)
    share = sum(mark.weight * (mark.score - LOWEST) / (HIGHEST - LOWEST) for mark in known)
    return min(1.0, max(0.0, share / sum(mark.weight for mark in known)))


def rubric_digest(rubric: Rubric) -> Digest:
    """What two judgements have in common when they answer the same questions."""
    return text_digest(
        *(repr((c.name, round(c.weight, 6), c.text, c.anchors)) for c in rubric.categories),
        f"solution={rubric.with_solution} statement={rubric.with_statement}",
    )


def _mark(rubric: Rubric, number: int, category: Category, opinions: Sequence[Opinion]) -> Mark:
    verdicts = [answer[number] for opinion in opinions for answer in opinion.answers]
    samples = tuple(verdict.score for verdict in verdicts)
    return Mark(
        category=category.name,
        weight=category.weight,
        score=_combine([opinion.score(number) for opinion in opinions], rubric.combine),
        spread=max(samples) - min(samples),
        samples=samples,
        reasoning=_reasoning(opinions, number),
        quotes=_once(quote for v in verdicts for quote in v.quotes if quote not in v.unfounded),
        unfounded=_once(quote for verdict in verdicts for quote in verdict.unfounded),
    )


def _combine(scores: Sequence[float], how: Combine) -> float:
    if how is Combine.MEAN:
        return fmean(scores)
    if how is Combine.MAJORITY:
        (mark, votes), *_ = Counter(scores).most_common(1)
        if 2 * votes > len(scores):
            return mark
    return median(scores)


def _reasoning(opinions: Sequence[Opinion], number: int) -> str:
    said = [(opinion.judge, opinion.nearest(number).reasoning) for opinion in opinions]
    return said[0][1] if len(said) == 1 else "\n".join(f"{judge}: {text}" for judge, text in said)


def _once(quotes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(quotes))[:MOST_QUOTES]
