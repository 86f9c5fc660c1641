"""What a scenario.yaml says that this version keeps but does not act on: one line each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from harness.load.checks import METRICS, RULED
from harness.load.heuristic_notes import heuristic_notes
from harness.load.source import BLOCKS, Source

_NO_INSTALL = "nothing is installed by it, the image says what there is"
_NO_CHECK = "not supported in this version: no check is made of it"

UNUSED: Mapping[str, str] = {
    "success_criteria": _NO_CHECK,
    "baseline": "not run: the warm-up runs the validation commands on the untouched fixture",
    "warmup": "not supported in this version: the warm-up grades the untouched fixture",
    "fixtures": "not supported in this version: nothing is recorded or played back",
    "reference_path": "not supported in this version: no reference is compared with",
    "hints": "not supported in this version: the agent is not shown them",
    "estimated_time": "kept for people; only limits.wall_clock ends a run",
}

_READ_BY: Mapping[str, frozenset[str]] = {
    "targets": frozenset({"semantic_upgrade_quality", "breaking_changes_strategy"}),
    "constraints": frozenset(RULED),
}
"""Parts of the file that only some evaluators look at."""

_MANAGERS = frozenset({"manager_correctness", "used_manager_commands"})
_WORKSPACE: Mapping[str, frozenset[str]] = {
    "manager": _MANAGERS,
    "managers_allowed": _MANAGERS,
    "node": frozenset({"companion_alignment"}),
    "workspaces": frozenset(),
}
"""The keys of `workspace`, and the evaluators that look at each."""


def notes(source: Source, *, suite: str, scenario: str, made: Collection[str]) -> Iterator[str]:
    """Every field that is dead here, so that none is silently so."""
    raw = source.raw
    for key, given, folder in (("id", raw.get("id"), scenario), ("suite", raw.get("suite"), suite)):
        if given is not None and given != folder:
            yield f"{key}: {given!r} is not the folder's name; {folder!r} is used"
    for key, said in UNUSED.items():
        if key in raw:
            yield f"{key}: {said}"
    yield from _unread(source, made)
    if not source.part("validation").get("required", True):
        yield "validation: required is false, so its commands are not run"
    yield from _idle_weights(source, made)
    if "heuristic_checks" in made:
        yield from heuristic_notes(source)


def _unread(source: Source, made: Collection[str]) -> Iterator[str]:
    """Parts of the file that only some evaluators look at, when none of those is made."""
    asked = source.part("workspace")
    idle = [key for key, readers in _WORKSPACE.items() if key in asked and not readers & set(made)]
    if idle:
        yield f"workspace ({', '.join(idle)}): no evaluator looks at it; {_NO_INSTALL}"
    for key, readers in _READ_BY.items():
        if key in source.raw and not readers & set(made):
            yield f"{key}: given, but no evaluator looks at it ({', '.join(sorted(readers))})"
    for key in BLOCKS:
        if key in source.raw and key not in made:
            yield f"{key}: without `enabled: true` no check is made of it"


def _idle_weights(source: Source, made: Collection[str]) -> Iterator[str]:
    weights = source.part("rubric_overrides").get("weights", {})
    idle = [name for name in weights if METRICS.get(name, name) not in made]
    if idle:
        yield f"rubric_overrides.weights ({', '.join(idle)}): no check of that name is made here"
