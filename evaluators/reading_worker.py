"""The process behind `reading`: a question a line, an answer a line."""

from __future__ import annotations

import json
import resource
from typing import Any, BinaryIO

from evaluators.structured import value_at
from harness.load.patterns import Dialect, finder

MEMORY_BYTES = 2 * 1024**3
SHOWN_CHARS = 120


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there is no further question."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    answers.write(b"ready\n")
    answers.flush()
    for line in questions:
        answers.write(json.dumps(_answer(json.loads(line))).encode() + b"\n")
        answers.flush()


def _answer(question: dict[str, Any]) -> dict[str, object]:
    try:
        if "pattern" in question:
            return {"found": _find(question)}
        return {"found": value_at(question["name"], question["text"], question["path"])}
    except Exception as error:  # noqa: BLE001  # an agent wrote the text: the asker hears of it
        return {"error": f"{type(error).__name__} {error!s:.200}"}


def _find(question: dict[str, Any]) -> tuple[int, int, str] | None:
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
