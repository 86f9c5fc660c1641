"""Results for people and programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from snapkeep.retention import Decision

_RED, _GREEN, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"


def render_plan(decisions: Sequence[Decision], output_format: str, color: bool) -> str:
    """The plan, one backup a line, or one JSON list."""
    if output_format == "json":
        content = [
            {"name": item.snapshot.path.name, "keep": item.keep, "reasons": list(item.reasons)}
            for item in decisions
        ]
        return json.dumps(content, indent=2)
    return "\n".join(_line(item, color) for item in decisions)


def render_prune(removed: int, kept: int, output_format: str) -> str:
    if output_format == "json":
        return json.dumps({"removed": removed, "kept": kept})
    return f"removed {removed}, kept {kept}"


def _line(item: Decision, color: bool) -> str:
    word = "keep" if item.keep else "remove"
    if color:
        word = f"{_GREEN if item.keep else _RED}{word}{_PLAIN}{' ' * (6 - len(word))}"
    reasons = "  " + ", ".join(item.reasons) if item.reasons else ""
    return f"{word:<6}  {item.snapshot.path.name}{reasons}"
