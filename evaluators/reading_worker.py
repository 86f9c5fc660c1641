"""What the process behind `reading` answers."""

from __future__ import annotations

from typing import Any

from evaluators.structured import value_at
from harness.load import search_worker


def answer(question: dict[str, Any]) -> object:
    """The first match of a pattern, or the value at a path."""
    if "pattern" in question:
        return search_worker.answer(question)
    return value_at(question["name"], question["text"], question["path"])
