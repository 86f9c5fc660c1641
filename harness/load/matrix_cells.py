"""The cells of a matrix, by names: its product, less and more what it says, and how each is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

from harness.domain.matrix import ALL, AgentEntry, Block, Matrix, Named, Point, Selector
from harness.load.globs import matching
from harness.load.matrix import MatrixFile
from harness.load.places import Problem, shown

MOST_CELLS = MOST_RUNS = 100_000

TakesModel = Callable[[str], bool]
"""Whether an agent, as it is typed, is to be given a model."""


def points_of(
    file: MatrixFile, tiers: Mapping[str, Sequence[str]], takes_model: TakesModel
) -> tuple[Point, ...]:
    """Every cell once, in the order of the file; `tiers` are those that each scenario has.

    Raises BadFile with everything that selects nothing, or the same twice.
    """
    matrix = file.matrix
    if too_many := tuple(_too_many(matrix)):
        raise file.bad(too_many)
    problems: list[Problem] = []
    product = _spread(matrix.product, tiers, takes_model)
    kept = product
    for selector in matrix.exclude:
        problems += _selects_nothing(selector, product)
        kept = [point for point in kept if not _selects(selector, point)]
    known = {point.key for point in kept}
    for block in matrix.include:
        added = _spread(block, tiers, takes_model)
        problems += _included(block, added, known)
        known |= {point.key for point in added}
        kept += added
    for block in (matrix.product, *matrix.include):
        problems += _unused(block, tiers, takes_model)
    if not kept and not problems:
        problems.append(Problem((), "nothing is left of the matrix: it has no cell to run"))
    for override in matrix.overrides:
        problems += _selects_nothing(override.cells, kept)
    if problems:
        raise file.bad(problems)
    points = tuple(_with_terms(matrix, point) for point in kept)
    runs = sum(point.terms.iterations or 1 for point in points)
    if runs > MOST_RUNS:
        raise file.bad([Problem((), f"{runs:,} runs are more than {MOST_RUNS:,}")])
    return points


def _spread(
    block: Block, tiers: Mapping[str, Sequence[str]], takes_model: TakesModel
) -> list[Point]:
    workers = [
        (entry.agent, model)
        for entry in block.agents
        for model in _models(entry, block.models, takes_model)
    ]
    return [
        Point(scenario, tier, agent, model, specialist, block.terms)
        for scenario in block.scenarios
        for tier in _tiers(block, tiers[scenario.text])
        for agent, model in workers
        for specialist in block.specialists
    ]


def _models(
    entry: AgentEntry, models: Sequence[Named], takes_model: TakesModel
) -> Sequence[Named | None]:
    if entry.models:
        return entry.models
    return models if models and takes_model(entry.agent.text) else (None,)


def _tiers(block: Block, has: Sequence[str]) -> tuple[str, ...]:
    wanted = [tier.text for tier in block.tiers]
    return tuple(tier for tier in has if tier in wanted or ALL in wanted)


def _selects(selector: Selector, point: Point) -> bool:
    return all(
        any(matching(glob.text, point.values(axis)) for glob in globs)
        for axis, globs in selector.axes
    )


def _selects_nothing(selector: Selector, points: Iterable[Point]) -> Iterator[Problem]:
    if not any(_selects(selector, point) for point in points):
        yield Problem(selector.where, "no cell of the matrix is like this")


def _included(
    block: Block, added: Sequence[Point], known: set[tuple[str, ...]]
) -> Iterator[Problem]:
    if not added:
        yield Problem(block.where, "there is no such cell: no scenario of it has its tiers")
    for point in added:
        if point.key in known:
            scenario, tier, *who = point.key
            text = (
                f"{scenario} {tier} {' '.join(filter(None, who))} is a cell of the matrix already;"
                " say what is special about it under 'overrides'"
            )
            yield Problem(block.where, text)
            return


def _unused(
    block: Block, tiers: Mapping[str, Sequence[str]], takes_model: TakesModel
) -> Iterator[Problem]:
    """Values of the block's own that make no cell."""
    own = len(block.where)
    has = {tier for scenario in block.scenarios for tier in tiers[scenario.text]}
    for tier in block.tiers:
        if tier.where[:own] == block.where and tier.text not in {*has, ALL}:
            text = f"none of the scenarios has a prompt for {shown(tier.text)}"
            yield Problem(tier.where, f"{text}; they have {', '.join(sorted(has)) or 'none'}")
    asked = any(not entry.models and takes_model(entry.agent.text) for entry in block.agents)
    if block.models and block.models[0].where[:own] == block.where and not asked:
        yield Problem(block.models[0].where, "no agent here takes a model from this list")


def _too_many(matrix: Matrix) -> Iterator[Problem]:
    """Said before anything is multiplied."""
    for block in (matrix.product, *matrix.include):
        workers = sum(len(entry.models or block.models) or 1 for entry in block.agents)
        cells = prod(map(len, (block.scenarios, block.tiers, block.specialists))) * workers
        if cells > MOST_CELLS:
            yield Problem(block.where, f"{cells:,} cells are more than {MOST_CELLS:,}")


def _with_terms(matrix: Matrix, point: Point) -> Point:
    terms = matrix.defaults
    for override in matrix.overrides:
        if _selects(override.cells, point):
            terms = override.terms.over(terms)
    # an entry of `include` is about its own cells alone
    return replace(point, terms=point.terms.over(terms))
