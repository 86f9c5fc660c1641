"""Outlines of runs: the columns that they are kept in, and how they are read from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
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

_COLUMNS = (
    *("id", "batch", "cell", "iteration", "status", "cause", "total_score", "threshold", "passed"),
    *("simulated", "cost_usd", "task_digest", "fixture", "faulted", "partly_graded", "session_s"),
    *("graders", "check_scores", "asked", "judging", "reused"),
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


class OutlineReader:
    """Reads rows of OUTLINE_ROWS; what many say alike is read, and kept, once."""

    def __init__(self) -> None:
        self._cells: dict[str, Cell] = {}
        self._graders: dict[str, tuple[Grader, ...]] = {}
        self._asked: dict[str, Asked] = {}

    def read(self, row: Row[*tuple[Any, ...]]) -> Outline:
        """One run; raises one of MISREAD when its outline was never written."""
        run, batch, cell, iteration, status, cause, score, threshold, passed, *more = row
        simulated, cost_usd, task, fixture, faulted, partly_graded, seconds, *more = more
        graders, check_scores, asked, judging, reused, *tokens = more
        return Outline(
            id=run,
            batch=BatchId(intern(batch)),
            cell=self._cells.get(cell) or self._cell(cell),
            iteration=iteration,
            task_digest=Digest(intern(task)),
            fixture=intern(fixture),
            threshold=threshold,
            simulated=simulated,
            status=intern(status),
            cause=None if cause is None else Cause(cause),
            faulted=faulted,
            partly_graded=partly_graded,
            passed=passed,
            total_score=score,
            graders=self._graders.get(graders) or self._checks(graders),
            check_scores=tuple(json.loads(check_scores)),
            seconds=seconds,
            usage=None if tokens[0] is None else Usage(*tokens),
            cost_usd=cost_usd,
            asked=self._asked.get(asked) or self._how(asked),
            judging=() if judging == NONE else decode(Uses, f'{{"uses":{judging}}}').uses,
            reused=None if reused is None else decode(Origin, reused),
        )

    def _cell(self, text: str) -> Cell:
        return self._cells.setdefault(text, decode(Cell, text))

    def _checks(self, text: str) -> tuple[Grader, ...]:
        return self._graders.setdefault(text, tuple(Grader(*each) for each in json.loads(text)))

    def _how(self, text: str) -> Asked:
        return self._asked.setdefault(text, decode(Asked, text))
