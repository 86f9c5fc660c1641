"""Runs on the nodes of a Ray cluster; whose turn it is, is decided in the command that began."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import (
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayError,
    TaskCancelledError,
    TaskUnschedulableError,
    WorkerCrashedError,
)

from harness import roster
from harness.domain.ids import BatchId, RunId, new_run_id
from harness.domain.model import Budget
from harness.domain.record import RunRecord
from harness.domain.spec import RunSpec
from harness.draft import Draft
from harness.errors import BatchStopped, EnvironmentFault, Interrupted, SandboxFault, UsageError
from harness.executors.build import this_build
from harness.executors.cluster import Cluster, needs_of, pinned
from harness.executors.desk import Allowed, Desk, Heard
from harness.executors.node import Kit, Told, attempt_here, spot_of, visit
from harness.executors.parcel import packed
from harness.gateway.budget import Purse
from harness.interrupts import INTERRUPTS
from harness.log import log
from harness.settings import Settings
from harness.tools import Tools

LOST = (
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    TaskUnschedulableError,
    WorkerCrashedError,
)
MOST_LOSSES = 3
UNHEARD = "nothing of it was stored: its node was lost, or it was stopped before it began"
"""So often a run is begun anew whose node or process is gone; then it is a fault like others."""
LOOK_S = 0.2
GRACE_S = 60.0
"""So long a run that is told to end may clean up; then its process is ended."""
VISIT_S = 300.0
"""A node opens its tools in so long, or is not fit."""


def kit_for(
    settings: Settings,
    specs: Sequence[RunSpec],
    batch: BatchId,
    tools: Tools,
    purse: Purse | None,
) -> Kit:
    """What the nodes are to know of a batch that is planned."""
    spot = spot_of(settings.root)
    if spot is None:
        raise UsageError(f"{settings.root} cannot be read")
    models = [roster.make_agent(spec).needs.model for spec in specs]
    models += [model for spec in specs for model in (spec.user, *spec.grading.judges)]
    return Kit(
        name=secrets.token_hex(8),
        batch=batch,
        created_at=tools.store.batch(batch).created_at,
        build=this_build(),
        root=settings.root,
        spot=spot,
        parcel=packed(settings.root, [spec.scenario.suite for spec in specs]),
        probe=tools.artifacts.put("batch.txt", batch.encode()),
        models=tuple(dict.fromkeys(model for model in models if model)),
        allowed=Allowed(purse.budget, purse.day.budget if purse.day else None) if purse else None,
        replay=tools.replay,
    )


@contextmanager
def opened(
    cluster: Cluster, kit: Kit, specs: Sequence[RunSpec], tools: Tools, purse: Purse | None = None
) -> Iterator[RayExecutor]:
    """An executor whose nodes were all looked at; raises what is wrong with the first."""
    executor = RayExecutor(kit, tools, purse)
    executor.look_at(cluster, specs)
    with executor.heard():
        yield executor


class RayExecutor:
    """One task for each run; a run whose node is lost is begun anew on another."""

    def __init__(self, kit: Kit, tools: Tools, purse: Purse | None) -> None:
        self._batch = kit.batch
        self._tools = tools
        self._purse = purse
        # nothing is begun anew by Ray itself: it does not know what is stored
        self._task = ray.remote(max_retries=0)(attempt_here)
        self._kit = ray.put(kit)
        drawn = (purse.usd, purse.tokens, purse.day and purse.day.drawn) if purse else (0.0, 0)
        here = pinned(ray.get_runtime_context().get_node_id())
        desk = ray.remote(Desk).options(num_cpus=0, scheduling_strategy=here)
        self._desk: Any = desk.remote(kit.allowed or Allowed(Budget()), *drawn)
        self._lock = threading.Lock()
        self._ended_at: float | None = None
        self._stopped: str | None = None

    def look_at(self, cluster: Cluster, specs: Sequence[RunSpec]) -> None:
        """Look at every node that may make a run."""
        task = ray.remote(num_cpus=0, max_retries=0)(visit)
        nodes = cluster.fitting(specs)
        for node, told in cluster.ask(nodes, task, (self._kit, self._desk), VISIT_S):
            if told.unfit is not None:
                kind = UsageError if isinstance(told.unfit, UsageError) else EnvironmentFault
                raise kind(f"node {node.name}: {told.unfit}") from told.unfit

    def attempt(self, spec: RunSpec) -> RunRecord:
        """One run, on whichever node has room for it."""
        for _ in range(MOST_LOSSES):
            run = new_run_id(self._tools.now(), self._tools.random())
            self._tools.watch.began(run, spec)
            self._tools.watch.stage(run, "queue")
            record = None
            try:
                told = self._told(spec, run)
                # whatever was told: what is stored counts
                record = self._stored(run)
                if record is None and told is not None:
                    self._refuse(told)
            finally:
                if record is None:
                    self._tools.watch.refused(run, UNHEARD)
            if record is not None:
                self._tools.watch.ended(record)
                return record
            log().warning("run_lost", run=run, batch=self._batch)
        return self._given_up(spec)

    def stopped(self) -> str | None:
        """What a node's gateway said, or the batch's purse."""
        return self._stopped or self._tools.models.stopped(self._batch)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Show what the nodes tell, and count what they draw, until the block ends."""
        over = threading.Event()

        def listen() -> None:
            while not over.wait(LOOK_S):
                try:
                    self._show(ray.get(self._desk.heard.remote()))
                except RayError as error:
                    # runs go on unseen; a purse that is gone refuses every request
                    log().warning("ray_desk_lost", error=str(error))
                    return

        thread = threading.Thread(target=listen, name="desk", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _show(self, heard: Heard) -> None:
        for said in heard.said:
            if said.stage is not None:
                self._tools.watch.stage(said.run, said.stage)
            else:
                self._tools.watch.tell(said.run, said.text)
        if self._purse is not None:
            self._purse.at_least(usd=heard.usd, tokens=heard.tokens)
            if self._purse.day and heard.day:
                self._purse.day.at_least(heard.day)

    def _told(self, spec: RunSpec, run: RunId) -> Told | None:
        """How the task ended; None where it is lost."""
        needs = needs_of(spec)
        place = self._task.options(num_cpus=needs.cpus, memory=needs.memory_bytes)
        tasks: list[Any] = []
        with INTERRUPTS.cutting(lambda: self._cut(tasks)):
            tasks.append(place.remote(self._kit, spec, run, self._desk))
            while not ray.wait(tasks, timeout=LOOK_S)[0]:
                pass
        try:
            told: Told = ray.get(tasks[0])
        except TaskCancelledError:
            return Told("", interrupted=True)
        except LOST as error:
            log().info("ray_task_lost", run=run, error=str(error))
            # one that we ended ourselves is not begun anew
            return Told("", interrupted=True) if self._ended_at else None
        self._stopped = self._stopped or told.stopped
        return told

    def _cut(self, tasks: Sequence[Any]) -> None:
        """End a task: one that waits at once, one that works by its own hand, or by force."""
        with self._lock:
            if self._ended_at is None:
                self._ended_at = time.monotonic()
                self._desk.end.remote()
            is_late = time.monotonic() - self._ended_at > GRACE_S
        for task in tasks:
            ray.cancel(task, force=is_late)

    def _stored(self, run: RunId) -> RunRecord | None:
        try:
            return self._tools.store.run(run)
        except UsageError:
            return None

    def _refuse(self, told: Told) -> None:
        if told.interrupted:
            raise Interrupted
        if told.unfit is not None:
            raise BatchStopped(f"node {told.host}: {told.unfit}") from told.unfit
        if told.error is not None:
            raise told.error

    def _given_up(self, spec: RunSpec) -> RunRecord:
        """A fault for a run that takes its process with it, or has no luck with its nodes."""
        tools = self._tools
        run, now = new_run_id(tools.now(), tools.random()), tools.now()
        draft = Draft(run, self._batch, spec, now, tools.watch, tools.maker, stage="work")
        tools.watch.began(run, spec)
        why = f"its node or its process there was lost {MOST_LOSSES} times"
        record = draft.record(tools.now(), SandboxFault(why))
        tools.store.save(record)
        tools.watch.ended(record)
        return record
