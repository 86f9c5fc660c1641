"""What is checked and by which command: the evaluators of a scenario.yaml, in all three forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.domain.scenario import CheckSpec, Command, Level
from harness.errors import nearest
from harness.load.commands import named
from harness.load.option_rules import option_rules
from harness.load.places import Place, Problem
from harness.load.schema import option_problems
from harness.load.source import BLOCKS, Around, Source
from harness.load.units import seconds

COMMAND_KINDS = ("install", "build", "lint", "typecheck")
"""Checks of the outcome of a validation command, or of one of their own."""

ORDER = ("install", "build", "lint", "typecheck", "test")
"""How `validation.commands` are run."""

METRICS: Mapping[str, str] = {
    "install_success": "install",
    "tests_nonregression": "test",
    "dependency_targets": "semantic_upgrade_quality",
    "integrity_guard": "integrity",
}
"""The original's names for the weights of checks that are called otherwise here."""

RULED: Mapping[str, str] = {
    "semantic_upgrade_quality": "targets",
    "deprecated_handling": "blocklist",
    "companion_alignment": "companion_versions",
    "namespace_migrations": "namespace_migrations",
}
"""Checks that are made as soon as the file gives what they look at."""

_TEST_ONLY = ("level", "tests", "report", "fail_to_pass", "pass_to_pass")


@dataclass(frozen=True, slots=True)
class Placed:
    """A check and where in the file it comes from."""

    spec: CheckSpec
    place: Place
    given: frozenset[str] = frozenset()
    """The keys that the author wrote."""


def read_validation(source: Source) -> tuple[Command, ...]:
    """The commands that grading runs, in their order, each with a name."""
    if "validation_commands" in source.raw:
        return named(
            (None, item) if isinstance(item, str) else (item["name"], item["run"])
            for _, item in source.items("validation_commands")
        )
    validation = source.part("validation")
    commands = validation.get("commands", {}) if validation.get("required", True) else {}
    return tuple(Command(kind, commands[kind]) for kind in ORDER if kind in commands)


def read_checks(
    source: Source, validation: tuple[Command, ...], around: Around
) -> tuple[Placed, ...]:
    """The checks that are listed, else those that the original's fields amount to."""
    if "evaluators" in source.raw:
        listed = [_listed(item, i, validation, around) for i, item in source.items("evaluators")]
    else:
        listed = [
            *_derived(source, validation),
            *_ruled(source, _weights(source), sorted(around.kinds)),
        ]
    kinds = {placed.spec.kind for placed in listed}
    return (*listed, *(p for p in _blocks(source) if p.spec.kind not in kinds))


def _listed(
    item: Mapping[str, Any], index: int, validation: tuple[Command, ...], around: Around
) -> Placed:
    kind = item.get("uses", item["name"])
    command, level = item.get("command"), item.get("level")
    if kind == "test":
        level = level or _level(item, around)
        if level == Level.A and command is None and "tests" not in item:
            command = next((each.run for each in validation if each.name == kind), None)
    spec = CheckSpec(
        name=item["name"],
        kind=kind,
        weight=float(item.get("weight", 1.0)),
        required=item.get("required", False),
        level=None if level is None else Level(level),
        command=command,
        tests=tuple(item.get("tests", ())),
        report=item.get("report"),
        fail_to_pass=_ids(item, "fail_to_pass"),
        pass_to_pass=_ids(item, "pass_to_pass"),
        timeout_s=seconds(item["timeout"]) if "timeout" in item else None,
        threshold=float(item.get("threshold", 1.0)),
        after=tuple((name, float(least)) for name, least in item.get("after", {}).items()),
        options=item.get("options", {}),
    )
    return Placed(spec, ("evaluators", index), frozenset(item))


def _level(item: Mapping[str, Any], around: Around) -> Level:
    runs_itself = "tests" in item or "command" in item
    return Level.B if around.has_hidden_tests and not runs_itself else Level.A


