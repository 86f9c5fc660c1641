"""Outlines of runs: the columns that they are kept in, and how they are read from them."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from sys import intern
from typing import Any

from sqlalchemy import Row, select

from harness.domain.failures import Cause
from harness.domain.ids import BatchId, Digest
from harness.domain.model import Asked, ModelUse, Usage
from harness.domain.outline import Outline
from harness.domain.record import Cell, Grader, Origin, RunRecord
from harness.store.codec import decode, encode
from harness.store.schema import RUNS

NONE = "[]"
TOKENS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
"""In the order of Usage's fields."""
KNOWN = 1000
"""So many different rows of scores are kept to be found again."""

_COLUMNS = (
    *("id", "cell", "iteration", "task_digest", "fixture", "threshold", "simulated", "status"),
    *("cause", "faulted", "partly_graded", "passed", "total_score", "graders", "check_scores"),
    *("session_s", "cost_usd", "asked", "judging", "reused"),
    *TOKENS,
)

OUTLINE_ROWS = select(*(RUNS.c[name] for name in _COLUMNS))


@dataclass(frozen=True, slots=True)
class Uses:
    """What the judges of a run used."""

    uses: tuple[ModelUse, ...]


def outline_columns(record: RunRecord) -> Mapping[str, object]:
    """Those of a run's columns that only outlines need."""
    usage = record.usage
    return {
        "task_digest": record.task_digest,
        "fixture": record.fixture,
        "faulted": record.faulted,
        "partly_graded": record.partly_graded,
        "session_s": record.seconds,
        **{name: getattr(usage, name) if usage else None for name in TOKENS},
        "graders": _text(record.graders),
        "check_scores": _text(record.check_scores),
        "asked": encode(record.asked),
        "judging": f"[{','.join(map(encode, record.judging))}]",
        "reused": encode(record.reused) if record.reused else None,
    }


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector: nothing read is in a cycle, and to look takes as long as to read."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class OutlineReader:
    """Reads rows of OUTLINE_ROWS; what many say alike is read, and kept, once."""

    def __init__(self, batch: BatchId) -> None:
        """`batch` is the one that every row is of."""
        self._batch = batch
        self._cells: dict[str, Cell] = {}
        self._graders: dict[str, tuple[Grader, ...]] = {}
        self._scores: dict[str, tuple[float | None, ...]] = {}
        self._asked: dict[str, Asked] = {}

    def read(self, row: Row[*tuple[Any, ...]]) -> Outline:
        """One run; raises one of MISREAD when its outline was never written."""
        run, cell, iteration, task, fixture, threshold, simulated, status, *more = row
        cause, faulted, partly_graded, passed, score, graders, check_scores, *more = more
        seconds, cost_usd, asked, judging, reused, *tokens = more
        # by position, in the order of the fields: their names would take longer than all the rest
        return Outline(
            run,
            self._batch,
            self._cells.get(cell) or self._cell(cell),
            iteration,
            Digest(intern(task)),
            intern(fixture),
            threshold,
            simulated,
            intern(status),
            None if cause is None else Cause(cause),
            faulted,
            partly_graded,
            passed,
            score,
            self._graders.get(graders) or self._checks(graders),
            self._scores.get(check_scores) or self._each(check_scores),
            seconds,
            None if tokens[0] is None else Usage(*tokens),
            cost_usd,
            self._asked.get(asked) or self._how(asked),
            () if judging == NONE else decode(Uses, f'{{"uses":{judging}}}').uses,
            None if reused is None else decode(Origin, reused),
        )

    def _cell(self, text: str) -> Cell:
        return self._cells.setdefault(text, decode(Cell, text))

    def _checks(self, text: str) -> tuple[Grader, ...]:
        return self._graders.setdefault(text, tuple(Grader(*each) for each in json.loads(text)))

    def _each(self, text: str) -> tuple[float | None, ...]:
        scores = tuple(json.loads(text))
        # there is no end to what scores can be, and mostly they are 0 and 1
        return self._scores.setdefault(text, scores) if len(self._scores) < KNOWN else scores

    def _how(self, text: str) -> Asked:
        return self._asked.setdefault(text, decode(Asked, text))
