"""The whole comparison of two sides: every number, what it may be called, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.domain.record import RunRecord
from harness.errors import UsageError, nearest
from harness.report.arms import Arm, PassK, arm, pass_k, tries
from harness.report.caveats import notes, nothing_compared, obstacles, ungraded
from harness.report.claims import Claim, Context, claim, no_claim
from harness.report.effects import (
    CHECK,
    MEASURE,
    MEASURES,
    MODEL,
    SCENARIO,
    SCORE,
    SUCCESS,
    TIER,
    Effect,
    adjusted,
    checked_cells,
    effect,
    paired_cells,
)
from harness.report.families import counted_once
from harness.report.paired import (
    SPECIALIST,
    CellPair,
    Lone,
    Observation,
    Pairing,
    observe,
    pair_batches,
    pair_specialist,
    refuse_changed,
)
from harness.report.power import WANTED, Outlook, outlook, spreads_of
from harness.stats.bayes import probability_better
from harness.stats.bootstrap import cluster_bootstrap
from harness.stats.estimate import Estimate, Interval
from harness.stats.exact import McNemar, mcnemar
from harness.stats.moments import mean
from harness.stats.paired import (
    EffectSize,
    PairedCell,
    by_cluster,
    difference,
    effect_size,
    probability_of_improvement,
)
from harness.stats.validity import Bounds

KS = (1, 2, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Question:
    """What was to be found out, said before the numbers are looked at."""

    declared: tuple[str, ...] = (SCORE,)
    """Measures and parts, as `Effect.asked` names them; all others are only looked at."""
    wanted: float = WANTED
    """The least difference of the score that is worth telling."""


@dataclass(frozen=True, slots=True)
class ComparedCell:
    """One task done by both."""

    pair: CellPair
    before: tuple[float, ...]
    after: tuple[float, ...]
    """Scores, from the lowest to the highest."""

    @property
    def difference(self) -> float:
        """After minus before."""
        return difference(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Extras:
    """More numbers of the score and of success, where there is something to compute them from."""

    bootstrap: Interval
    """A second interval of the score, by drawing scenarios again."""
    size: EffectSize
    improvement: Estimate
    """How often a run after beats one before at the same task, ties half."""
    success_better: float
    """P(success rate after > before), Bayesian and as if every run were independent."""
    mcnemar: McNemar | None
    """Only where every scenario has one cell, run once by both."""


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """Two sides compared: what a snapshot keeps and what `bench compare` shows."""

    pairing: Pairing
    question: Question
    arms: tuple[Arm, Arm]
    """Of all runs of the matched cells."""
    cells: tuple[ComparedCell, ...]
    lone: tuple[Lone, ...]
    """Cells that are in no number below, and why."""
    effects: tuple[Effect, ...]
    """Of the score, success, cost and time over all cells."""
    parts: tuple[Effect, ...]
    """Of the score by scenario, tier, model and check."""
    pass_k: tuple[tuple[PassK, PassK], ...]
    bounds: Bounds | None
    """Of the difference of scores, were every run that is missing worth 0 or 1."""
    extras: Extras | None
    outlook: Outlook | None
    claims: tuple[Claim, ...]
    """One for each declared question, in their order; the first is the headline."""
    notes: tuple[str, ...]

    @property
    def claim(self) -> Claim:
        """The sentence that may stand alone."""
        return self.claims[0]

    @property
    def score(self) -> Effect | None:
        """The difference that the headline is about; None where nothing was compared."""
        return next((each for each in self.effects if each.name == SCORE), None)

    def part(self, kind: str) -> tuple[Effect, ...]:
        """The score by scenario, by tier, by model or by check."""
        return tuple(each for each in self.parts if each.kind == kind)


def report_specialist(
    records: Iterable[RunRecord], name: str, version: str, question: Question | None = None
) -> ComparisonReport:
    """A specialist against the same agents without it.

    Raises UsageError where a scenario was changed between the runs that would be compared.
    """
    return report_of(pair_specialist(observe(records), name, version), question)


def report_batches(
    before: Iterable[RunRecord],
    after: Iterable[RunRecord],
    question: Question | None = None,
    *,
    names: tuple[str, str] = ("A", "B"),
) -> ComparisonReport:
    """Two batches, or two runs; raises UsageError where a scenario was changed between them."""
    return report_of(pair_batches(observe(before), observe(after), names=names), question)


def report_of(pairing: Pairing, question: Question | None = None) -> ComparisonReport:
    """What the matched cells say; raises UsageError as the others do."""
    refuse_changed(pairing)
    question = question or Question()
    graded = [pair for pair in pairing.pairs if pair.is_graded]
    measured = {name: paired_cells(measure, graded) for name, measure in MEASURES.items()}
    cells = measured[SCORE]
    effects = list(_effects(measured, question.declared))
    parts = list(_parts(graded, cells, question.declared))
    _check_declared(question, (*effects, *parts))
    everything = adjusted([*effects, *parts], question.declared)
    spreads = spreads_of(cells) if cells else None
    scenarios = len({pair.cluster for pair in graded})
    view = outlook(spreads, scenarios, wanted=question.wanted) if spreads else None
    extras = _extras(cells, measured[SUCCESS]) if cells else None
    sides = (
        arm(pairing.before, [run for pair in pairing.pairs for run in pair.before]),
        arm(pairing.after, [run for pair in pairing.pairs for run in pair.after]),
    )
    lone = (*pairing.lone, *ungraded(pairing))
    context = Context(
        subject="The specialist" if pairing.after == SPECIALIST else pairing.after,
        obstacles=tuple(obstacles(pairing, sides)),
        outlook=view,
        wanted=question.wanted,
        questions=len(question.declared),
        aside=counted_once(pairing.namesakes),
    )
    return ComparisonReport(
        pairing=pairing,
        question=question,
        arms=sides,
        cells=tuple(map(_compared, graded, cells)),
        lone=lone,
        effects=everything[: len(effects)],
        parts=everything[len(effects) :],
        pass_k=tuple(_pass_ks(graded, cells)),
        bounds=_bounds(pairing.pairs),
        extras=extras,
        outlook=view,
        claims=_claims(question, everything, context, lone),
        notes=tuple(notes(pairing, sides, lone, effects)),
    )


def _effects(
    measured: Mapping[str, Sequence[PairedCell]], declared: Sequence[str]
) -> Iterator[Effect]:
    for name, cells in measured.items():
        exact = name == SCORE or name in declared
        made = effect(MEASURE, name, cells, exact=exact, most=MEASURES[name].most)
        if made:
            yield made


def _parts(
    graded: Sequence[CellPair], scores: Sequence[PairedCell], declared: Sequence[str]
) -> Iterator[Effect]:
    """The score by what the cells are told apart by, and each evaluator's score."""
    ways: tuple[tuple[str, Callable[[CellPair], str]], ...] = (
        (SCENARIO, lambda pair: pair.scenario),
        (TIER, lambda pair: pair.tier),
        (MODEL, lambda pair: pair.worker),
    )
    for kind, way in ways:
        chosen: dict[str, list[PairedCell]] = {}
        for pair, cell in zip(graded, scores, strict=True):
            chosen.setdefault(way(pair), []).append(cell)
        for name, cells in chosen.items():
            yield from _part(kind, name, cells, declared)
    for name, cells in sorted(checked_cells(graded).items()):
        yield from _part(CHECK, name, cells, declared)


