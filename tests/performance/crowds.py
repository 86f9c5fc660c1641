"""Many tool loops at once, and what it costs to play one again."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from typing import Any

from figures import Crowd, Figure
from providers import MODEL, looping, provider
from subjects import BATCH, Tick, timed

from harness import wiring
from harness.agents.base import Agent, Task, Workbench, supervise
from harness.agents.tools import ToolContext, toolbox
from harness.domain.ids import OWNER_LABEL, RunId, new_run_id
from harness.domain.session import Ending, Session
from harness.domain.spec import AgentRef, RunSpec
from harness.gateway.base import Line
from harness.sandbox.base import Box, PreparedImage, Purpose
from harness.sandbox.owner import this_process
from harness.settings import Settings
from harness.tools import Tools

RUNS = 40
THINKING_S = 2.0
LEAST_SHARE = 0.85
KIB = 1024
STATUS, FORGET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a tool loop works: everything of a run that is open while its agent works."""

    run: RunId
    spec: RunSpec
    agent: Agent
    box: Box
    line: Line

    def work(self, line: Line | None = None) -> Session:
        """The session of a run, with the seat's line or another one; raises if it went ill."""
        limits = self.spec.scenario.limits
        context = ToolContext(self.box, limits, self.spec.scenario.oracle)
        bench = Workbench(toolbox(), context, limits.wall_clock_s, line=line or self.line)
        session = supervise(self.agent, Task(self.spec.prompt.text, 1), bench)
        if session.ending is not Ending.FINISHED:
            raise RuntimeError(f"a measured session ended so: {session.ending} {session.detail}")
        return session


@dataclass(frozen=True, slots=True)
class Memory:
    """What is held at a moment."""

    process_bytes: int
    peak_bytes: int
    available_bytes: int

    @classmethod
    def now(cls) -> Memory:
        own, machine = STATUS.read_text(encoding="utf-8"), MEMINFO.read_text(encoding="utf-8")
        return cls(
            _bytes(own, "VmRSS"), _bytes(own, "VmHWM"), _bytes(machine, "MemAvailable")
        )  # fmt: skip


def time_crowd(
    tools: Tools, settings: Settings, spec: RunSpec, turns: int, rounds: int, tick: Tick
) -> tuple[Crowd, Figure]:
    """All seats are taken before the clock starts: the thinking is what is measured."""
    spec = replace(spec, agent=AgentRef("anthropic", model=MODEL))
    image = tools.images.prepare(spec.scenario, lambda _text: None)
    alone_s = _alone(tools, settings, spec, image, (turns, rounds))
    with (
        provider(settings, looping(turns), THINKING_S) as slow,
        slow.gateway() as gateway,
        ExitStack() as stack,
    ):
        tools = replace(tools, models=gateway)
        FORGET_PEAK.write_text("5", encoding="ascii")
        before = Memory.now()
        moments, seats = [time.perf_counter()], []
        for number in range(RUNS):
            seats.append(stack.enter_context(seat(tools, spec, image)))
            moments.append(time.perf_counter())
            tick(number + 1, RUNS)
        began, cpu = time.perf_counter(), time.process_time()
        sessions = _all_at_once(seats)
        wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
        after, boxes_bytes = Memory.now(), _held_by_boxes(settings)
        replay = _time_replay(tools, seats[:rounds], sessions[:rounds], turns)
        closing_s = timed(stack.close)
    return (
        Crowd(
            turns=turns,
            thinking_s=THINKING_S,
            opening_s=tuple(b - a for a, b in pairwise(moments)),
            closing_s=closing_s,
            wall_s=wall_s,
            runs_s=tuple(session.duration_s for session in sessions),
            alone_s=alone_s,
            cpu_s=cpu_s,
            process_bytes=after.peak_bytes - before.process_bytes,
            boxes_bytes=boxes_bytes,
            machine_bytes=before.available_bytes - after.available_bytes,
            least_share=LEAST_SHARE,
        ),
        replay,
    )


@contextmanager
def seat(tools: Tools, spec: RunSpec, image: PreparedImage) -> Iterator[Seat]:
    """What `run_one` opens for a session."""
    run = new_run_id(datetime.now(UTC), secrets.token_hex(4))
    agent = tools.agent(spec)
    with (
        tools.line(run, BATCH, spec, agent.needs) as line,
        tools.workspaces.open(spec.scenario, image) as workspace,
    ):
        if line is None:
            raise RuntimeError("a tool loop got no line")
        mounts = (workspace.mount,)
        marks = tools.marks(run, BATCH, spec.scenario.limits)
        box_spec = tools.box_spec(marks, Purpose.WORK, spec.scenario, image, mounts)
        with tools.sandboxes.open(box_spec) as box:
            yield Seat(run, spec, agent, box, line)


def _alone(
    tools: Tools, settings: Settings, spec: RunSpec, image: PreparedImage, size: tuple[int, int]
) -> tuple[float, ...]:
    """Sessions one after another, whose provider answers at once; the first one warms up."""
    turns, rounds = size
    with provider(settings, looping(turns)) as fast, fast.gateway() as gateway:
        found = []
        for _ in range(rounds + 1):
            with seat(replace(tools, models=gateway), spec, image) as taken:
                found.append(taken.work().duration_s)
    return tuple(found[1:])


def _all_at_once(seats: Sequence[Seat]) -> list[Session]:
    together = Barrier(len(seats))

    def work(taken: Seat) -> Session:
        together.wait()
        return taken.work()

    with ThreadPoolExecutor(len(seats)) as pool:
        return list(pool.map(work, seats))


def _time_replay(
    tools: Tools, seats: Sequence[Seat], sessions: Sequence[Session], turns: int
) -> Figure:
    """Each recording is played in the sandbox that it was made in."""
    played = []
    for taken in seats:
        access = replace(taken.line.access, replay=taken.line.recording())
        with tools.models.open(access) as line:
            played.append(taken.work(line).duration_s)
    return Figure(
        f"a tool loop of {turns} turns, played from its recording",
        tuple(played),
        f"as it was recorded, {THINKING_S:g} s of thinking a turn",
        tuple(session.duration_s for session in sessions),
    )


def _held_by_boxes(settings: Settings) -> int:
    """What the engine counts for our sandboxes, without the files' cache that can go."""
    api = wiring.open_engine(settings).api
    labels = {"label": f"{OWNER_LABEL}={this_process()}"}
    found = [
        api.stats(container["Id"], stream=False, one_shot=True)["memory_stats"]
        for container in api.containers(filters=labels)
    ]
    return sum(_held(stats) for stats in found)


def _held(stats: dict[str, Any]) -> int:
    details = stats.get("stats", {})
    # the two generations of control groups name it differently
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    return int(stats["usage"]) - int(cache)


def _bytes(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * KIB if found else 0
