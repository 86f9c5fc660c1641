"""Evaluators of other packages: made from their entry points, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.errors import UsageError
from harness.evaluate import Cost, Evaluator


def make_evaluator(kind: str, path: str, load: Callable[[str], Any]) -> Evaluator:
    """The evaluator that `module:attribute` names; UsageError says which one is no evaluator."""
    where = f"evaluator {kind!r} ({path})"
    try:
        found = load(path)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{where} cannot be loaded: {error}") from error
    try:
        made: Evaluator = found()
    except TypeError as error:
        raise UsageError(f"{where} must be a class that takes no arguments: {error}") from error
    cost = getattr(made, "cost", None)
    if not isinstance(cost, Cost):
        there = ", ".join(f"Cost.{each.name}" for each in Cost)
        said = "has no `cost`" if cost is None else f"has the `cost` {cost!r}"
        raise UsageError(f"{where} {said}; a class attribute says one of {there}")
    if not callable(getattr(made, "judge", None)):
        raise UsageError(f"{where} has no `judge(evidence, check)`")
    return made
