"""The process behind `searching`: a question a line, an answer a line."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from typing import Any, BinaryIO

from harness.load.patterns import Dialect, finder

MEMORY_BYTES = 2 * 1024**3
SHOWN_CHARS = 120

Question = dict[str, Any]


def serve(answer: Callable[[Question], object], questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there is no further question."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    answers.write(b"ready\n")
    answers.flush()
    for line in questions:
        answers.write(json.dumps(_said(answer, json.loads(line))).encode() + b"\n")
        answers.flush()


def _said(answer: Callable[[Question], object], question: Question) -> dict[str, object]:
    try:
        return {"found": answer(question)}
    except Exception as error:  # noqa: BLE001  # a stranger wrote the text: the asker hears of it
        return {"error": f"{type(error).__name__} {error!s:.200}"}


def answer(question: Question) -> tuple[int, int, str] | None:
    """The first match of a pattern: in which text, on which line, and what."""
    find = finder(Dialect(question["dialect"]), question["pattern"], question["flags"])
    for index, text in enumerate(question["texts"]):
        if span := find(text):
            begin, end = span
            return (
                index,
                text.count("\n", 0, begin) + 1,
                text[begin : min(end, begin + SHOWN_CHARS)],
            )
    return None
