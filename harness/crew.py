"""A batch at work: which run is next, how many at once, and what ends it before its plan does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from queue import Empty, SimpleQueue
from typing import Protocol

from harness.bounds import Bounds
from harness.claims import Claims
from harness.domain.failures import TABLE, Cause
from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.domain.spec import RunSpec
from harness.errors import AlreadyStored, BatchStopped, Interrupted, UsageError
from harness.interrupts import DRAINING, INTERRUPTS, STOPPING
from harness.log import log
from harness.run import attempt
from harness.tools import Halt, Tools
from harness.turns import Turns

WAITING = 4
"""So many agents that wait for a model keep one processor busy."""
SHARE = 0.8
"""Of the engine's memory; the rest is the engine's, the harness's and everybody else's."""
LOOK_S = 0.2
"""How often whoever waits for a run looks whether somebody wants it to end."""


class Executor(Protocol):
    """Where runs are made: this process, or the nodes of a cluster."""

    def attempt(self, spec: RunSpec) -> RunRecord:
        """One run, stored; from many threads at once.

        Raises what `run.attempt` raises, and BatchStopped where no run can be made any more.
        """
        ...

    def stopped(self) -> str | None:
        """Why no further run can be made."""
        ...


class Here:
    """In threads of this process."""

    def __init__(self, batch: BatchId, tools: Tools) -> None:
        self._batch = batch
        self._tools = tools

    def attempt(self, spec: RunSpec) -> RunRecord:
        """One run, in the thread that asks."""
        return attempt(spec, self._batch, self._tools)

    def stopped(self) -> str | None:
        """What the gateway says."""
        return self._tools.models.stopped(self._batch)


def run_batch(  # noqa: PLR0913  # what is not said changes nothing
    specs: Iterable[RunSpec],
    batch: BatchId,
    tools: Tools,
    jobs: int = 1,
    bounds: Bounds | None = None,
    *,
    retries: int = 0,
    claims: Claims | None = None,
    executor: Executor | None = None,
) -> Iterator[RunRecord]:
    """Every run of a plan, stored before it is handed on; so many at once.

    One that the world spoils is tried again so often, when all others were made; one that another
    process makes, by `claims`, is left to it. They are made in this process unless `executor` makes
    them elsewhere.

    Raises Interrupted when somebody stopped it, BatchStopped when no further run can ask its
    model or a bound is reached, and UsageError when a scenario cannot be run as it is, after all
    others were.
    """
    turns = Turns(specs, retries=retries)
    crew = Crew(turns, tools, executor or Here(batch, tools), bounds or Bounds(), claims)
    tools.watch.planned(batch, len(turns), jobs)
    with INTERRUPTS.drained(), claims or nullcontext():
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
        self,
        turns: Turns,
        tools: Tools,
        executor: Executor,
        bounds: Bounds,
        claims: Claims | None,
    ) -> None:
        self._tools = tools
        self._executor = executor
        self._bounds = bounds
        self._claims = claims
        self._turns = turns
        self._lock = threading.Lock()
        self._made: SimpleQueue[RunRecord | None] = SimpleQueue()
        self._ended = False
        self._cancelled = False
        self._starved = False
        self._halts: set[Halt] = set()
        self._refused: dict[str, UsageError] = {}
        self._broken: BaseException | None = None

    def work(self, jobs: int) -> Iterator[RunRecord]:
        """Hand on each record; how the batch ended is raised when nobody works any more."""
        hands = [
            threading.Thread(target=self._hand, name=f"run-{number}", daemon=True)
            for number in range(max(1, min(jobs, len(self._turns))))
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
            if INTERRUPTS.draining:
                self._halt(Halt.DRAINING, DRAINING)
            if INTERRUPTS.stopping:
                self._halt(Halt.STOPPING, STOPPING)
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
            while self._goes_on():
                with self._lock:
                    spec = self._turns.next()
                if spec is None:
                    # all that is left waits for its provider
                    time.sleep(LOOK_S)
                elif self._claims is None or self._claims.take(spec):
                    self._make(spec)
                else:
                    self._leave(spec)
        except BaseException as error:  # noqa: BLE001  # raised by whoever waits for this thread
            self._ended = True
            self._broken = self._broken or error
        finally:
            self._made.put(None)

    def _goes_on(self) -> bool:
        with self._lock:
            waiting = len(self._turns) > 0
        if self._ended or INTERRUPTS.draining:
            return False
        if waiting and (why := self._why_not()):
            self._halt(Halt.LIMIT, why)
            return False
        return waiting

    def _halt(self, halt: Halt, why: str) -> None:
        """Tell whoever looks on, once."""
        if halt not in self._halts:
            self._halts.add(halt)
            self._tools.watch.halts(halt, why)

    def _why_not(self) -> str | None:
        return self._executor.stopped() or self._bounds.reached()

    def _make(self, spec: RunSpec) -> None:
        try:
            record = self._executor.attempt(spec)
        except AlreadyStored as error:
            # we were away for so long that another took it over
            log().warning("run_stored_by_another", error=str(error))
            return
        except UsageError as error:
            if self._claims is not None:
                self._claims.give_back(spec)
            # the same would happen to every run of the scenario, and to no other's
            with self._lock:
                self._turns.drop(spec.scenario.key)
                self._refused.setdefault(spec.scenario.key, error)
            return
        except (Interrupted, BatchStopped):
            # before it began: whoever goes on with the batch may have it at once
            if self._claims is not None:
                self._claims.give_back(spec)
            raise
        finally:
            with self._lock:
                self._turns.done(spec)
        why = record.fault.cause if record.fault else None
        with self._lock:
            self._turns.went(
                spec,
                spoiled=why is not None and TABLE[why].retried and why is not Cause.CANCELLED,
                by_provider=why is Cause.PROVIDER,
            )
        if why is Cause.CANCELLED:
            # only what cut a session short says why
            if record.session is not None and record.session.detail:
                self._starved = True
            else:
                self._cancelled = self._ended = True
        self._made.put(record)

    def _leave(self, spec: RunSpec) -> None:
        with self._lock:
            self._turns.done(spec)

    def _tell(self) -> None:
        """Raise what ended the batch before its plan did."""
        left = len(self._turns)
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
