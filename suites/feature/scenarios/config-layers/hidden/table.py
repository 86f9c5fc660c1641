"""One worker for all rows of a table; each row is still a test of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from grading import Raised


class Table:
    """Answers for a fixed list of rows, fetched at the first question."""

    def __init__(self, ask: Callable[[list[Any]], list[Any]], rows: Sequence[Any]) -> None:
        self._ask = ask
        self._rows = [json.dumps(row) for row in rows]
        self._answers: list[Any] | None = None
        self._raised: Raised | None = None

    def __getitem__(self, row: Any) -> Any:
        if self._raised is None and self._answers is None:
            try:
                self._answers = self._ask([json.loads(text) for text in self._rows])
            except Raised as error:
                self._raised = error
        if self._raised is not None:
            raise self._raised
        assert isinstance(self._answers, list), self._answers
        return self._answers[self._rows.index(json.dumps(row))]
