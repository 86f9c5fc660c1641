"""What must not stand in an evaluator's options and what no schema can say."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from harness.load.gitignore import glob_problem
from harness.load.places import Place, Problem, shown

GLOBS: Mapping[str, tuple[str, ...]] = {
    "scope": ("allowed", "forbidden"),
    "diff_size": ("exclude",),
    "integrity": ("paths", "ignore"),
    "secrets": ("ignore",),
    "complexity": ("ignore",),
    "coverage": ("exclude",),
    "lint": ("config",),
    "typecheck": ("config",),
}
"""Options that are lists of patterns in the manner of .gitignore."""

TARGET, WORST = 1.0, 2.0
"""What `performance` takes where nothing is given."""


def option_rules(kind: str, options: Mapping[str, Any]) -> Iterator[Problem]:
    """What would only break when a run is graded; parts that the schema refuses are passed over."""
    for key in GLOBS.get(kind, ()):
        given = options.get(key)
        for index, glob in enumerate(given if isinstance(given, list | tuple) else ()):
            problem = glob_problem(glob) if isinstance(glob, str) else ""
            if problem:
                yield Problem((key, index), problem)
    if kind == "diff_size":
        yield from _sizes(options)
    if kind == "performance":
        yield from _metric(options)
        yield from _costs(options)


def _sizes(options: Mapping[str, Any]) -> Iterator[Problem]:
    expected, most = _number(options, "expected"), _number(options, "most")
    if expected is not None and most is not None and most <= expected:
        text = f"{most:g} lines score 0, but {expected:g} are `expected`; it has to be above that"
        yield Problem(("most",), text)


def _metric(options: Mapping[str, Any]) -> Iterator[Problem]:
    metric, place = options.get("metric"), ("metric",)
    if not isinstance(metric, str):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            groups = re.compile(metric).groups
    except (re.error, OverflowError, RecursionError) as error:
        yield Problem(place, f"{shown(metric)} is no regular expression: {error}")
        return
    if not groups:
        text = "has no group; put what is the figure into (…), as in 'took ([0-9.]+) ms'"
        yield Problem(place, f"{shown(metric)} {text}")


def _costs(options: Mapping[str, Any]) -> Iterator[Problem]:
    target, worst = _number(options, "target"), _number(options, "worst")
    # a number of the wrong kind is the schema's to name
    if any(key in options and value is None for key, value in _pairs(target, worst)):
        return
    best = 1 / (TARGET if target is None else target)
    limit = WORST if worst is None else worst
    if limit <= best:
        place: Place = ("target",) if worst is None else ("worst",)
        said = f"a cost of {limit:g} scores 0 and one of {best:.3g} (1 ÷ target) scores 1"
        yield Problem(place, f"{said}; `worst` has to be above that")


def _pairs(target: float | None, worst: float | None) -> tuple[tuple[str, float | None], ...]:
    return ("target", target), ("worst", worst)


def _number(options: Mapping[str, Any], key: str) -> float | None:
    value = options.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return float(value)
