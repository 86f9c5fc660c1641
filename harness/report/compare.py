"""Who did better at the same tasks: cells matched one to one, never a pool against a pool."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from harness.domain.outline import Run
from harness.domain.record import Cell
from harness.report.paired import match_cells
from harness.report.stats import PRECISION, Group, Task, cell_order, group_by_cell

NO_PARTNER = "no baseline run of this scenario, tier, agent and model"
NO_SPECIALIST = "no specialist run of this scenario, tier, agent and model"


@dataclass(frozen=True, slots=True)
class Pair:
    """One task done by two; `before` is the baseline, or the first batch."""

    before: Group
    after: Group

    @property
    def difference(self) -> float | None:
        """After minus before, on the scale 0..1; None when a side has no score."""
        return difference(self.before.scores.mean, self.after.scores.mean)

    @property
    def changed(self) -> tuple[str, ...]:
        """What of the task itself differs among the runs, so that the scores do not compare."""
        return _changed(self.before.tasks | self.after.tasks)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A cell that nothing can be compared with, and why."""

    group: Group
    reason: str


@dataclass(frozen=True, slots=True)
class Averages:
    """Both sides of some pairs in one number each: the mean of the cells' means.

    Every cell weighs the same on both sides, so that a cell with more runs on one side does not
    move the result. With equal numbers of runs this is the mean over all runs.
    """

    pairs: int
    baseline: float | None
    specialist: float | None
    baseline_runs: int
    specialist_runs: int
    """Runs behind the numbers: those with a score that counts."""

    @property
    def improvement(self) -> float | None:
        """Specialist minus baseline, on the scale 0..1."""
        return difference(self.baseline, self.specialist)

    @property
    def improvement_pct(self) -> float | None:
        """The improvement in percent of the baseline; None where the baseline is 0."""
        if self.improvement is None or not self.baseline:
            return None
        return round(100 * self.improvement / self.baseline, PRECISION)


@dataclass(frozen=True, slots=True)
class ModelAverages:
    """The averages of one agent with one model."""

    agent: str
    model: str | None
    averages: Averages


