"""Ctrl-C and SIGTERM: runs under way are ended first, then stopped, and never amid a clean-up.

Only the main thread hears a signal. Where a batch runs, the first one drains it: nothing new
begins. The second one stops it: every thread that works raises Interrupted once, at its next
`check`. Anywhere else the first signal raises Interrupted at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.errors import Interrupted

FURTHER = 2
"""So many signals after the one that stops end the command as it is."""

DRAINING = "ending the runs under way, and beginning no more; once more to stop them"
STOPPING = "cleaning up; a moment, or once more to leave everything as it is"


class Interrupts:
    """Signals as they arrive; one per process, because signals are."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._lock = threading.Lock()
        self._cuts: dict[object, Callable[[], None]] = {}
        self._batches = 0
        self._pending = False
        self._further = 0
        self.draining = False
        """Nothing new is to begin."""
        self.stopping = False
        """What is under way is to end."""

    def arrived(self) -> str | None:
        """Act on a signal: raise Interrupted for the first one where no batch runs.

        It is raised when no shield is up. Returns what to tell who sent it.
        """
        if self.stopping or self._pending:
            self._further += 1
            return STOPPING
        if self._batches and not self.draining:
            self.draining = True
            return DRAINING
        if self._batches:
            self.stopping = True
            return STOPPING
        if self._shields:
            self._pending = True
            return None
        self.stopping = self._own.told = True
        raise Interrupted

    def forget(self) -> None:
        """Begin anew: this process was told to end one thing, and is given another to do."""
        self.stopping = self.draining = self._pending = False
        self._further = 0
        self._own.told = False

    @property
    def hopeless(self) -> bool:
        """Who sent a third signal waits no longer."""
        return self._further >= FURTHER

    def check(self) -> None:
        """Raise Interrupted, once in each thread, when what is under way is to end."""
        if self.stopping and not self._shields and not self._told:
            self._own.told = True
            raise Interrupted

    @contextmanager
    def drained(self) -> Iterator[None]:
        """A batch that the first signal drains; it has to look at `draining` and `stopping`."""
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1

    @contextmanager
    def cutting(self, cut: Callable[[], None]) -> Iterator[None]:
        """A block that waits for somebody else; `cut`, from another thread, ends the wait."""
        if self._shields or self._told:
            # what is put in order may take its time
            yield
            return
        self.check()
        key = object()
        with self._lock:
            self._cuts[key] = cut
        try:
            yield
        finally:
            with self._lock:
                del self._cuts[key]

    def cut(self) -> None:
        """End every wait."""
        with self._lock:
            cuts = list(self._cuts.values())
        for cut in cuts:
            cut()

    @contextmanager
    def shield(self) -> Iterator[None]:
        """A block that no signal interrupts; one that came meanwhile is raised at its end."""
        self._own.shields = self._shields + 1
        try:
            yield
        finally:
            self._own.shields -= 1
        if self._pending and not self._shields and not self.stopping:
            self.stopping = self._own.told = True
            raise Interrupted

    @property
    def _shields(self) -> int:
        return getattr(self._own, "shields", 0)

    @property
    def _told(self) -> bool:
        return getattr(self._own, "told", False)


INTERRUPTS = Interrupts()
shield = INTERRUPTS.shield
