"""The figure in what a benchmark prints, found in a process that can be ended.

The output is an agent's, and an author's expression may go back over it for ever.
"""

from __future__ import annotations

import re
from typing import Any

from harness.load.searching import Searcher


class Figures(Searcher):
    """Looks for the first group of an expression."""

    answers = "evaluators.figures"

    def figure(self, metric: str, text: str) -> str:
        """What the group holds, or nothing; raises UnreadableError."""
        return str(self._ask({"metric": metric, "text": text}))


def answer(question: dict[str, Any]) -> str:
    """The group of the first match, in the process."""
    found = re.search(question["metric"], question["text"])
    return (found[1] or "") if found and found.lastindex else ""
