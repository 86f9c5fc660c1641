"""Everything a run works with, chosen by `wiring` or by a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from harness.agents.base import Agent
from harness.domain.changes import Changes
from harness.domain.ids import LABEL, RunId, container_name
from harness.domain.record import RunRecord, TreeRef
from harness.domain.scenario import Network, Scenario
from harness.domain.spec import RunSpec
from harness.evaluate import Evaluator
from harness.sandbox.base import (
    BoxSpec,
    Images,
    PreparedImage,
    Purpose,
    Sandboxes,
    Workspace,
    Workspaces,
)
from harness.store.base import Artifacts, Store


class Ledger(Protocol):
    """Keeps the final tree of every run."""

    def record(self, run: RunId, scenario: Scenario, changes: Changes) -> TreeRef:
        """Keep a tree: a fixture and what was changed in it."""
        ...


class Watch(Protocol):
    """Whoever looks on while runs go by."""

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
    watch: Watch
    now: Callable[[], datetime]
    random: Callable[[], str]
    owner: str
    """Who made what is found lying about later."""

    def box_spec(
        self,
        run: RunId,
        purpose: Purpose,
        scenario: Scenario,
        image: PreparedImage,
        workspace: Workspace,
    ) -> BoxSpec:
        """The container of a run for one purpose."""
        return BoxSpec(
            name=container_name(run, purpose.value),
            image=image,
            purpose=purpose,
            limits=scenario.limits,
            network=scenario.network if purpose is Purpose.WORK else Network.NONE,
            mounts=(workspace.mount,),
            labels={LABEL: purpose.value, f"{LABEL}.run": run, f"{LABEL}.owner": self.owner},
        )
