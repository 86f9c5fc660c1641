"""Looks into texts in a process that can be ended.

Regular expressions may backtrack for ever and parsers may need all memory there is; texts and
patterns are a stranger's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from threading import Timer
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self

from harness.load.patterns import Dialect

DEADLINE_S = 10.0
BUDGET_S = 60.0
START_S = 60.0
_WORKER = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from importlib import import_module
from harness.load.search_worker import serve
serve(import_module(sys.argv[2]).answer, sys.stdin.buffer, sys.stdout.buffer)
"""


class UnreadableError(Exception):
    """A text could not be looked through, so nothing is known of it."""


class Found(NamedTuple):
    """The first match: in which of the texts, on which line, and what."""

    which: int
    line: int
    text: str


class Searcher:
    """One process for many questions, begun with the first; `with` ends it."""

    answers: ClassVar[str] = "harness.load.search_worker"
    """The module whose `answer` the process asks."""

    def __init__(
        self,
        *,
        deadline_s: float = DEADLINE_S,
        budget_s: float = BUDGET_S,
        python: str = sys.executable,
    ) -> None:
        self._deadline_s = deadline_s
        self._left_s = budget_s
        self._python = python
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def find(
        self, dialect: Dialect, pattern: str, texts: Sequence[str], *, flags: str = ""
    ) -> Found | None:
        """The first match in any of the texts; raises UnreadableError."""
        asked = {"dialect": dialect, "pattern": pattern, "flags": flags, "texts": texts}
        found = self._ask(asked)
        return Found(*found) if found else None

    def _ask(self, question: Mapping[str, object]) -> Any:  # noqa: ANN401  # what the worker says
        allowed_s = min(self._deadline_s, self._left_s)
        if allowed_s <= 0:
            raise UnreadableError("the time for looking through files is used up")
        worker = self._worker = self._worker or _start(self._python, self.answers)
        began = time.monotonic()
        line = _exchange(worker, json.dumps(question).encode() + b"\n", allowed_s)
        took_s = time.monotonic() - began
        self._left_s -= took_s
        if not line.endswith(b"\n"):
            self._end()
            why = f"took over {allowed_s:.2g} s" if took_s >= allowed_s else "broke the reader"
            raise UnreadableError(why)
        answer = json.loads(line)
        if "error" in answer:
            raise UnreadableError(answer["error"])
        return answer["found"]

    def _end(self) -> None:
        if self._worker:
            self._worker.kill()
            self._worker.communicate()
            self._worker = None


def _start(python: str, answers: str) -> subprocess.Popen[bytes]:
    worker = subprocess.Popen(
        [python, "-I", "-c", _WORKER, json.dumps(sys.path), answers],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,  # an interrupt at the terminal is not the stranger's doing
    )
    if not _exchange(worker, b"", START_S):
        worker.kill()
        worker.communicate()
        # no text was looked at yet, so this is nobody's score
        raise RuntimeError("the process that reads files did not start")
    return worker


def _exchange(worker: subprocess.Popen[bytes], question: bytes, allowed_s: float) -> bytes:
    """The worker's line, or less when it ended or had to be ended."""
    if worker.stdin is None or worker.stdout is None:
        raise AssertionError
    timer = Timer(allowed_s, worker.kill)
    timer.start()
    try:
        worker.stdin.write(question)
        worker.stdin.flush()
        return worker.stdout.readline()
    except BrokenPipeError:
        return b""
    finally:
        timer.cancel()
        timer.join()
