"""Which runs are compared with which: cells of the same task, matched one to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import NamedTuple

from harness.domain.failures import TABLE, Cause
from harness.domain.model import Asked
from harness.domain.outline import Run
from harness.domain.record import Cell, Grader
from harness.errors import UsageError
from harness.report.families import families, namesakes
from harness.report.stats import by_cell, cell_order, counts, standing
from harness.report.words import plural

BASELINE, SPECIALIST = "baseline", "specialist"
SHOWN_DIGITS = 12
MILLISECONDS = 3
"""Digits of a duration: as many as snapshots keep."""
Scores = tuple[float | None, ...]
_ORDER = attrgetter("iteration", "id")


class Missing(StrEnum):
    """Why a run has no score that a mean could take."""

    FAULTED = "faulted"
    INTERRUPTED = "interrupted"
    UNGRADED = "ungraded"
    PARTLY = "partly graded"


class Observation(NamedTuple):
    """A run as a comparison sees it: all that its numbers are computed from.

    A tuple, since there are as many as stored runs.
    """

    run: str
    cell: Cell
    iteration: int
    task: str
    """The digest of what was asked and how it was graded; runs of another do not compare."""
    asked: str
    """The model's settings, limits and user, in one canonical text."""
    score: float | None
    """0..1; None exactly when `missing` says why."""
    missing: Missing | None
    passed: bool
    simulated: bool
    cost_usd: float | None
    seconds: float | None
    checks: tuple[tuple[str, float | None], ...] = ()
    """The evaluators' scores by name, sorted."""
    fixture: str = ""
    """What it started from, by content; empty where nothing was kept of the run."""
    cluster: str = ""
    """The scenario, or the first name of several that have one fixture."""

    @property
    def scenario(self) -> str:
        """`suite/scenario`."""
        return _scenario(self.cell)


@dataclass(frozen=True, slots=True)
class CellPair:
    """The runs of one task by two; `before` is the baseline, or the first batch."""

    before_cell: Cell
    after_cell: Cell
    before: tuple[Observation, ...]
    after: tuple[Observation, ...]

    @property
    def scenario(self) -> str:
        """`suite/scenario`."""
        return self.before[0].scenario

    @property
    def cluster(self) -> str:
        """What is likely to be alike."""
        return self.before[0].cluster

    @property
    def tier(self) -> str:
        """How much the prompt told."""
        return self.before_cell.tier

    @property
    def worker(self) -> str:
        """The agent and its model; both where they differ."""
        first, second = (_worker(cell) for cell in (self.before_cell, self.after_cell))
        return first if first == second else f"{first} → {second}"

    @property
    def is_graded(self) -> bool:
        """Both sides have a score."""
        return all(any(o.score is not None for o in side) for side in (self.before, self.after))


