"""What a scenario.yaml says of dependencies: `targets`, `constraints`, `workspace`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.domain.dependencies import (
    MAJOR,
    MANAGERS,
    RULES,
    Blocked,
    Companion,
    DependencyRules,
    Migration,
    Target,
)
from harness.errors import nearest
from harness.load.places import Place, Problem, shown
from harness.load.source import Source
from harness.load.versions import Ecosystem, is_range, read_range

AUTO = "auto"
"""The manager that is found out."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What was read, and what is wrong with it."""

    rules: DependencyRules
    problems: tuple[Problem, ...] = ()


def read_rules(source: Source) -> Rules:
    """The rules in every form of the file."""
    constraints, targets = source.part("constraints"), source.part("targets")
    workspace = source.part("workspace")
    rules = DependencyRules(
        targets=tuple(
            Target(each["name"], each["to"], required=kind == "required")
            for kind in ("required", "optional")
            for each in targets.get(kind, ())
        ),
        blocked=tuple(
            Blocked(each["name"], tuple(each.get("versions", ())), each.get("reason", ""))
            for each in constraints.get("blocklist", ())
        ),
        migrations=tuple(
            Migration(each["from"], each["to"])
            for each in constraints.get("namespace_migrations", ())
        ),
        companions=tuple(
            Companion(each["main"], other["name"], _rule(other))
            for each in constraints.get("companion_versions", ())
            for other in each["companions"]
        ),
        managers=tuple(dict.fromkeys(name for _, name in _managers(workspace, constraints))),
        node=workspace.get("node", ""),
    )
    return Rules(rules, tuple(_problems(constraints, targets, workspace)))


def _rule(given: Mapping[str, Any]) -> str:
    text = " ".join(str(given.get("rule", MAJOR)).split())
    return text.lower() if text.lower() in RULES else text


def _managers(
    workspace: Mapping[str, Any], constraints: Mapping[str, Any]
) -> Iterator[tuple[Place, str]]:
    for part, given in (("workspace", workspace), ("constraints", constraints)):
        for index, name in enumerate(given.get("managers_allowed", ())):
            yield (part, "managers_allowed", index), name
    given = workspace.get("manager", AUTO)
    if given != AUTO:
        yield ("workspace", "manager"), given


def _problems(
    constraints: Mapping[str, Any], targets: Mapping[str, Any], workspace: Mapping[str, Any]
) -> Iterator[Problem]:
    yield from _target_problems(targets)
    yield from _blocked_problems(constraints, targets)
    for i, each in enumerate(constraints.get("namespace_migrations", ())):
        if each["from"] == each["to"]:
            place: Place = ("constraints", "namespace_migrations", i, "to")
            yield Problem(place, f"{shown(each['to'])} is the old name as well")
    for i, each in enumerate(constraints.get("companion_versions", ())):
        for j, other in enumerate(each["companions"]):
            place = ("constraints", "companion_versions", i, "companions", j)
            yield from _companion_problems(place, each["main"], other)
    for place, name in _managers(workspace, constraints):
        if name not in MANAGERS:
            yield Problem(place, f"no package manager {shown(name)}; {nearest(name, MANAGERS)}")
    node = workspace.get("node", "")
    if node and read_range(node, Ecosystem.NPM) is None:
        yield Problem(("workspace", "node"), _no_range(node))


def _target_problems(targets: Mapping[str, Any]) -> Iterator[Problem]:
    listed = [
        (("targets", kind, index), each)
        for kind in ("required", "optional")
        for index, each in enumerate(targets.get(kind, ()))
    ]
    counts = Counter(each["name"] for _, each in listed)
    for place, each in listed:
        yield from _range_problems((*place, "to"), each["to"])
        if counts[each["name"]] > 1:
            text = f"{shown(each['name'])} is a target more than once"
            yield Problem((*place, "name"), text)


def _blocked_problems(
    constraints: Mapping[str, Any], targets: Mapping[str, Any]
) -> Iterator[Problem]:
    moved = {each["name"] for each in targets.get("required", ())}
    for i, each in enumerate(constraints.get("blocklist", ())):
        place: Place = ("constraints", "blocklist", i)
        for j, text in enumerate(each.get("versions", ())):
            if not is_range(text):
                yield Problem((*place, "versions", j), _no_range(text))
        if not each.get("versions") and each["name"] in moved:
            text = f"{shown(each['name'])} has to stay as it is, but is a required target as well"
            yield Problem((*place, "name"), text)


def _companion_problems(place: Place, main: str, other: Mapping[str, Any]) -> Iterator[Problem]:
    rule = _rule(other)
    if other["name"] == main:
        yield Problem((*place, "name"), f"{shown(main)} is its own companion")
    if rule not in RULES and not is_range(rule):
        text = f"no rule {shown(rule)}; {nearest(rule, RULES)}, or a range such as '^18'"
        yield Problem((*place, "rule"), text)


def _range_problems(place: Place, text: str) -> Iterator[Problem]:
    found = [r for e in Ecosystem if (r := read_range(text, e)) is not None]
    if not found:
        yield Problem(place, _no_range(text))
    elif not any(each.holds(each.lowest) for each in found):
        yield Problem(place, f"{shown(text)} holds no version")
    elif text.strip() in ("*", "x", "X"):
        yield Problem(place, f"{shown(text)} holds every version, so it asks for nothing")


def _no_range(text: str) -> str:
    return f"{shown(text)} is no range of versions; write it as '^9', '>=5.5 <6' or '~=2.1'"
