"""What stands in the way of a claim, and what a reader of the numbers has to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from harness.report.arms import Arm
from harness.report.effects import SCORE, Effect
from harness.report.families import as_one
from harness.report.paired import BASELINE, SPECIALIST, CellPair, Lone, Observation, Pairing
from harness.report.power import LEAST_SCENARIOS
from harness.report.words import plural
from harness.stats.estimate import ALPHA
from harness.stats.validity import MOST_INVALID, fisher

NO_GRADE = "no run has a whole grade"
NO_OTHER_GRADE = "no run of the other side has a whole grade"


def obstacles(pairing: Pairing, sides: tuple[Arm, Arm]) -> Iterator[str]:
    """Why nothing may be claimed, whatever the numbers are; the gravest first."""
    runs, simulated = sum(side.runs for side in sides), sum(side.simulated for side in sides)
    if simulated:
        yield (
            f"simulated agents, which are no models, played {simulated} of {plural(runs, 'run')}"
        )
    if pairing.after == SPECIALIST and (unlike := _unlike(pairing)):
        yield f"the sides differ in more than the specialist ({unlike})"
    for side in sides:
        if side.missing_share > MOST_INVALID:
            has = "has" if _missing(side) == 1 else "have"
            yield (
                f"{_missing(side)} of {plural(side.runs, 'run')} of {_the(side)} {has} no whole"
                f" grade, more than {MOST_INVALID:.0%}; bench resume makes good what faulted"
            )
    if all(side.runs for side in sides) and any(_missing(side) for side in sides):
        first, second = ((_missing(side), side.runs) for side in sides)
        if fisher(first, second) < ALPHA:
            yield (
                f"runs without a whole grade are not equally frequent: {first[0]} of {first[1]}"
                f" against {second[0]} of {second[1]}"
            )


def nothing_compared(lone: Sequence[Lone]) -> str:
    """Why no cell has two sides."""
    reasons = Counter(each.reason for each in lone)
    if not reasons:
        return "there are no runs"
    (reason, _), *_ = reasons.most_common(1)
    return f"nothing can be compared, {reason}"


def ungraded(pairing: Pairing) -> Iterator[Lone]:
    """Matched cells of which a side has no score: they are in no difference."""
    for pair in pairing.pairs:
        if pair.is_graded:
            continue
        for cell, side, runs in (
            (pair.before_cell, pairing.before, pair.before),
            (pair.after_cell, pairing.after, pair.after),
        ):
            has_score = any(run.score is not None for run in runs)
            yield Lone(cell, side, len(runs), NO_OTHER_GRADE if has_score else NO_GRADE)


def notes(
    pairing: Pairing, sides: tuple[Arm, Arm], lone: Sequence[Lone], effects: Sequence[Effect]
) -> Iterator[str]:
    """What the numbers do not say by themselves."""
    for side in sides:
        if side.missing:
            kinds = ", ".join(f"{count} {kind.value}" for kind, count in side.missing)
            yield (
                f"{plural(_missing(side), 'run')} of {_the(side)} without a whole grade, in no"
                f" mean: {kinds}."
            )
    if pairing.after != SPECIALIST and (unlike := _unlike(pairing)):
        yield f"The sides were not asked alike ({unlike})."
    for reason, cells in Counter(each.reason for each in lone).items():
        yield f"{plural(cells, 'cell')} in no number: {reason}."
    yield from map(as_one, pairing.namesakes)
    score = next((each for each in effects if each.name == SCORE), None)
    if score is None:
        return
    sizes = {len(_scored(side)) for p in pairing.pairs for side in (p.before, p.after)}
    if len(sizes) > 1:
        yield "Cells have different numbers of runs; each cell weighs the same."
    if score.scenarios < LEAST_SCENARIOS:
        yield (
            f"{plural(score.scenarios, 'scenario')}: fewer than {LEAST_SCENARIOS} cannot show"
            " anything beyond themselves at 5%."
        )
    priced = [each for each in effects if each.name == "cost_usd"]
    if priced and priced[0].runs != score.runs:
        known, runs = sum(priced[0].runs), sum(score.runs)
        yield f"The cost is of the {known} of {plural(runs, 'run')} whose price is known."


def _unlike(pairing: Pairing) -> str:
    """In what the runs of some pair were not asked alike."""
    for pair in pairing.pairs:
        first, second = _asked(pair.before), _asked(pair.after)
        if first != second:
            return f"{_place(pair)}: {_or(first)} against {_or(second)}"
    return ""


def _asked(runs: Sequence[Observation]) -> tuple[str, ...]:
    return tuple(sorted({run.asked for run in runs}))


def _or(asked: Sequence[str]) -> str:
    return " or ".join(each or "defaults" for each in asked)


def _place(pair: CellPair) -> str:
    return f"{pair.scenario} {pair.tier}"


def _scored(runs: Sequence[Observation]) -> list[Observation]:
    return [run for run in runs if run.missing is None]


def _the(side: Arm) -> str:
    return f"the {side.name}" if side.name in {BASELINE, SPECIALIST} else side.name


def _missing(side: Arm) -> int:
    return side.runs - side.scored