@dataclass(frozen=True, slots=True)
class Lone:
    """A cell of one side that nothing is compared with, and why."""

    cell: Cell
    side: str
    runs: int
    reason: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two sides, cell by cell."""

    before: str
    after: str
    """What the sides are called."""
    pairs: tuple[CellPair, ...]
    lone: tuple[Lone, ...] = ()

    @property
    def namesakes(self) -> tuple[tuple[str, ...], ...]:
        """Names of one and the same fixture."""
        return namesakes({pair.scenario: pair.cluster for pair in self.pairs})


def observe(runs: Iterable[Run]) -> tuple[Observation, ...]:
    """The runs that stand, in an order that does not depend on when they ran."""
    cells = by_cell(standing(tuple(runs)))
    heads = _heads(cells.items())
    return tuple(
        each
        for cell in sorted(cells, key=cell_order)
        for each in _observations(sorted(cells[cell], key=_ORDER), heads[_scenario(cell)])
    )


def pair_specialist(observations: Iterable[Observation], name: str, version: str) -> Pairing:
    """A specialist's cells with the baseline cells that differ in nothing else.

    Raises UsageError where its runs were made with different files of one version.
    """
    cells = _by_cell(observations)
    first = {cell: seen for cell, seen in cells.items() if cell.specialist is None}
    second = {
        cell: seen
        for cell, seen in cells.items()
        if cell.specialist and (cell.specialist.name, cell.specialist.version) == (name, version)
    }
    if len({_bare(cell) for cell in second}) < len(second):
        raise UsageError(
            f"these runs were made with different files that are all {name}@{version}: nobody could"
            " tell which of them a difference is due to; compare batches of one of them"
        )
    matched = [(bare, cell) for cell in second if (bare := _bare(cell)) in first]
    return _pairing((BASELINE, SPECIALIST), first, second, matched)


def pair_batches(
    before: Iterable[Observation],
    after: Iterable[Observation],
    *,
    names: tuple[str, str] = ("A", "B"),
) -> Pairing:
    """Equal cells, else cells that differ in one thing that each side has only one of."""
    first, second = _by_cell(before), _by_cell(after)
    heads = _heads((*first.items(), *second.items()))
    first, second = _clustered(first, heads), _clustered(second, heads)
    return _pairing(names, first, second, match_cells(first, second))


def match_cells(first: Iterable[Cell], second: Iterable[Cell]) -> tuple[tuple[Cell, Cell], ...]:
    """Partners of two sets of cells; nothing is matched where a choice would have to be made.

    Equal cells first. Of the rest those that differ in the specialist alone, where each side has
    one specialist (or none); else those of the same task, where one worker stands on each side.
    """
    first, second = tuple(dict.fromkeys(first)), tuple(dict.fromkeys(second))
    equal = set(first) & set(second)
    left = [cell for cell in first if cell not in equal]
    right = [cell for cell in second if cell not in equal]
    found: list[tuple[Cell, Cell]] = []
    if _is_one(left, _specialist) and _is_one(right, _specialist):
        found = _joined(left, right, _bare)
    if not found and _is_one(left, _who) and _is_one(right, _who):
        found = _joined(left, right, _place)
    return (*((cell, cell) for cell in first if cell in equal), *found)


def changed(pairing: Pairing) -> tuple[CellPair, ...]:
    """Pairs whose graded runs were not all given the same task."""
    return tuple(pair for pair in pairing.pairs if len(_tasks((*pair.before, *pair.after))) > 1)


def refuse_changed(pairing: Pairing, hint: str = "") -> None:
    """Raise UsageError with every pair whose scenario was changed between its runs.

    `hint` is how the one who asked can leave them out, if there is a way.
    """
    different = changed(pairing)
    if not different:
        return
    listed = "".join(f"\n  {_digests(pairing, pair)}" for pair in different)
    raise UsageError(
        f"{plural(len(different), 'task')} changed between the runs, so that their scores do not"
        f" compare:{listed}\nrun both sides of them again{f', or {hint}' if hint else ''}"
    )


def without_changed(pairing: Pairing) -> Pairing:
    """What is left when those pairs are reported beside the comparison instead."""
    different = changed(pairing)
    lone = [
        Lone(cell, side, len(runs), "the task was changed between its runs")
        for pair in different
        for cell, side, runs in (
            (pair.before_cell, pairing.before, pair.before),
            (pair.after_cell, pairing.after, pair.after),
        )
    ]
    return replace(
        pairing,
        pairs=tuple(pair for pair in pairing.pairs if pair not in different),
        lone=(*pairing.lone, *lone),
    )


def _heads(cells: Iterable[tuple[Cell, Sequence[Run | Observation]]]) -> Mapping[str, str]:
    return families(
        (_scenario(cell), fixture)
        for cell, runs in cells
        for fixture in {run.fixture for run in runs}
    )


def _scenario(cell: Cell) -> str:
    return f"{cell.suite}/{cell.scenario}"


def _observations(runs: Sequence[Run], cluster: str) -> Iterator[Observation]:
    """Runs of one cell mostly have one and the same plan, which is then put into words once."""
    asked, graders = runs[0].asked, runs[0].graders
    words, names, by_name = _asked(asked), *_sorted(graders)
    for run in runs:
        if run.asked is not asked:
            asked = run.asked
            words = _asked(asked)
        if run.graders is not graders:
            graders = run.graders
            names, by_name = _sorted(graders)
        missing, seconds = _missing(run), run.seconds
        # by position, in the order of the fields: of a hundred thousand runs it is felt
        yield Observation(
            run.id,
            run.cell,
            run.iteration,
            run.task_digest,
            words,
            None if missing else run.total_score,
            missing,
            run.passed and missing is None,
            run.simulated,
            run.cost_usd,
            None if seconds is None else round(seconds, MILLISECONDS),
            tuple(zip(names, by_name(run.check_scores), strict=True)),
            run.fixture,
            cluster,
        )


def _sorted(graders: Sequence[Grader]) -> tuple[tuple[str, ...], Callable[[Scores], Scores]]:
    """The names of checks in their order, and what brings their scores into it."""
    order = sorted(range(len(graders)), key=lambda place: graders[place].name)
    names = tuple(graders[place].name for place in order)
    # of one place or none, what itemgetter gives is no tuple
    return names, itemgetter(*order) if len(order) > 1 else tuple


def _clustered(
    cells: Mapping[Cell, tuple[Observation, ...]], heads: Mapping[str, str]
) -> dict[Cell, tuple[Observation, ...]]:
    return {
        cell: tuple(each if each.cluster == head else each._replace(cluster=head) for each in runs)
        for cell, runs in cells.items()
        for head in (heads[_scenario(cell)],)
    }


@lru_cache(maxsize=64)
def _asked(asked: Asked) -> str:
    given = {
        **asdict(asked.settings),
        **{f"max_{name}": value for name, value in asdict(asked.budget).items()},
        "user": asked.user.label if asked.user else None,
    }
    return ", ".join(f"{name} {value}" for name, value in given.items() if value is not None)


def _missing(run: Run) -> Missing | None:
    if counts(run):
        return None
    why = run.cause
    if why is Cause.CANCELLED:
        return Missing.INTERRUPTED
    if why is not None and not TABLE[why].counts:
        return Missing.FAULTED
    return Missing.PARTLY if run.partly_graded else Missing.UNGRADED


def _by_cell(observations: Iterable[Observation]) -> dict[Cell, tuple[Observation, ...]]:
    return {cell: tuple(runs) for cell, runs in by_cell(observations).items()}


def _pairing(
    names: tuple[str, str],
    first: Mapping[Cell, tuple[Observation, ...]],
    second: Mapping[Cell, tuple[Observation, ...]],
    matched: Sequence[tuple[Cell, Cell]],
) -> Pairing:
    before, after = names
    partnered = {cell for cell, _ in matched}, {cell for _, cell in matched}
    lone = [
        Lone(cell, side, len(runs), f"no run of {other} has this scenario, tier, agent and model")
        for side, other, cells, known in (
            (before, after, first, partnered[0]),
            (after, before, second, partnered[1]),
        )
        for cell, runs in cells.items()
        if cell not in known
    ]
    pairs = [CellPair(a, b, first[a], second[b]) for a, b in matched]
    return Pairing(
        before,
        after,
        tuple(sorted(pairs, key=lambda pair: cell_order(pair.before_cell))),
        tuple(lone),
    )


def _joined(
    left: Sequence[Cell], right: Sequence[Cell], key: Callable[[Cell], object]
) -> list[tuple[Cell, Cell]]:
    sole = [{k for k, n in Counter(map(key, side)).items() if n == 1} for side in (left, right)]
    known = {key(cell): cell for cell in right if key(cell) in sole[1]}
    return [(c, known[key(c)]) for c in left if key(c) in sole[0] and key(c) in known]


def _is_one(cells: Iterable[Cell], key: Callable[[Cell], object]) -> bool:
    return len({key(cell) for cell in cells}) == 1


def _specialist(cell: Cell) -> tuple[str, str] | None:
    return (cell.specialist.name, cell.specialist.version) if cell.specialist else None


def _bare(cell: Cell) -> Cell:
    return replace(cell, specialist=None)


def _worker(cell: Cell) -> str:
    return _bare(cell).who


def _who(cell: Cell) -> tuple[object, ...]:
    return cell.agent, cell.model, _specialist(cell)


def _place(cell: Cell) -> tuple[str, str, str]:
    return cell.suite, cell.scenario, cell.tier


def _tasks(seen: Iterable[Observation]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(o.task for o in seen if o.task and o.missing is None))


def _digests(pairing: Pairing, pair: CellPair) -> str:
    sides = (
        f"{name} {', '.join(task[:SHOWN_DIGITS] for task in _tasks(runs)) or 'none'}"
        for name, runs in ((pairing.before, pair.before), (pairing.after, pair.after))
    )
    return f"{pair.scenario} {pair.tier} {pair.worker}: {'; '.join(sides)}"