@dataclass(frozen=True, slots=True)
class Comparison:
    """A specialist against the same agents without it."""

    name: str
    version: str
    pairs: tuple[Pair, ...]
    unmatched: tuple[Unmatched, ...]
    overall: Averages
    per_model: tuple[ModelAverages, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """Every group behind the numbers."""
        return tuple(group for pair in self.pairs for group in (pair.before, pair.after))

    @property
    def runs(self) -> int:
        """Every record of the compared cells, scored or not."""
        return sum(group.runs for group in self.groups)

    @property
    def simulated(self) -> int:
        """How many of the runs no model took part in."""
        return sum(group.simulated for group in self.groups)

    @property
    def unscored(self) -> int:
        """How many of the runs are in no average."""
        return sum(group.runs - group.scores.n for group in self.groups)

    @property
    def is_balanced(self) -> bool:
        """Every average is over the same number of runs."""
        return len({group.scores.n for group in self.groups}) <= 1


@dataclass(frozen=True, slots=True)
class BatchComparison:
    """Two batches, or two runs, task by task."""

    rows: tuple[Pair, ...]
    only_before: tuple[Group, ...]
    only_after: tuple[Group, ...]


def difference(before: float | None, after: float | None) -> float | None:
    """After minus before without float noise; None when one is missing."""
    if before is None or after is None:
        return None
    return round(after - before, PRECISION) + 0.0  # no -0.0


def compare_specialist(records: Iterable[Run], name: str, version: str) -> Comparison:
    """A specialist's cells against the baseline cells that differ in nothing else.

    Runs of other specialists are passed over.
    """
    groups = group_by_cell(records)
    baseline = {group.cell: group for group in groups if group.cell.specialist is None}
    own = [group for group in groups if _is(group.cell, name, version)]
    pairs, unmatched = [], []
    for group in own:
        partner = baseline.get(replace(group.cell, specialist=None))
        reason = _obstacle(partner, group)
        if partner is None or reason:
            unmatched.append(Unmatched(group, reason))
        else:
            pairs.append(Pair(partner, group))
    sought = {replace(group.cell, specialist=None) for group in own}
    unmatched += [Unmatched(g, NO_SPECIALIST) for c, g in baseline.items() if c not in sought]
    return Comparison(
        name=name,
        version=version,
        pairs=tuple(pairs),
        unmatched=tuple(unmatched),
        overall=_averages(pairs),
        per_model=_per_model(pairs),
    )


def specialists(records: Iterable[Run]) -> tuple[tuple[str, str], ...]:
    """Name and version of every specialist that worked, sorted."""
    refs = {record.cell.specialist for record in records}
    return tuple(sorted({(ref.name, ref.version) for ref in refs if ref}))


def compare_batches(before: Iterable[Run], after: Iterable[Run]) -> BatchComparison:
    """Equal cells of two sets of runs, else those that `match_cells` finds partners for.

    That makes a batch of the baseline and one of a specialist, or of two models, comparable.
    """
    first = {group.cell: group for group in group_by_cell(before)}
    second = {group.cell: group for group in group_by_cell(after)}
    matched = match_cells(first, second)
    left, right = {cell for cell, _ in matched}, {cell for _, cell in matched}
    rows = [Pair(first[a], second[b]) for a, b in matched]
    return BatchComparison(
        rows=tuple(sorted(rows, key=lambda pair: cell_order(pair.before.cell))),
        only_before=tuple(group for cell, group in first.items() if cell not in left),
        only_after=tuple(group for cell, group in second.items() if cell not in right),
    )


def notes(comparison: Comparison) -> tuple[str, ...]:
    """What somebody who reads only the averages must know; simulated runs are named first."""
    runs, simulated = comparison.runs, comparison.simulated
    not_run = sum(group.checks_not_run for group in comparison.groups)
    said = []
    if simulated and simulated == runs:
        said.append(
            "Every compared run was played by a simulated agent (a script, echo or oracle), not by"
            " a model: this says nothing about any model."
        )
    elif simulated:
        said.append(
            f"Played by a simulated agent: {simulated} of {runs} compared runs. The averages mix"
            " them with the runs of models."
        )
    if comparison.unscored:
        said.append(
            f"Without a score that counts (faulted, interrupted, partly graded, or nothing could be"
            f" checked): {comparison.unscored} of {runs} compared runs. They are in no average."
        )
    if not_run:
        said.append(f"Checks that could not run: {not_run}. Scores are over the checks that did.")
    if not comparison.is_balanced:
        said.append(
            "The cells have different numbers of scored runs; in the averages each cell weighs"
            " the same."
        )
    if comparison.unmatched:
        cells = len(comparison.unmatched)
        said.append(f"Cells without a counterpart, which are not compared: {cells}.")
    if any(group.scores.n == 1 for group in comparison.groups):
        said.append("A cell with a single scored run has no spread: its score may be luck.")
    return tuple(said)


def _obstacle(baseline: Group | None, specialist: Group) -> str:
    """Why two groups cannot be compared; empty when they can."""
    if baseline is None:
        return NO_PARTNER
    if not specialist.scores.n:
        return "no run with the specialist has a score that counts"
    if not baseline.scores.n:
        return "no baseline run has a score that counts"
    changed = _changed(baseline.tasks | specialist.tasks)
    return f"not all of its runs had the same {' and '.join(changed)}" if changed else ""


def _changed(tasks: Iterable[Task]) -> tuple[str, ...]:
    known = tuple(tasks)
    names = [
        field.name
        for field in fields(Task)
        if len({getattr(task, field.name) for task in known} - {"", ()}) > 1
    ]
    # the digest differs whenever anything does: it is named only when nothing nearer is
    return tuple(name for name in names if name != "definition" or len(names) == 1)


def _averages(pairs: Sequence[Pair]) -> Averages:
    return Averages(
        pairs=len(pairs),
        baseline=_mean_of_means([pair.before for pair in pairs]),
        specialist=_mean_of_means([pair.after for pair in pairs]),
        baseline_runs=sum(pair.before.scores.n for pair in pairs),
        specialist_runs=sum(pair.after.scores.n for pair in pairs),
    )


def _mean_of_means(groups: Sequence[Group]) -> float | None:
    means = [group.scores.mean for group in groups if group.scores.mean is not None]
    return round(math.fsum(means) / len(means), PRECISION) if means else None


def _per_model(pairs: Sequence[Pair]) -> tuple[ModelAverages, ...]:
    return tuple(
        ModelAverages(agent, model, _averages([p for p in pairs if _who(p) == (agent, model)]))
        for agent, model in dict.fromkeys(map(_who, pairs))
    )


def _who(pair: Pair) -> tuple[str, str | None]:
    return pair.before.cell.agent, pair.before.cell.model


def _is(cell: Cell, name: str, version: str) -> bool:
    ref = cell.specialist
    return ref is not None and (ref.name, ref.version) == (name, version)