def _ids(item: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    return tuple(item[key]) if key in item else None


def _derived(source: Source, validation: tuple[Command, ...]) -> Iterator[Placed]:
    weights = _weights(source)
    by_name = {each.name: each.run for each in validation}
    for kind in ORDER:
        if kind in by_name and "validation" in source.raw:
            is_test = kind == "test"
            spec = CheckSpec(
                kind,
                kind,
                weights.get(kind, 1.0),
                level=Level.A if is_test else None,
                command=by_name[kind] if is_test else None,
            )
            yield Placed(spec, ("validation", "commands", kind))


def _ruled(
    source: Source, weights: Mapping[str, float], kinds: Collection[str]
) -> Iterator[Placed]:
    """The checks that the original's constraints and weights amount to."""
    given = {**source.part("constraints"), **({"targets": True} if source.part("targets") else {})}
    for kind in kinds:
        place: Place = ("rubric_overrides", "weights", kind)
        if RULED.get(kind) in given:
            yield Placed(CheckSpec(kind, kind, weights.get(kind, 1.0)), place)
        elif weights.get(kind) and kind not in (*ORDER, *BLOCKS, *RULED):
            yield Placed(CheckSpec(kind, kind, weights[kind]), place)


def _blocks(source: Source) -> Iterator[Placed]:
    weights = _weights(source)
    for kind in BLOCKS:
        if source.part(kind).get("enabled", False):
            yield Placed(CheckSpec(kind, kind, weights.get(kind, 1.0)), (kind,))


def _weights(source: Source) -> dict[str, float]:
    given = source.part("rubric_overrides").get("weights", {})
    return {METRICS.get(name, name): float(weight) for name, weight in given.items()}


def check_problems(
    source: Source, checks: tuple[Placed, ...], validation: tuple[Command, ...], around: Around
) -> Iterator[Problem]:
    """What the schema cannot see: kinds, names, weights, and what each kind leans on."""
    names = [command.name for command in validation]
    for placed in checks:
        yield from _kind_problems(placed, around)
        yield from _test_problems(placed, around)
        yield from _command_problems(source, placed, names)
        if placed.spec.kind == "oracle" and not around.has_expected:
            yield Problem(placed.place, "checks expected values, but the oracle's file has none")
        yield from _option_problems(placed.place, placed.spec.kind, placed.spec.options)
        yield from _gate_problems(source, placed, checks)
    yield from _spoiled_options(source, around)
    yield from _doubles(checks)
    if source.is_whole("evaluators", "validation", *BLOCKS):
        yield from _balance(checks, around)


def _kind_problems(placed: Placed, around: Around) -> Iterator[Problem]:
    spec = placed.spec
    known = {*around.kinds}
    if spec.kind not in known:
        key = "uses" if "uses" in placed.given else "name"
        hint = "" if key == "uses" else " (a name of your own needs `uses: <evaluator>`)"
        text = f"no evaluator {spec.kind!r}; {nearest(spec.kind, known)}{hint}"
        yield Problem((*placed.place, key), text)
    if spec.kind in (*COMMAND_KINDS, "oracle"):
        surplus = (*_TEST_ONLY, "command", "timeout") if spec.kind == "oracle" else _TEST_ONLY
        for key in sorted(placed.given.intersection(surplus)):
            yield Problem((*placed.place, key), f"means nothing to the evaluator {spec.kind!r}")


def _option_problems(place: Place, kind: str, options: Mapping[str, Any]) -> Iterator[Problem]:
    """What the evaluator's own schema says; an evaluator of another package looks for itself."""
    for problem in (*option_problems(options, kind), *option_rules(kind, options)):
        yield problem._replace(place=(*place, "options", *problem.place))


def _spoiled_options(source: Source, around: Around) -> Iterator[Problem]:
    for index, kind in spoiled_checks(source):
        options = source.raw["evaluators"][index].get("options")
        if kind in around.kinds and isinstance(options, dict):
            yield from _option_problems(("evaluators", index), kind, options)


def spoiled_checks(source: Source) -> Iterator[tuple[int, str]]:
    """Place and kind of the checks that are not made, as something is wrong with them."""
    for index, item in enumerate(source.raw.get("evaluators", ())):
        if ("evaluators", index) in source.spoiled and isinstance(item, dict):
            kind = item.get("uses", item.get("name"))
            if isinstance(kind, str):
                yield index, kind


def _gate_problems(source: Source, placed: Placed, checks: tuple[Placed, ...]) -> Iterator[Problem]:
    if "threshold" in placed.given and not placed.spec.required:
        text = "is what a required check has to score; say `required: true`"
        yield Problem((*placed.place, "threshold"), text)
    waits = {each.spec.name: [name for name, _ in each.spec.after] for each in checks}
    for name in waits[placed.spec.name]:
        place: Place = (*placed.place, "after", name)
        if name not in waits and not _is_spoiled(source, name):
            yield Problem(place, f"names no check; {nearest(name, waits)}")
        elif placed.spec.name in _reached_from(name, waits):
            yield Problem(place, f"waits for {placed.spec.name!r} itself, so neither is ever made")


def _is_spoiled(source: Source, name: str) -> bool:
    """A check of that name is listed, and something else is wrong with it."""
    items = source.raw.get("evaluators", ())
    return any(isinstance(item, dict) and item.get("name") == name for item in items)


def _reached_from(name: str, waits: Mapping[str, list[str]]) -> set[str]:
    found, left = set[str](), [name]
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            left += waits.get(each, [])
    return found


def _test_problems(placed: Placed, around: Around) -> Iterator[Problem]:
    spec, place = placed.spec, placed.place
    if spec.kind != "test":
        return
    if spec.level is Level.B:
        if not around.has_hidden_tests:
            yield Problem(place, "a test of level B needs hidden/test_*.py")
        for key in sorted(placed.given & {"command", "tests", "report"}):
            yield Problem((*place, key), "is of level A; level B runs all of hidden/test_*.py")
    elif spec.command is None and not spec.tests:
        yield Problem(
            place, "a test of level A needs `tests` or `command`; there is no hidden/test_*.py"
        )
    if spec.report is not None and spec.command is None:
        yield Problem((*place, "report"), "is what a `command` writes, and there is none")
    both = set(spec.fail_to_pass or ()) & set(spec.pass_to_pass or ())
    for test in sorted(both):
        yield Problem((*place, "pass_to_pass"), f"{test!r} is in fail_to_pass as well")


def _command_problems(source: Source, placed: Placed, names: list[str]) -> Iterator[Problem]:
    spec = placed.spec
    if spec.kind not in COMMAND_KINDS or spec.command is not None:
        return
    if spec.timeout_s is not None:
        text = "is for a `command` of the check's own; limits.command bounds validation commands"
        yield Problem((*placed.place, "timeout"), text)
    if spec.kind not in names and source.is_whole("validation_commands", "validation"):
        there = ", ".join(map(repr, names)) or "none"
        text = f"needs a `command`, or a validation command named {spec.kind!r}; there is {there}"
        yield Problem(placed.place, text)


def _doubles(checks: tuple[Placed, ...]) -> Iterator[Problem]:
    counts = Counter(placed.spec.name for placed in checks)
    for placed in checks:
        if counts[placed.spec.name] > 1:
            text = f"{placed.spec.name!r} names more than one check"
            yield Problem((*placed.place, "name"), text)


def _balance(checks: tuple[Placed, ...], around: Around) -> Iterator[Problem]:
    can_run = [placed.spec for placed in checks if placed.spec.kind in around.kinds]
    if not checks:
        yield Problem((), "there is no check: list `evaluators`, or give `validation.commands`")
    elif can_run and not any(spec.weight for spec in can_run):
        yield Problem(
            ("evaluators",), "every check that can run has weight 0, so there is no total"
        )
