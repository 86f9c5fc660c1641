"""Scenarios, specs and tools with everything filled in; say only what a test is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from harness.agents.base import Agent, Needs, Outcome, Task, Workbench
from harness.domain.changes import Changes
from harness.domain.ids import BatchId, Digest, RunId
from harness.domain.record import RunRecord, TreeRef
from harness.domain.scenario import (
    CheckSpec,
    Command,
    Digests,
    ImageSource,
    Limits,
    Network,
    Oracle,
    Prompt,
    Scenario,
)
from harness.domain.spec import AgentRef, RunSpec
from harness.evaluate import Evaluator
from harness.gateway.base import Gateway
from harness.testing.gateway import FakeGateway, FakePrograms, no_chat
from harness.testing.sandbox import Answer, FakeImages, FakeSandboxes, FakeWorkspaces
from harness.testing.store import MemoryArtifacts, MemoryStore
from harness.tools import Halt, Tools

START = datetime(2026, 1, 1, tzinfo=UTC)


def a_scenario(
    folder: Path,
    *,
    files: Mapping[str, str] | None = None,
    checks: tuple[CheckSpec, ...] = (CheckSpec("build", "build", 1.0),),
    oracle: Oracle | None = None,
) -> Scenario:
    """A scenario with one file, one command and one check, written below `folder`."""
    fixture = folder / "repo-fixture"
    for name, text in (files or {"app.py": "x = 1\n"}).items():
        path = fixture / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    digest = Digest("1" * 64)
    return Scenario(
        suite="suite",
        id="scenario",
        title="A scenario",
        description="",
        folder=folder,
        fixture=fixture,
        image=ImageSource(),
        limits=Limits(),
        network=Network.NONE,
        threshold=0.7,
        checks=checks,
        validation=(Command("build", "make build"),),
        prompts=(Prompt("L1", folder / "L1.md", "Please mend it."),),
        oracle=oracle or Oracle(),
        digests=Digests(digest, digest, digest, digest),
    )


def a_spec(scenario: Scenario, agent: str = "fake") -> RunSpec:
    """The first cell of a scenario."""
    return RunSpec(scenario, scenario.prompts[0], AgentRef(agent))


@dataclass(slots=True)
class FakeAgent:
    """Does what a function says."""

    act: Callable[[Task, Workbench], Outcome] = lambda _task, _bench: Outcome()
    simulated: bool = True
    needs: Needs = field(default_factory=Needs)

    def work(self, task: Task, bench: Workbench) -> Outcome:
        """Call the function."""
        return self.act(task, bench)


@dataclass(slots=True)
class FakeLedger:
    """Remembers the changes of every run."""

    recorded: dict[RunId, Changes] = field(default_factory=dict)

    def record(self, run: RunId, scenario: Scenario, changes: Changes) -> TreeRef:
        """Remember; the fixture's digest stands for its commit."""
        self.recorded[run] = changes
        return TreeRef(
            scenario.digests.fixture, f"commit-of-{run}", len(changes), 0, 0, changes.left_out
        )

    def diff(self, ref: TreeRef) -> bytes:
        """Every changed file as if it were new."""
        run = RunId(ref.commit.removeprefix("commit-of-"))
        parts = []
        for change in self.recorded[run]:
            name, lines = change.path.decode(), change.data.decode().splitlines()
            head = f"diff --git a/{name} b/{name}\nnew file mode 100644\n"
            body = "".join(f"+{line}\n" for line in lines)
            parts.append(f"{head}--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(lines)} @@\n{body}")
        return "".join(parts).encode()


@dataclass(slots=True)
class FakeWatch:
    """Remembers what it was told."""

    lines: list[str] = field(default_factory=list)

    def planned(self, batch: BatchId, runs: int, jobs: int) -> None:
        """A command begins."""
        self.lines.append(f"planned {batch} {runs} {jobs}")

    def halts(self, halt: Halt, why: str) -> None:
        """No further run begins."""
        self.lines.append(f"halts {halt} {why}")

    def began(self, run: RunId, spec: RunSpec) -> None:
        """A run begins."""
        self.lines.append(f"began {run} {spec.cell.scenario}")

    def stage(self, run: RunId, name: str) -> None:
        """A stage begins."""
        del run
        self.lines.append(name)

    def tell(self, run: RunId, text: str) -> None:
        """A word."""
        del run
        self.lines.append(text)

    def ended(self, record: RunRecord) -> None:
        """The run is stored."""
        self.lines.append(f"ended {record.id} {record.status}")

    def refused(self, run: RunId, why: str) -> None:
        """The run is not stored."""
        self.lines.append(f"refused {run} {why}")


@dataclass(frozen=True, slots=True)
class Fakes:
    """Tools, and the fakes behind them for a test to look at."""

    tools: Tools
    sandboxes: FakeSandboxes
    ledger: FakeLedger
    store: MemoryStore
    watch: FakeWatch


def some_tools(
    evaluators: Mapping[str, Evaluator],
    *,
    agent: Agent | None = None,
    answers: Mapping[str, Answer] | None = None,
    models: Gateway | None = None,
) -> Fakes:
    """Everything that a run needs, without Docker, network, clock or disk."""
    ticks, names = count(), count(1)
    workspaces = FakeWorkspaces()
    sandboxes = FakeSandboxes(workspaces, answers or {})
    ledger, store, watch = FakeLedger(), MemoryStore(), FakeWatch()
    worker = agent or FakeAgent()
    tools = Tools(
        images=FakeImages(),
        sandboxes=sandboxes,
        workspaces=workspaces,
        ledger=ledger,
        store=store,
        artifacts=MemoryArtifacts(),
        agent=lambda _spec: worker,
        evaluators=evaluators,
        models=models or FakeGateway(),
        chat=no_chat,
        programs=FakePrograms(),
        watch=watch,
        now=lambda: START + timedelta(seconds=next(ticks)),
        random=lambda: f"{next(names):08x}",
        owner="test",
    )
    return Fakes(tools, sandboxes, ledger, store, watch)
