"""Ctrl-C and SIGTERM unwind through every `with`, but wait where something is put in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import Interrupted

FURTHER = 2
"""So many signals after the first end the command as it is."""


class Interrupts:
    """Signals as they arrive; one per process, because signals are."""

    def __init__(self) -> None:
        self._shields = 0
        self._pending = False
        self._raised = False
        self._further = 0

    def arrived(self) -> bool:
        """Act on a signal: raise Interrupted for the first, now or when no shield is up.

        Returns True when the command is already stopping: it can be waited for, or killed.
        """
        if self._raised or self._pending:
            self._further += 1
            return True
        if self._shields:
            self._pending = True
            return False
        self._raised = True
        raise Interrupted

    @property
    def hopeless(self) -> bool:
        """Who sent a third signal waits no longer."""
        return self._further >= FURTHER

    @contextmanager
    def shield(self) -> Iterator[None]:
        """A block that no signal interrupts; one that came meanwhile is raised at its end."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._pending and not self._shields and not self._raised:
            self._raised = True
            raise Interrupted


INTERRUPTS = Interrupts()
shield = INTERRUPTS.shield
