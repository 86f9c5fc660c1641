"""A person's marks in a file, for `bench grade --from`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import BadFile
from harness.load.files import read_document
from harness.load.schema import schema_problems

MARKS = "marks.schema.json"


@dataclass(frozen=True, slots=True)
class MarksFile:
    """Marks by category, and what the person has to say."""

    scores: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


def load_marks(path: Path) -> MarksFile:
    """The marks as they are written; whether the rubric has the categories is not asked here."""
    document = read_document(path)
    if problems := schema_problems(document.value, MARKS):
        raise BadFile(path, document.report(problems))
    value: Any = document.value
    return MarksFile(value["scores"], value.get("note", ""))
