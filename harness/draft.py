"""A run in the making: what it has so far becomes its record, however it ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

from harness.domain.application import Application
from harness.domain.failures import cause_of
from harness.domain.ids import BatchId, RunId
from harness.domain.record import CheckResult, CommandResult, Fault, Maker, RunRecord, TreeRef
from harness.domain.scoring import is_success, total_score
from harness.domain.session import Session
from harness.domain.spec import RunSpec
from harness.interrupts import INTERRUPTS
from harness.tools import Watch


@dataclass(slots=True)
class Draft:
    """Filled in stage by stage."""

    id: RunId
    batch: BatchId
    spec: RunSpec
    started_at: datetime
    watch: Watch
    maker: Maker | None = None
    simulated: bool = False
    session: Session | None = None
    tree: TreeRef | None = None
    commands: tuple[CommandResult, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    application: Application | None = None
    stage: str = "plan"
    _since: float = field(default_factory=time.monotonic)
    _stages_s: list[tuple[str, float]] = field(default_factory=list)

    def enter(self, stage: str) -> None:
        """A new stage begins; the one before is timed."""
        INTERRUPTS.check()
        self._close()
        self.stage = stage
        self.watch.stage(self.id, stage)

    def tell(self, text: str) -> None:
        """Pass a word on to whoever looks on."""
        INTERRUPTS.check()
        self.watch.tell(self.id, text)

    def record(self, now: datetime, error: BaseException | None = None) -> RunRecord:
        """The record: scored, or with the fault that `error` was."""
        self._close()
        fault = None
        if error is not None:
            message = f"{type(error).__name__}: {error}".rstrip(": ")
            fault = Fault(cause_of(error, self.stage), self.stage, message)
        total = None if fault else total_score(self.checks)
        threshold = self.spec.scenario.threshold
        return RunRecord(
            id=self.id,
            batch=self.batch,
            cell=self.spec.cell,
            iteration=self.spec.iteration,
            spec_digest=self.spec.digest,
            task_digest=self.spec.task_digest,
            started_at=self.started_at,
            finished_at=now,
            threshold=threshold,
            simulated=self.simulated,
            session=self.session,
            tree=self.tree,
            commands=self.commands,
            checks=self.checks,
            total_score=total,
            passed=is_success(self.checks, total, threshold),
            fault=fault,
            settings=self.spec.agent.settings,
            budget=self.spec.budget,
            user=self.spec.user,
            stages_s=tuple(self._stages_s),
            grading=self.spec.grading,
            application=self.application,
            maker=self.maker,
        )

    def _close(self) -> None:
        now = time.monotonic()
        self._stages_s.append((self.stage, now - self._since))
        self._since = now
