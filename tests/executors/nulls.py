"""Tools of a node without an engine: the real store and real artefacts, fakes for the rest."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import ray

from harness import wiring
from harness.agents.base import Outcome, Task, Workbench
from harness.domain.ids import BatchId
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, scored
from harness.executors.node import Place
from harness.gateway.budget import Purse
from harness.settings import Settings
from harness.testing.builders import FakeAgent, some_tools
from harness.tools import Tools, Watch

TAKES_S = 0.1
ENDLESS = "endless"
"""A file of the project, with the id of a node: what runs there works for minutes."""
BEGUN = "begun"
"""A folder of the project: a file for each time that an agent began, with its node."""


class ByAnswer:
    """Scores what the agent wrote: 0 to 1, by a number from 0 to 4."""

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        answer = next((c.data for c in evidence.changes if c.path == b"answer.txt"), b"0")
        return scored(check, int(answer) / 4)


def null_tools(settings: Settings, watch: Watch) -> Tools:
    """A run's score follows from its iteration, wherever it is made."""
    begun = settings.root / BEGUN
    node = ray.get_runtime_context().get_node_id() if ray.is_initialized() else "here"

    def act(task: Task, bench: Workbench) -> Outcome:
        name = f"{task.iteration}-{secrets.token_hex(4)}"
        (begun / name).write_text(node)
        bench.context.box.write("answer.txt", str(task.iteration % 5).encode())
        endless = settings.root / ENDLESS
        is_endless = endless.exists() and endless.read_text() in {node, "all"}
        # in one go: only a signal ends it before its time
        time.sleep(600.0 if is_endless else TAKES_S)
        return Outcome()

    checks = dict.fromkeys(wiring.evaluator_kinds(), ByAnswer())
    return replace(
        some_tools(checks, agent=FakeAgent(act)).tools,
        store=wiring.open_store(settings),
        artifacts=wiring.open_artifacts(settings),
        watch=watch,
        now=lambda: datetime.now(UTC),
        random=lambda: secrets.token_hex(4),
    )


def open_place(
    settings: Settings, watch: Watch, purses: Mapping[BatchId, Purse], replay: bytes | None
) -> Place:
    """What a node opens in these tests."""
    del purses, replay
    return Place(null_tools(settings, watch), [Path(settings.root)])
