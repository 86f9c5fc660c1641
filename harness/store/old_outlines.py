"""Of migration step 4: the outlines of runs whose documents were stored before there were any.

Read as step 3 wrote them, whatever records have become since; of a damaged document there is no
outline, and whoever wants it hears so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

AT_ONCE = 500
TOKENS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
ASKED = ("settings", "budget", "user")

_NEXT = text("SELECT id, document FROM runs WHERE id > :last ORDER BY id LIMIT :some")
_WRITE = text(
    "UPDATE runs SET task_digest = :task_digest, fixture = :fixture, faulted = :faulted,"
    " partly_graded = :partly_graded, session_s = :session_s, input_tokens = :input_tokens,"
    " output_tokens = :output_tokens, cached_tokens = :cached_tokens,"
    " cache_write_tokens = :cache_write_tokens, reasoning_tokens = :reasoning_tokens,"
    " graders = :graders, check_scores = :check_scores, asked = :asked, judging = :judging"
    " WHERE id = :id"
)


def fill_outlines(db: Connection) -> None:
    """Some at a time, however many documents there are."""
    last = ""
    while stored := db.execute(_NEXT, {"last": last, "some": AT_ONCE}).all():
        last = stored[-1].id
        known = ((run.id, _outline(run.document)) for run in stored)
        if rows := [{"id": run, **found} for run, found in known if found]:
            db.execute(_WRITE, rows)


def _outline(document: str) -> Mapping[str, object] | None:
    try:
        return _columns(json.loads(document))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _columns(record: Any) -> Mapping[str, object]:  # noqa: ANN401  # a JSON value
    session, checks, tree = record["session"] or {}, record["checks"], record["tree"]
    usage = session.get("usage")
    return {
        "task_digest": record["task_digest"],
        "fixture": tree["base"] if tree else "",
        "faulted": record["fault"] is not None,
        "partly_graded": any(check.get("crashed", False) for check in checks),
        "session_s": session.get("duration_s"),
        **{name: None if usage is None else usage.get(name, 0) for name in TOKENS},
        "graders": _text([[c["name"], c["kind"], c["weight"], c["required"]] for c in checks]),
        "check_scores": _text([check["score"] for check in checks]),
        "asked": _text({name: record[name] for name in ASKED if name in record}),
        "judging": _text([check["use"] for check in checks if check.get("use")]),
    }


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
