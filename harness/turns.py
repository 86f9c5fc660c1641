"""Whose turn it is: the runs of a batch that wait, and what they wait for."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from harness.domain.spec import RunSpec

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 120.0


@dataclass(slots=True)
class _Lane:
    """The runs of one agent."""

    waiting: deque[tuple[int, RunSpec]] = field(default_factory=deque)
    under_way: int = 0
    failures: int = 0
    """So often in a row its provider failed."""
    until: float = 0.0


class Turns:
    """In planned order, but no agent's runs hold all places.

    The next is one of the agent that has the fewest under way, so that a provider that is slow
    takes its share of the places and no more. An agent whose provider fails waits before its next
    run, twice as long each time: an outage of minutes is waited out and does not use up the plan.
    """

    def __init__(
        self,
        specs: Iterable[RunSpec],
        *,
        retries: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._retries = retries
        self._clock = clock
        self._tries: Counter[tuple[str, int]] = Counter()
        self._places = 0
        for spec in specs:
            self._add(spec)

    def __len__(self) -> int:
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def next(self) -> RunSpec | None:
        """The next to be made; None where nobody waits, or all wait for their providers."""
        now = self._clock()
        ready = [lane for lane in self._lanes.values() if lane.waiting and lane.until <= now]
        if not ready:
            return None
        lane = min(ready, key=lambda each: (each.under_way, each.waiting[0][0]))
        lane.under_way += 1
        return lane.waiting.popleft()[1]

    def done(self, spec: RunSpec) -> None:
        """One that was under way no longer is."""
        self._lanes[spec.agent.name].under_way -= 1

    def went(self, spec: RunSpec, *, spoiled: bool, by_provider: bool) -> None:
        """How a run ended: one that the world spoiled may wait again, behind all others."""
        lane = self._lanes[spec.agent.name]
        lane.failures = lane.failures + 1 if by_provider else 0
        if by_provider:
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (lane.failures - 1))
            lane.until = max(lane.until, self._clock() + pause)
        if spoiled:
            key = (spec.digest, spec.iteration)
            self._tries[key] += 1
            if self._tries[key] <= self._retries:
                self._add(spec)

    def drop(self, scenario: str) -> None:
        """None of a scenario's runs waits any longer."""
        for lane in self._lanes.values():
            lane.waiting = deque(run for run in lane.waiting if run[1].scenario.key != scenario)

    def _add(self, spec: RunSpec) -> None:
        lane = self._lanes.setdefault(spec.agent.name, _Lane())
        lane.waiting.append((self._places, spec))
        self._places += 1
