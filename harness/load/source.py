"""A scenario.yaml that was held to its schema: what is wrong with it, and what is left to read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.load.files import read_document
from harness.load.places import Document, Place, Problem
from harness.load.schema import SCENARIO, schema_problems

FILE = "scenario.yaml"

BLOCKS = ("heuristic_checks", "llm_judge")
"""Checks that a block of the file's own describes; `enabled: true` in it makes the check."""


@dataclass(frozen=True, slots=True)
class Source:
    """The parts that the schema accepts, so that reading them cannot fail."""

    document: Document
    raw: Mapping[str, Any]
    spoiled: frozenset[Place]
    problems: tuple[Problem, ...]

    def items(self, key: str) -> Iterator[tuple[int, Any]]:
        """The sound items of a list with their places in the file."""
        for index, item in enumerate(self.raw.get(key, ())):
            if (key, index) not in self.spoiled:
                yield index, item

    def is_whole(self, *keys: str) -> bool:
        """Nothing below these keys had to be left out."""
        return not any(place[0] in keys for place in self.spoiled)

    def part(self, key: str) -> Mapping[str, Any]:
        """A mapping of the file; empty when it is not there."""
        found: Mapping[str, Any] = self.raw.get(key, {})
        return found


@dataclass(frozen=True, slots=True)
class Around:
    """What a scenario's checks lean on besides its scenario.yaml."""

    kinds: Collection[str]
    has_hidden_tests: bool
    has_expected: bool


def read_source(path: Path) -> Source:
    """The file and everything that its schema says about it; raises BadFile for bad syntax."""
    document = read_document(path)
    problems = schema_problems(document.value, SCENARIO)
    spoiled = frozenset(p.place[:2] for p in problems if p.place and not p.is_extra)
    value = document.value if isinstance(document.value, dict) else {}
    raw = {key: item for key, item in value.items() if not _is_lost(key, item, spoiled)}
    return Source(document, raw, spoiled, problems)


def _is_lost(key: str, item: object, spoiled: frozenset[Place]) -> bool:
    if isinstance(item, list):
        return (key,) in spoiled
    return any(place[0] == key for place in spoiled)
