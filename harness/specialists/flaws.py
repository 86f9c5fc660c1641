"""Where two JSON values, or two texts, are not the same: the first place, and both sides of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

TOLERANCE = 1e-9
"""Between what two machines compute of the same numbers."""
SHOWN = 200
"""Characters of a value in a message."""


class _Missing:
    """What stands where there is nothing, not even null."""


MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first thing that does not hold."""

    place: str
    expected: str
    found: str
    problems: tuple[str, ...] = ()
    """All that is wrong with a file that is no snapshot, where there is more than one thing."""

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, found {self.found}"


class DoesNotHold(Exception):
    """Ends an examination at its first flaw."""

    def __init__(
        self, place: str, expected: object, found: object, problems: Sequence[str] = ()
    ) -> None:
        super().__init__(place)
        self.flaw = Flaw(place, _shown(expected), _shown(found), tuple(problems))


def same(place: str, expected: object, found: object) -> None:
    """Two JSON values are one; raises DoesNotHold at the first place where they are not."""
    for where, want, have in _differences(place, expected, found):
        raise DoesNotHold(where, want, have)


def same_text(place: str, expected: bytes, found: bytes) -> None:
    """Two texts are one; raises DoesNotHold with the first line that is another."""
    both = zip_longest(expected.split(b"\n"), found.split(b"\n"), fillvalue=MISSING)
    for number, (want, have) in enumerate(both, 1):
        if want != have:
            raise DoesNotHold(f"{place}, line {number}", want, have)


def _differences(
    place: str, expected: object, found: object
) -> Iterator[tuple[str, object, object]]:
    """Where two JSON values differ, in the order of the first."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            yield from _differences(f"{place}/{key}", value, found.get(key, MISSING))
        for key in found:
            if key not in expected:
                yield f"{place}/{key}", MISSING, found[key]
    elif isinstance(expected, list) and isinstance(found, list):
        for number, (want, have) in enumerate(zip(expected, found, strict=False)):
            yield from _differences(f"{place}/{number}", want, have)
        if len(expected) != len(found):
            yield f"{place}, how many", len(expected), len(found)
    elif not _equal(expected, found):
        yield place, expected, found


def _equal(expected: object, found: object) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return math.isclose(expected, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(expected) is type(found) and expected == found


def _shown(value: object) -> str:
    """A value as the file spells it; text as it is."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if not isinstance(value, str):
        value = "" if value is MISSING else json.dumps(value, ensure_ascii=False)
    text = value or "nothing"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
