"""What no further run of a batch begins beyond: a time, and room on the disks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.interrupts import INTERRUPTS

SELDOM_S = 300.0
AWAY_S = 120.0
"""An engine that is restarted comes back in seconds, with many containers in a minute or two."""
LOOK_S = 1.0


@dataclass(slots=True)
class Seldom:
    """Does something, and not again for a while, however often it is asked to."""

    act: Callable[[], None]
    every_s: float = SELDOM_S
    clock: Callable[[], float] = time.monotonic
    _last: float | None = None

    def __call__(self) -> None:
        """Do it, unless it was done lately."""
        now = self.clock()
        if self._last is None or now - self._last >= self.every_s:
            self._last = now
            self.act()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Looked at before each run; what is under way ends as it would."""

    most_s: float | None = None
    """Since the command began; a clock that is set anew changes nothing."""
    min_free_bytes: int = 0
    folders: Sequence[Path] = ()
    """What the disks are told by that have to keep so much room."""
    clock: Callable[[], float] = time.monotonic
    began: float = field(default_factory=time.monotonic)
    make_room: Callable[[], None] | None = None
    """Asked where a disk is too full, before that ends the batch."""

    engine: Callable[[], str | None] = lambda: None
    """Why the engine does not answer, if it does not."""
    sleep: Callable[[float], None] = time.sleep

    def reached(self) -> str | None:
        """Why no further run may begin; an engine that is away is waited for."""
        if self.most_s is not None and self.clock() - self.began >= self.most_s:
            return f"the batch's time is over: it had {self.most_s:g} s"
        full = self._full()
        if full and self.make_room:
            self.make_room()
            full = self._full()
        return full or self._away()

    def _away(self) -> str | None:
        """Without this every run of a batch would fault while an engine is restarted."""
        until = None
        while (why := self.engine()) and not INTERRUPTS.draining:
            until = self.clock() + AWAY_S if until is None else until
            if self.clock() >= until:
                return f"the Docker engine did not come back within {AWAY_S:g} s: {why}"
            self.sleep(LOOK_S)
        return None

    def _full(self) -> str | None:
        for folder in self.folders:
            free = _free_bytes(folder)
            if free is not None and free < self.min_free_bytes:
                return (
                    f"{folder} has {free:,} bytes left, and runs begin only while it has"
                    f" {self.min_free_bytes:,} (--min-free-disk)"
                )
        return None


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        # it is not there yet, or not for us to see
        return None
