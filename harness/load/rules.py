"""What a scenario.yaml must not say at once, and what this version cannot do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.load.gitignore import glob_problem
from harness.load.places import Place, Problem
from harness.load.source import Source

_TWICE = (
    (("name",), ("title",)),
    (("validation_commands",), ("validation", "commands")),
    (("limits", "wall_clock"), ("timeout_minutes",)),
    (("evaluators",), ("rubric_overrides", "weights")),
    (("image", "dockerfile"), ("image", "name")),
    (("image", "dockerfile"), ("image", "packages")),
    (("image", "dockerfile"), ("image", "setup")),
)
"""Pairs that say one thing in two ways."""


def rule_problems(source: Source) -> Iterator[Problem]:
    """Contradictions, globs that are none, commands named alike, and what is not supported."""
    if source.is_whole("name", "title") and not {"name", "title"} & source.raw.keys():
        yield Problem((), "'name' is missing")
    for one, other in _TWICE:
        if _has(source, one) and _has(source, other):
            text = f"{'.'.join(other)} says this as well; give one of the two"
            yield Problem(one, text)
    yield from _unsupported(source)
    yield from _globs(source)
    names = Counter(item["name"] for item in _named(source).values())
    for index, item in _named(source).items():
        if names[item["name"]] > 1:
            place = ("validation_commands", index, "name")
            yield Problem(place, f"{item['name']!r} names more than one command")


def _has(source: Source, place: Place) -> bool:
    value: object = source.raw
    for key in place:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def _unsupported(source: Source) -> Iterator[Problem]:
    if "artifact" in source.raw:
        kind = source.raw["artifact"]["type"]
        text = (
            f"artifact scenarios ({kind}) are not supported: there is no workspace whose files"
            " could be captured and graded"
        )
        yield Problem(("artifact",), text)
    if not source.part("workspace").get("required", True):
        text = "scenarios without a workspace are not supported: its files are what is graded"
        yield Problem(("workspace", "required"), text)


def _globs(source: Source) -> Iterator[Problem]:
    for index, glob in source.items("protected"):
        if problem := glob_problem(glob):
            yield Problem(("protected", index), problem)


def _named(source: Source) -> dict[int, dict[str, str]]:
    items = source.items("validation_commands")
    return {index: item for index, item in items if isinstance(item, dict)}
