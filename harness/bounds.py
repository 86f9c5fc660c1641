"""What no further run of a batch begins beyond: a time, and room on the disks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


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

    def reached(self) -> str | None:
        """Why no further run may begin."""
        if self.most_s is not None and self.clock() - self.began >= self.most_s:
            return f"the batch's time is over: it had {self.most_s:g} s"
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
