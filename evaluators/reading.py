"""Looks into texts that an agent wrote, in a process that can be ended."""

from __future__ import annotations

from collections.abc import Sequence

from harness.load.searching import Searcher


class Reader(Searcher):
    """Reads values out of files too."""

    answers = "evaluators.reading_worker"

    def value(self, name: str, text: str, path: Sequence[str | int]) -> str | None:
        """The canonical JSON of what is at a path, None for nothing; raises UnreadableError."""
        found = self._ask({"name": name, "text": text, "path": path})
        return None if found is None else str(found)
