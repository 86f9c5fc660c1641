"""Transcripts as artefacts: one JSON object per line, kept beside the record and not in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from harness.domain.artifact import Artifact
from harness.domain.session import Entry, Role, Session
from harness.errors import StoreFault
from harness.store.base import Artifacts

NAME = "transcript.jsonl"

Put = Callable[[str, bytes], Artifact]


def keep(entries: Iterable[Entry], put: Put) -> Artifact:
    """The entries as lines of ASCII: halves of characters and control characters survive."""
    return put(NAME, "".join(f"{_line(entry)}\n" for entry in entries).encode("ascii"))


def read(session: Session, artifacts: Artifacts) -> tuple[Entry, ...]:
    """What was said and called, wherever it is kept; raises StoreFault when that is damaged."""
    if session.log is None:
        return session.transcript
    lines = artifacts.get(session.log).split(b"\n")
    return tuple(_entry(line, at) for at, line in enumerate(lines, 1) if line)


def row(entry: Entry) -> Mapping[str, object]:
    """An entry as other programs read it, its keys in an order that stays."""
    return {
        "at_s": entry.at_s,
        "role": entry.role.value,
        "tool": entry.tool,
        "is_error": entry.is_error,
        "text": entry.text,
    }


def _line(entry: Entry) -> str:
    return json.dumps(row(entry), separators=(",", ":"), allow_nan=False)


def _entry(line: bytes, number: int) -> Entry:
    try:
        raw = json.loads(line)
        entry = Entry(
            role=Role(raw["role"]),
            text=raw["text"],
            at_s=raw["at_s"],
            tool=raw["tool"],
            is_error=raw["is_error"],
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(number, f"{type(error).__name__}: {error}") from error
    if not _is_whole(entry):
        raise _damaged(number, "a value is of another kind")
    return entry


def _is_whole(entry: Entry) -> bool:
    return (
        isinstance(entry.text, str)
        and isinstance(entry.at_s, int | float)
        and isinstance(entry.is_error, bool)
        and isinstance(entry.tool, str | None)
    )


def _damaged(number: int, why: str) -> StoreFault:
    return StoreFault(
        f"line {number} of {NAME} is not an entry of a transcript: {why}; restore the artefact"
        " from a copy, or repeat the run"
    )
