"""Ctrl-C and SIGTERM unwind through every `with`, but wait where something is put in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import Interrupted


class Interrupts:
    """Signals as they arrive; one per process, because signals are."""

    def __init__(self) -> None:
        self._shields = 0
        self._pending = False
        self._raised = False

    def arrived(self) -> bool:
        """Act on a signal: raise Interrupted for the first, now or when no shield is up.

        Returns True when the command is already stopping and can only be waited for.
        """
        if self._raised or self._pending:
            return True
        if self._shields:
            self._pending = True
            return False
        self._raised = True
        raise Interrupted

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
