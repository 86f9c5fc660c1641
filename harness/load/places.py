"""Where in a file something stands, and what is wrong with it there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

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
        order = {place: number for number, place in enumerate(self.lines)}

        def spot(problem: Problem) -> tuple[int, int]:
            known = self._known(problem.place)
            return self.lines.get(known, 0), order.get(known, 0)

        found = sorted(dict.fromkeys(problems), key=spot)
        return tuple(f"{prefix}{self._where(p.place)}: {p.text}" for p in found)

    def _where(self, place: Place) -> str:
        line = self.lines.get(self._known(place))
        return f"{pointer(place)} (line {line})" if line and place else pointer(place)

    def _known(self, place: Place) -> Place:
        """The nearest part that a line is known of."""
        while place and place not in self.lines:
            place = place[:-1]
        return place


def sound(value: Any, problems: Iterable[Problem]) -> Any:  # noqa: ANN401  # JSON as it was read
    """What is left of a value without what is wrong with it.

    An item of a list goes as a whole, and None keeps its place; a key that is missing spoils the
    mapping that lacks it.
    """
    return _without(value, {_spoilt(problem) for problem in problems}, ())


def _spoilt(problem: Problem) -> Place:
    place = problem.place
    numbers = [end for end, step in enumerate(place, 1) if isinstance(step, int)]
    return place[: numbers[0]] if numbers and not problem.is_extra else place


def _without(value: Any, spoilt: Collection[Place], place: Place) -> Any:  # noqa: ANN401  # as above
    if isinstance(value, dict):
        return {
            key: _without(item, spoilt, (*place, key))
            for key, item in value.items()
            if (*place, key) not in spoilt
        }
    if isinstance(value, list):
        return [
            None if (*place, index) in spoilt else _without(item, spoilt, (*place, index))
            for index, item in enumerate(value)
        ]
    return value


def pointer(place: Place) -> str:
    """A JSON pointer; `/` alone is the whole file."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in place)
    return "/" + "/".join(steps)


def shown(value: object) -> str:
    """A value as a message quotes it: short, on one line."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"
