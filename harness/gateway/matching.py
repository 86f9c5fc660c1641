"""Answering from a recording: each request with the answer that its like got."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from harness.gateway.departure import departure
from harness.gateway.exchange import Exchange, Recording
from harness.gateway.redaction import Redactor
from harness.gateway.sameness import Comparer, Level, Parts, digest

_REPEATABLE = ("GET ", "HEAD ")
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Matches:
    """How the requests so far were answered."""

    exact: int
    volatile: int
    """Equal but for dates, durations, ids and the like."""
    results: int
    """Equal but for those and what tools printed."""
    missed: int
    unused: int
    """Recorded exchanges that nobody asked for."""
    first_difference: str | None
    """Where the first request departs that is a miss or found other tool output."""


@dataclass(frozen=True, slots=True)
class Miss:
    """The recording does not hold such a request; `str` of it says what to look at."""

    asked: str
    """Method and path."""
    nearest: Exchange | None
    """The most similar exchange that was not played yet, else the most similar of all."""
    difference: str

    def __str__(self) -> str:
        return f"the recording does not hold this {self.asked}; {self.difference}"


class Player:
    """Plays each exchange of a recording once; may be asked from any thread."""

    def __init__(self, recording: Recording, secrets: Iterable[str] = ()) -> None:
        self._recording = recording
        self._redactor = Redactor(secrets)
        self._comparer = Comparer()
        self._lock = threading.Lock()
        self._unused = set(range(len(recording)))
        self._indices: dict[Level | None, dict[bytes, deque[int]]] = {}
        self._fingerprints: list[frozenset[tuple[str, bytes]]] = []
        self._counts: Counter[Level] = Counter()
        self._missed = 0
        self._first_difference: str | None = None

    def answer(self, path: str, body: bytes, method: str = "POST") -> Exchange | Miss:
        """The answer that the first unplayed exchange like this request got."""
        target = f"{method} {self._redactor.clean_text(path)}"
        clean = self._redactor.clean(body)
        with self._lock:
            for level in (None, *Level):
                number = self._find(target, clean, level)
                if number is not None:
                    self._unused.discard(number)
                    self._counts[level or Level.EXACT] += 1
                    if level is Level.RESULTS and self._first_difference is None:
                        where = self._departs(number, clean, Level.VOLATILE)
                        self._first_difference = f"{target}: {where}"
                    return self._recording.exchange(number)
            self._missed += 1
            return self._miss(target, clean)

    def report(self) -> Matches:
        """What was asked so far."""
        with self._lock:
            return Matches(
                exact=self._counts[Level.EXACT],
                volatile=self._counts[Level.VOLATILE],
                results=self._counts[Level.RESULTS],
                missed=self._missed,
                unused=len(self._unused),
                first_difference=self._first_difference,
            )

    def _find(self, target: str, body: bytes, level: Level | None) -> int | None:
        alike = self._index(level).get(self._key(target, body, level))
        if alike is None:
            return None
        while len(alike) > 1 and alike[0] not in self._unused:
            alike.popleft()
        number = alike[0]
        # a question that changes nothing may be put again, as often as a program likes to
        again = not body and target.startswith(_REPEATABLE)
        return number if number in self._unused or again else None

    def _key(self, target: str, body: bytes, level: Level | None) -> bytes:
        """What requests have in common that agree at a level; without one, their very bytes."""
        if level is None:
            return digest(target, (("", hashlib.blake2b(body).digest()),))
        return digest(target, self._comparer.parts(body, level))

    def _index(self, level: Level | None) -> dict[bytes, deque[int]]:
        """Every exchange by its key; the looser ones are made when they are first needed."""
        if level not in self._indices:
            index: dict[bytes, deque[int]] = {}
            for number in range(len(self._recording)):
                key = self._key(self._target(number), self._recording.request(number), level)
                index.setdefault(key, deque()).append(number)
            self._indices[level] = index
        return self._indices[level]

    def _target(self, number: int) -> str:
        exchange, _ = self._recording.kept[number]
        return f"{exchange.method} {exchange.path}"

    def _miss(self, target: str, body: bytes) -> Miss:
        parts = self._comparer.parts(body, Level.RESULTS)
        number = self._nearest(target, parts)
        if number is None:
            difference = f"what it holds is {self._targets()}"
            nearest = None
        else:
            difference = self._departs(number, body, Level.RESULTS)
            nearest = self._recording.exchange(number)
        if self._first_difference is None:
            self._first_difference = f"{target}: {difference}"
        return Miss(target, nearest, difference)

    def _nearest(self, target: str, parts: Parts) -> int | None:
        """The most similar exchange with this method and path, rather an unplayed one."""
        asked = frozenset(parts)
        self._fill_fingerprints()
        alike = [n for n in range(len(self._recording)) if self._target(n) == target]
        alike = [n for n in alike if n in self._unused] or alike

        def likeness(number: int) -> float:
            recorded = self._fingerprints[number]
            return len(asked & recorded) / max(len(asked | recorded), 1)

        return max(alike, key=likeness, default=None)

    def _fill_fingerprints(self) -> None:
        if not self._fingerprints:
            self._fingerprints = [
                frozenset(self._comparer.parts(self._recording.request(number), Level.RESULTS))
                for number in range(len(self._recording))
            ]

    def _departs(self, number: int, body: bytes, level: Level) -> str:
        """How a request differs from a recorded one."""
        recorded = self._comparer.pieces(self._recording.request(number))
        asked = self._comparer.pieces(body)
        which = f"exchange {number + 1} of {len(self._recording)}"
        if recorded is None or asked is None:
            return f"{which} has another body, which is no JSON object"
        found = departure(recorded, asked, level)
        if found is None:
            return f"{which} is its like, and was played already"
        return f"{which} is the nearest and departs at {found}"

    def _targets(self) -> str:
        targets = sorted({self._target(number) for number in range(len(self._recording))})
        return ", ".join(targets[:_LISTED]) or "nothing"
