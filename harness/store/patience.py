"""Storing a run that cost minutes and money, where the database cannot take it just now."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.domain.ids import RunId
from harness.domain.record import RunRecord
from harness.errors import AlreadyStored, StoreFault
from harness.interrupts import INTERRUPTS
from harness.log import log
from harness.store.base import Store

PATIENCE_S = 300.0
PAUSE_S = 2.0


def save_patiently(store: Store, record: RunRecord, tell: Callable[[RunId, str], None]) -> None:
    """Store a run; a locked database or a full disk is tried again until somebody mended it.

    Raises StoreFault when nobody did for a while, or when somebody wants everything to stop.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            store.save(record)
        except AlreadyStored:
            # no time will change that
            raise
        except StoreFault as fault:
            if time.monotonic() >= until or INTERRUPTS.stopping:
                raise
            log().warning("run_not_stored_yet", run=record.id, error=str(fault))
            tell(record.id, f"not stored yet, trying again: {fault}")
            time.sleep(PAUSE_S)
        else:
            return
