"""Everything a run works with, chosen by `wiring` or by a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from threading import BoundedSemaphore, Lock
from typing import Protocol

from harness.agents.asking import MAX_QUESTIONS
from harness.agents.base import Agent, Needs
from harness.agents.simulated_user import SimulatedUser
from harness.domain.changes import Changes
from harness.domain.ids import BatchId, RunId, container_name
from harness.domain.model import Budget, ModelRef, ModelSettings, ModelUse
from harness.domain.record import Maker, RunRecord, TreeRef
from harness.domain.scenario import Limits, Network, Scenario
from harness.domain.spec import RunSpec
from harness.evaluate import Evaluator
from harness.gateway.base import Access, Gateway, Line
from harness.llm.base import Chat
from harness.sandbox.base import (
    SOCKET,
    BoxSpec,
    Images,
    Mount,
    PreparedImage,
    Programs,
    Purpose,
    Sandboxes,
    Workspaces,
)
from harness.sandbox.owner import MARGIN, Marks
from harness.store.base import Artifacts, Store

MOST_ASKED = 200
"""Requests of one judge about one run: more is a loop."""


class Ledger(Protocol):
    """Keeps the final tree of every run."""

    def record(self, run: RunId, scenario: Scenario, changes: Changes) -> TreeRef:
        """Keep a tree: a fixture and what was changed in it."""
        ...

    def diff(self, ref: TreeRef) -> bytes:
        """What was changed, as a patch."""
        ...


class Halt(StrEnum):
    """Why no further run of a batch begins."""

    DRAINING = "draining"
    """A signal: those under way end as they would."""
    STOPPING = "stopping"
    """A second one: those under way are cut."""
    LIMIT = "limit"
    """A budget, a time or a disk."""


class Watch(Protocol):
    """Whoever looks on while runs go by."""

    def planned(self, batch: BatchId, runs: int, jobs: int) -> None:
        """A command begins to make so many runs of a batch, so many at once."""
        ...

    def halts(self, halt: Halt, why: str) -> None:
        """No further run of them begins."""
        ...

    def began(self, run: RunId, spec: RunSpec) -> None:
        """A run begins."""
        ...

    def stage(self, run: RunId, name: str) -> None:
        """A stage of the run begins."""
        ...

    def tell(self, run: RunId, text: str) -> None:
        """Something worth a glance within the stage."""
        ...

    def ended(self, record: RunRecord) -> None:
        """The run is stored."""
        ...

    def refused(self, run: RunId, why: str) -> None:
        """The run is not stored: the user has to put something right, or another may begin."""
        ...


@dataclass(frozen=True, slots=True)
class PlayedUser:
    """A model in the user's place, and its line."""

    person: SimulatedUser
    line: Line


@dataclass(frozen=True, slots=True)
class JudgeSeat:
    """A judge's model and its line."""

    chat: Chat
    line: Line

    def use(self) -> ModelUse:
        """What was metered, once what is under way is booked."""
        self.line.settle()
        return self.line.use()


@dataclass(frozen=True, slots=True)
class Panel:
    """Opens lines to judges' models, and keeps what was said over them."""

    gateway: Gateway
    client: Callable[[Line, ModelSettings], AbstractContextManager[Chat]]
    name: str
    models: tuple[ModelRef, ...] = ()
    batch: BatchId | None = None
    """Whose common budget they draw on."""
    replay: bytes | None = None
    exchanges: list[bytes] = field(default_factory=list)

    @contextmanager
    def seat(self, model: ModelRef, settings: ModelSettings) -> Iterator[JudgeSeat]:
        """A line to one model; raises UsageError without a key."""
        access = Access(self.name, model, Budget(requests=MOST_ASKED), self.batch, self.replay)
        with self.gateway.open(access) as line:
            try:
                with self.client(line, settings) as chat:
                    yield JudgeSeat(chat, line)
            finally:
                self.exchanges.append(line.recording())

    def cut(self) -> None:
        """End every line: a gateway that is asked again begins anew."""
        self.gateway.close()


