"""What no further run of a batch begins beyond: a time, and room on the disks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SELDOM_S = 300.0


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

    def reached(self) -> str | None:
        """Why no further run may begin."""
        if self.most_s is not None and self.clock() - self.began >= self.most_s:
            return f"the batch's time is over: it had {self.most_s:g} s"
        full = self._full()
        if full and self.make_room:
            self.make_room()
            full = self._full()
        return full

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