def _part(
    kind: str, name: str, cells: Sequence[PairedCell], declared: Sequence[str]
) -> Iterator[Effect]:
    made = effect(kind, name, cells, exact=f"{kind} {name}" in declared)
    if made:
        yield made


def _check_declared(question: Question, known: Sequence[Effect]) -> None:
    names = [each.asked for each in known]
    for name in question.declared:
        if names and name not in names:
            raise UsageError(f"nothing called {name!r} is compared; {nearest(name, names)}")
    if len(set(question.declared)) < len(question.declared) or not question.declared:
        raise UsageError("declare at least one question, and each of them once")
    if not 0 < question.wanted < 1:
        raise UsageError(
            f"the wanted difference is {question.wanted:g}; scores go from 0 to 1, so say for"
            " example 0.05"
        )


def _extras(cells: Sequence[PairedCell], success: Sequence[PairedCell]) -> Extras:
    sums, weights = by_cluster(cells)
    before = [passed for cell in success for passed in cell.baseline]
    after = [passed for cell in success for passed in cell.specialist]
    others = int(sum(before)), len(before)
    return Extras(
        bootstrap=cluster_bootstrap(list(sums.values()), list(weights.values())),
        size=effect_size(cells),
        improvement=probability_of_improvement(cells).within(0, 1),
        success_better=probability_better(int(sum(after)), len(after), over=others),
        mcnemar=_mcnemar(success),
    )


def _mcnemar(success: Sequence[PairedCell]) -> McNemar | None:
    sizes = {len(side) for cell in success for side in (cell.baseline, cell.specialist)}
    if sizes != {1} or len({cell.cluster for cell in success}) < len(success):
        return None
    outcomes = [(bool(cell.baseline[0]), bool(cell.specialist[0])) for cell in success]
    return mcnemar(
        both=outcomes.count((True, True)),
        before_only=outcomes.count((True, False)),
        after_only=outcomes.count((False, True)),
        neither=outcomes.count((False, False)),
    )


def _pass_ks(
    graded: Sequence[CellPair], scores: Sequence[PairedCell]
) -> Iterator[tuple[PassK, PassK]]:
    """For as many tries as every cell of both sides has."""
    if not graded:
        return
    most = min(len(side) for cell in scores for side in (cell.baseline, cell.specialist))
    before = tries(run for pair in graded for run in pair.before)
    after = tries(run for pair in graded for run in pair.after)
    for k in dict.fromkeys((*(k for k in KS if k <= most), most)):
        yield pass_k(before, k), pass_k(after, k)


def _bounds(pairs: Sequence[CellPair]) -> Bounds | None:
    """The least the difference can be: what is missing worth 1 before and 0 after; and the most."""
    if not pairs:
        return None
    worst = [_mean(pair.after, 0.0) - _mean(pair.before, 1.0) for pair in pairs]
    best = [_mean(pair.after, 1.0) - _mean(pair.before, 0.0) for pair in pairs]
    return Bounds(mean(worst), mean(best))


def _mean(runs: Sequence[Observation], worth: float) -> float:
    return mean([worth if run.score is None else run.score for run in runs])


def _compared(pair: CellPair, cell: PairedCell) -> ComparedCell:
    return ComparedCell(pair, tuple(sorted(cell.baseline)), tuple(sorted(cell.specialist)))


def _claims(
    question: Question, effects: Sequence[Effect], context: Context, lone: Sequence[Lone]
) -> tuple[Claim, ...]:
    known = {each.asked: each for each in effects}
    if not known:
        return (no_claim(nothing_compared(lone)),)
    return tuple(claim(known[name], context) for name in question.declared)