class Alone:
    """A lock for each name."""

    def __init__(self) -> None:
        self._all = Lock()
        self._locks: dict[str, Lock] = {}

    def __call__(self, name: str) -> Lock:
        """The name's own lock, to be held in a `with`."""
        with self._all:
            return self._locks.setdefault(name, Lock())


@dataclass(frozen=True, slots=True)
class Tools:
    """One implementation of each part."""

    images: Images
    sandboxes: Sandboxes
    workspaces: Workspaces
    ledger: Ledger
    store: Store
    artifacts: Artifacts
    agent: Callable[[RunSpec], Agent]
    evaluators: Mapping[str, Evaluator]
    models: Gateway
    chat: Callable[[Line, ModelSettings], AbstractContextManager[Chat]]
    """A client for a line's model."""
    programs: Programs
    watch: Watch
    now: Callable[[], datetime]
    random: Callable[[], str]
    owner: str
    """Who made what is found lying about later."""
    graders: AbstractContextManager[object] = field(
        default_factory=lambda: BoundedSemaphore(os.cpu_count() or 1)
    )
    """Places for grading, which takes a processor where an agent mostly waits for its model."""
    alone: Callable[[str], AbstractContextManager[object]] = field(default_factory=Alone)
    """One thread at a time for each name."""
    replay: bytes | None = None
    """A recording that stands in for every model."""
    maker: Maker | None = None
    """What a record says of the harness that made it."""

    def line(
        self, run: RunId, batch: BatchId, spec: RunSpec, needs: Needs
    ) -> AbstractContextManager[Line | None]:
        """The way to the agent's model, if it needs one; raises UsageError without a key."""
        if needs.model is None:
            return nullcontext()
        return self.models.open(
            Access(
                run,
                needs.model,
                spec.budget,
                batch,
                self.replay,
                lambda text: self.watch.tell(run, text),
            )
        )

    @contextmanager
    def user(self, run: RunId, batch: BatchId, spec: RunSpec) -> Iterator[PlayedUser | None]:
        """Somebody to ask, if the plan wants a model to play the user."""
        if spec.user is None:
            yield None
            return
        budget = Budget(requests=MAX_QUESTIONS)
        access = Access(f"{run}-user", spec.user, budget, batch, self.replay)
        with self.models.open(access) as line, self.chat(line, ModelSettings()) as chat:
            person = SimulatedUser(chat, spec.prompt.text, spec.scenario.oracle.answers)
            yield PlayedUser(person, line)

    def judges(self, run: RunId, batch: BatchId, spec: RunSpec) -> Panel:
        """The way to judges' models: their lines are none of the agent's."""
        return Panel(
            self.models, self.chat, f"{run}-judge", spec.grading.judges, batch, self.replay
        )

    def kit(
        self, run: RunId, needs: Needs, line: Line | None, image: PreparedImage
    ) -> tuple[Mount, ...]:
        """What an agent that works inside its sandbox finds there."""
        programs = tuple(
            self.programs.mount(program, image, lambda text: self.watch.tell(run, text))
            for program in needs.programs
        )
        if line is None or not needs.inside:
            return programs
        return (Mount(str(line.socket), SOCKET), *programs)

    def marks(self, run: RunId, batch: BatchId, limits: Limits) -> Marks:
        """What a run's containers and volumes are labelled with."""
        lasts = timedelta(seconds=limits.wall_clock_s) + MARGIN
        return Marks(self.owner, self.now() + lasts, run, batch)

    def box_spec(
        self,
        marks: Marks,
        purpose: Purpose,
        scenario: Scenario,
        image: PreparedImage,
        mounts: tuple[Mount, ...],
    ) -> BoxSpec:
        """The container of a run for one purpose."""
        return BoxSpec(
            name=container_name(marks.run, purpose.value),
            image=image,
            purpose=purpose,
            limits=scenario.limits,
            network=scenario.network if purpose is Purpose.WORK else Network.NONE,
            mounts=mounts,
            labels=marks.labels(purpose.value),
        )
