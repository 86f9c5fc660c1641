"""matrix.yaml: which runs, as axes whose product is taken, and what is said of some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harness.domain.matrix import (
    ALL,
    NONE,
    AgentEntry,
    Block,
    Matrix,
    Named,
    Override,
    Selector,
    Terms,
)
from harness.domain.model import parse_model
from harness.domain.provider import PROVIDERS
from harness.domain.scenario import TIERS
from harness.errors import BadFile, UsageError, nearest
from harness.load.files import read_document
from harness.load.globs import is_glob, matching
from harness.load.places import Document, Place, Problem, shown
from harness.load.schema import MATRIX, schema_problems

AXES = ("scenarios", "tiers", "agents", "models", "specialists")
DEFAULT_TIER = "L1"
_TERMS = tuple(each.name for each in fields(Terms))
_LISTS = ("only", "skip", "judges")
_FEW = 20
"""So many names are listed in a message; of more, only the nearest is told."""


@dataclass(frozen=True, slots=True)
class MatrixFile:
    """A matrix and the file that it stands in, for whoever finds more that is wrong with it."""

    matrix: Matrix
    _document: Document

    def bad(self, problems: Sequence[Problem]) -> BadFile:
        """Those problems, with their places and lines."""
        return BadFile(self._document.path, self._document.report(problems))


def load_matrix(path: Path, scenarios: Collection[str], agents: Collection[str]) -> MatrixFile:
    """A matrix of the scenarios (`suite/scenario`) and agents that there are.

    Raises BadFile with everything that is wrong with it.
    """
    document = read_document(path)
    raw: Any = document.value
    if problems := schema_problems(raw, MATRIX):
        raise BadFile(path, document.report(problems))
    matrix = _matrix(raw, scenarios)
    unknown = (
        *_unknown_scenarios(raw, scenarios),
        *_unknown_names(matrix, agents),
        *_unknown_models(raw),
    )
    if unknown:
        raise BadFile(path, document.report(unknown))
    return MatrixFile(matrix, document)


def _matrix(raw: Mapping[str, Any], scenarios: Collection[str]) -> Matrix:
    return Matrix(
        product=_block(raw, raw, (), scenarios),
        include=tuple(
            _block(each, {**raw, **each}, ("include", n), scenarios)
            for n, each in enumerate(raw.get("include", ()))
        ),
        exclude=tuple(
            _selector(each, ("exclude", n)) for n, each in enumerate(raw.get("exclude", ()))
        ),
        overrides=tuple(
            Override(_selector(each["where"], ("overrides", n, "where")), _terms(each))
            for n, each in enumerate(raw.get("overrides", ()))
        ),
        defaults=_terms({**raw.get("defaults", {}), "iterations": raw.get("iterations", 1)}),
    )


def _block(
    own: Mapping[str, Any], raw: Mapping[str, Any], place: Place, scenarios: Collection[str]
) -> Block:
    """The axes of `raw`; those that `own` names stand below `place`, the others at the top."""
    where = {axis: (*(place if axis in own else ()), axis) for axis in AXES}
    axis = {name: _named(raw.get(name, ()), where[name]) for name in AXES if name != "agents"}
    found = {
        name: Named(name, glob.where)
        for glob in reversed(axis["scenarios"])
        for name in matching(glob.text, scenarios)
    }
    return Block(
        scenarios=tuple(found[name] for name in scenarios if name in found),
        tiers=axis["tiers"] or (Named(DEFAULT_TIER),),
        agents=_agents(raw["agents"], where["agents"]),
        models=axis["models"],
        specialists=axis["specialists"] or (Named(NONE),),
        # what is said at the top is for every cell, and comes last
        terms=_terms(own) if place else Terms(),
        where=place,
    )


def _agents(value: Any, place: Place) -> tuple[AgentEntry, ...]:  # noqa: ANN401  # text, or a list
    if isinstance(value, str):
        return (AgentEntry(Named(value, place)),)
    return tuple(_agent(each, (*place, n)) for n, each in enumerate(value))


def _agent(raw: str | Mapping[str, Any], place: Place) -> AgentEntry:
    if isinstance(raw, str):
        return AgentEntry(Named(raw, place))
    models = _named(raw.get("models", ()), (*place, "models"))
    return AgentEntry(Named(raw["agent"], (*place, "agent")), models)


def _named(value: Any, place: Place) -> tuple[Named, ...]:  # noqa: ANN401  # text, or a list
    if isinstance(value, str):
        return (Named(value, place),)
    return tuple(Named(each, (*place, n)) for n, each in enumerate(value))


def _selector(raw: Mapping[str, Any], place: Place) -> Selector:
    axes = ((axis, _named(value, (*place, axis))) for axis, value in raw.items())
    return Selector(tuple(axes), place)


def _terms(raw: Mapping[str, Any]) -> Terms:
    said: dict[str, Any] = {name: raw[name] for name in _TERMS if name in raw}
    return Terms(**said | {name: tuple(said[name]) for name in _LISTS if name in said})


def _unknown_scenarios(raw: Mapping[str, Any], scenarios: Collection[str]) -> Iterator[Problem]:
    included = ((each, ("include", n)) for n, each in enumerate(raw.get("include", ())))
    for part, place in ((raw, ()), *included):
        for glob in _named(part.get("scenarios", ()), (*place, "scenarios")):
            if not matching(glob.text, scenarios):
                kind = "scenario is like" if is_glob(glob.text) else "scenario"
                text = f"no {kind} {shown(glob.text)}; {_near(glob.text, scenarios)}"
                yield Problem(glob.where, text)


def _unknown_names(matrix: Matrix, agents: Collection[str]) -> Iterator[Problem]:
    blocks = (matrix.product, *matrix.include)
    for block in blocks:
        for tier in block.tiers:
            if tier.text not in (*TIERS, ALL):
                text = f"no tier {shown(tier.text)}; {nearest(tier.text, (*TIERS, ALL))}"
                yield Problem(tier.where, text)
        for agent in (entry.agent for entry in block.agents):
            name = agent.text.partition(":")[0]
            if name not in agents:
                yield Problem(agent.where, f"no agent {shown(name)}; {nearest(name, agents)}")
    for selector in (*matrix.exclude, *(each.cells for each in matrix.overrides)):
        for axis, globs in selector.axes:
            known = tuple(dict.fromkeys(_values(blocks, axis)))
            for glob in globs:
                if not matching(glob.text, known):
                    text = (
                        f"none of its {axis} is like {shown(glob.text)}; {_near(glob.text, known)}"
                    )
                    yield Problem(glob.where, text)


def _unknown_models(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Models that play the user or judge: they have no agent that says whose they are."""
    listed = (
        (key, n, each)
        for key in ("include", "overrides")
        for n, each in enumerate(raw.get(key, ()))
    )
    parts = [
        (("defaults",), raw.get("defaults", {})),
        *(((key, n), each) for key, n, each in listed),
    ]
    for place, part in parts:
        for named in (
            *_named(part.get("user", ()), (*place, "user")),
            *_named(part.get("judges", ()), (*place, "judges")),
        ):
            try:
                model = parse_model(named.text, "", PROVIDERS)
            except UsageError as error:
                yield Problem(named.where, str(error))
                continue
            if not model.provider:
                name = named.text.partition(":")[0]
                text = f"{shown(named.text)} names no provider; {nearest(name, PROVIDERS)}"
                yield Problem(named.where, text)


def _values(blocks: Iterable[Block], axis: str) -> Iterator[str]:
    """What a glob on an axis may mean: a slip would otherwise select nothing."""
    for block in blocks:
        agents = [entry.agent.text for entry in block.agents]
        match axis:
            case "scenarios":
                yield from (each.text for each in block.scenarios)
            case "tiers":
                listed = [tier.text for tier in block.tiers]
                yield from TIERS if ALL in listed else listed
            case "agents":
                yield from (name for agent in agents for name in (agent, agent.partition(":")[0]))
            case "models":
                named = (*block.models, *(m for entry in block.agents for m in entry.models))
                yield from (each.text for each in named)
                yield from (agent.partition(":")[2] for agent in agents)
                yield NONE
            case _:
                yield from (each.text for each in block.specialists)


def _near(text: str, known: Collection[str]) -> str:
    """The nearest name; of many that are all far away, that there are so many."""
    hint = nearest(text, known)
    if len(known) <= _FEW or hint.startswith("did you mean"):
        return hint
    return f"there are {len(known)}"
