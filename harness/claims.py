"""Which planned runs this process makes, so that no other makes them too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from harness.domain.ids import BatchId
from harness.domain.spec import RunSpec
from harness.errors import StoreFault
from harness.log import log
from harness.store.base import Planned, Store

HOLDS = timedelta(minutes=4)
"""So long a claim stands whose owner is not heard of; on its own machine, until its owner ends."""
BEAT_S = 30.0


class Claims:
    """Taken before a run is made, ended by its record; a thread moves their time on meanwhile."""

    def __init__(
        self,
        store: Store,
        batch: BatchId,
        owner: str,
        now: Callable[[], datetime],
        alive: Callable[[str], bool],
        beat: Callable[[], None] | None = None,
    ) -> None:
        """`beat` is done as often as the claims are moved on."""
        self._store = store
        self._batch = batch
        self._owner = owner
        self._now = now
        self._alive = alive
        self._beat = beat
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="claims", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def take(self, spec: RunSpec) -> bool:
        """Whether the run is now ours to make."""
        now = self._now()
        return self._store.claim(
            self._batch, _planned(spec), self._owner, now, now + HOLDS, self._alive
        )

    def give_back(self, spec: RunSpec) -> None:
        """It was not made after all, and anybody may."""
        self._store.release(self._batch, _planned(spec), self._owner)

    def elsewhere(self) -> int:
        """So many runs of the batch are being made by others now."""
        now = self._now()
        return sum(
            claim.owner != self._owner and claim.until > now and self._alive(claim.owner)
            for claim in self._store.claims(self._batch)
        )

    def _go_on(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                self._store.renew(self._owner, self._now() + HOLDS)
                if self._beat:
                    self._beat()
            except StoreFault as error:
                # the next beat may reach it; until then the claims stand
                log().warning("claims_not_renewed", batch=self._batch, error=str(error))


def _planned(spec: RunSpec) -> Planned:
    return Planned(spec.cell, spec.iteration, spec.digest)
