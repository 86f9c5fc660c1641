"""Where in a file something stands, and what is wrong with it there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

Place = tuple[str | int, ...]

SHOWN_CHARS = 60


class Problem(NamedTuple):
    """One thing that is wrong, and the keys that lead to it."""

    place: Place
    text: str
    is_extra: bool = False
    """Taking this key away would mend it."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text as data, with the line of every key; `value` means nothing when there are problems."""

    value: object = None
    lines: Mapping[Place, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: untyped data that never leaves this package."""

    path: Path
    value: object
    lines: Mapping[Place, int]

    def report(self, problems: Iterable[Problem], *, prefix: str = "") -> tuple[str, ...]:
        """The problems as sentences, in the order of the file, each said once."""
        found = sorted(dict.fromkeys(problems), key=lambda problem: self._line(problem.place) or 0)
        return tuple(f"{prefix}{self._where(p.place)}: {p.text}" for p in found)

    def _where(self, place: Place) -> str:
        line = self._line(place)
        return f"{pointer(place)} (line {line})" if line and place else pointer(place)

    def _line(self, place: Place) -> int | None:
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


def pointer(place: Place) -> str:
    """A JSON pointer; `/` alone is the whole file."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in place)
    return "/" + "/".join(steps)


def shown(value: object) -> str:
    """A value as a message quotes it: short, on one line."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"
