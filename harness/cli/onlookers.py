"""Several who look on while runs go by."""

from __future__ import annotations

from collections.abc import Sequence

from harness.domain.ids import BatchId, RunId
from harness.domain.record import RunRecord
from harness.domain.spec import RunSpec
from harness.tools import Halt, Watch


class Onlookers:
    """Tells each of them everything, in their order."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = tuple(watches)

    def planned(self, batch: BatchId, runs: int, jobs: int) -> None:
        """A command begins."""
        for watch in self._watches:
            watch.planned(batch, runs, jobs)

    def halts(self, halt: Halt, why: str) -> None:
        """No further run begins."""
        for watch in self._watches:
            watch.halts(halt, why)

    def began(self, run: RunId, spec: RunSpec) -> None:
        """A run begins."""
        for watch in self._watches:
            watch.began(run, spec)

    def stage(self, run: RunId, name: str) -> None:
        """A stage of the run begins."""
        for watch in self._watches:
            watch.stage(run, name)

    def tell(self, run: RunId, text: str) -> None:
        """Something worth a glance within the stage."""
        for watch in self._watches:
            watch.tell(run, text)

    def ended(self, record: RunRecord) -> None:
        """The run is stored."""
        for watch in self._watches:
            watch.ended(record)

    def refused(self, run: RunId, why: str) -> None:
        """The run is not stored."""
        for watch in self._watches:
            watch.refused(run, why)
