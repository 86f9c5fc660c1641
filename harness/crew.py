"""A batch at work: which run is next, how many at once, and what ends it before its plan does."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue

from harness.bounds import Bounds
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.domain.spec import RunSpec
from harness.errors import BatchStopped, Interrupted, UsageError
from harness.interrupts import INTERRUPTS
from harness.run import attempt
from harness.tools import Tools

WAITING = 4
"""So many agents that wait for a model keep one processor busy."""
SHARE = 0.8
"""Of the engine's memory; the rest is the engine's, the harness's and everybody else's."""
LOOK_S = 0.2
"""How often whoever waits for a run looks whether somebody wants it to end."""


def run_batch(
    specs: Iterable[RunSpec],
    batch: BatchId,
    tools: Tools,
    jobs: int = 1,
    bounds: Bounds | None = None,
) -> Iterator[RunRecord]:
    """Every run of a plan, stored before it is handed on; so many at once.

    Raises Interrupted when somebody stopped it, BatchStopped when no further run can ask its
    model or a bound is reached, and UsageError when a scenario cannot be run as it is, after all
    others were.
    """
    crew = Crew(specs, batch, tools, bounds or Bounds())
    with INTERRUPTS.drained():
        yield from crew.work(jobs)


def fitting(specs: Sequence[RunSpec], cpus: int, memory_bytes: int) -> int:
    """How many runs at once an engine holds, by its processors and its memory.

    An agent with a model mostly waits for it: four of them take the place of one without.
    """
    needed = max((spec.scenario.limits.memory_bytes for spec in specs), default=1)
    by_memory = int(memory_bytes * SHARE) // needed
    # one that waits for nobody sets the pace of all
    simulated = any(spec.agent.model is None for spec in specs)
    return max(1, min(by_memory, cpus if simulated else cpus * WAITING, len(specs)))


class Crew:
    """Threads that each make one run after another."""

    def __init__(
        self, specs: Iterable[RunSpec], batch: BatchId, tools: Tools, bounds: Bounds
    ) -> None:
        self._batch = batch
        self._tools = tools
        self._bounds = bounds
        self._line = Line(specs)
        self._lock = threading.Lock()
        self._made: SimpleQueue[RunRecord | None] = SimpleQueue()
        self._ended = False
        self._cancelled = False
        self._starved = False
        self._refused: dict[str, UsageError] = {}
        self._broken: BaseException | None = None

    def work(self, jobs: int) -> Iterator[RunRecord]:
        """Hand on each record; how the batch ended is raised when nobody works any more."""
        hands = [
            threading.Thread(target=self._hand, name=f"run-{number}", daemon=True)
            for number in range(max(1, min(jobs, len(self._line))))
        ]
        for hand in hands:
            hand.start()
        try:
            yield from self._records(len(hands))
        finally:
            # nobody reads on, or all is done: either way nothing is left under way
            self._ended = True
            for hand in hands:
                hand.join()
        self._tell()

    def _records(self, working: int) -> Iterator[RunRecord]:
        is_cut = False
        while working:
            if INTERRUPTS.stopping:
                if not is_cut:
                    self._tools.models.close()
                    is_cut = True
                INTERRUPTS.cut()
            try:
                record = self._made.get(timeout=LOOK_S)
            except Empty:
                continue
            if record is None:
                working -= 1
            else:
                yield record

    def _hand(self) -> None:
        try:
            while spec := self._next():
                self._make(spec)
        except BaseException as error:  # noqa: BLE001  # raised by whoever waits for this thread
            self._ended = True
            self._broken = self._broken or error
        finally:
            self._made.put(None)

    def _next(self) -> RunSpec | None:
        with self._lock:
            if self._ended or INTERRUPTS.draining or self._why_not():
                return None
            return self._line.next()

    def _why_not(self) -> str | None:
        return self._tools.models.stopped(self._batch) or self._bounds.reached()

    def _make(self, spec: RunSpec) -> None:
        try:
            record = attempt(spec, self._batch, self._tools)
        except UsageError as error:
            # the same would happen to every run of the scenario, and to no other's
            with self._lock:
                self._line.drop(spec.scenario.key)
                self._refused.setdefault(spec.scenario.key, error)
            return
        finally:
            with self._lock:
                self._line.done(spec)
        if record.fault and record.fault.cause is Cause.CANCELLED:
            # only what cut a session short says why
            if record.session is not None and record.session.detail:
                self._starved = True
            else:
                self._cancelled = self._ended = True
        self._made.put(record)

    def _tell(self) -> None:
        """Raise what ended the batch before its plan did."""
        left = len(self._line)
        if self._broken:
            raise self._broken
        if self._cancelled or (left and INTERRUPTS.draining):
            raise Interrupted
        if (left or self._starved) and (why := self._why_not()):
            raise BatchStopped(why)
        if self._refused:
            (first, *others) = self._refused.values()
            more = f"\n(and {len(others)} more scenarios cannot be run)" if others else ""
            raise UsageError(f"{first}{more}") if more else first


class Line:
    """The runs that wait: in planned order, but no agent's runs hold all places.

    Whoever is asked next is the one with the fewest runs under way, so that a provider that is
    slow takes its share of the places and no more.
    """

    def __init__(self, specs: Iterable[RunSpec]) -> None:
        self._waiting: dict[str, deque[tuple[int, RunSpec]]] = {}
        self._under_way: dict[str, int] = {}
        for place, spec in enumerate(specs):
            self._waiting.setdefault(spec.agent.name, deque()).append((place, spec))

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def next(self) -> RunSpec | None:
        """The next to be made; None when nobody waits."""
        waiting = [name for name, runs in self._waiting.items() if runs]
        if not waiting:
            return None
        name = min(waiting, key=lambda n: (self._under_way.get(n, 0), self._waiting[n][0][0]))
        self._under_way[name] = self._under_way.get(name, 0) + 1
        return self._waiting[name].popleft()[1]

    def done(self, spec: RunSpec) -> None:
        """One that was under way no longer is."""
        self._under_way[spec.agent.name] -= 1

    def drop(self, scenario: str) -> None:
        """None of a scenario's runs waits any longer."""
        for name, runs in self._waiting.items():
            self._waiting[name] = deque(run for run in runs if run[1].scenario.key != scenario)
