"""The evidence as the JSON that scripts read: version 1, which only ever gains keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from harness.domain.changes import Change
from harness.domain.patch import FilePatch
from harness.domain.record import CheckResult, CommandResult, Control
from harness.domain.scenario import CheckSpec, Scenario
from harness.domain.session import Session
from harness.evaluate import Evidence
from harness.sandbox.base import WORKSPACE

VERSION = 1
PATCH_CHARS = 1024 * 1024
TASK_CHARS = 64 * 1024
TEXT_CHARS = 2000
MOST_FILES = 5000
MOST_LINES = 100

Json = dict[str, Any]


def as_json(evidence: Evidence, check: CheckSpec) -> bytes:
    """Everything that a script may know; bounded, whatever the agent did."""
    work = evidence.work
    patch = work.patch.text
    document = {
        "mintmark": VERSION,
        "check": {"name": check.name, "weight": check.weight, "required": check.required},
        "scenario": _scenario(evidence.scenario),
        "task": work.task[:TASK_CHARS],
        "untouched": evidence.untouched,
        "workspace": WORKSPACE,
        "changes": [_change(change) for change in _first(evidence.changes)],
        "patch": {
            "text": patch[:PATCH_CHARS],
            "cut": work.patch.cut or len(patch) > PATCH_CHARS,
            "files": [_file(file) for file in work.patch.files[:MOST_FILES]],
        },
        "commands": _commands(evidence.commands),
        "checks": _checks(evidence.earlier.values()),
        "control": _control(evidence.control),
        "session": _session(work.session) if work.session else None,
    }
    return json.dumps(document).encode()


def _scenario(scenario: Scenario) -> Json:
    return {
        "suite": scenario.suite,
        "id": scenario.id,
        "title": scenario.title,
        "tags": list(scenario.tags),
    }


def _first(changes: Iterable[Change]) -> Iterable[Change]:
    return (change for change, _ in zip(changes, range(MOST_FILES), strict=False))


def _change(change: Change) -> Json:
    return {"path": change.display, "kind": change.kind.value, "mode": f"{change.mode:o}"}


def _file(file: FilePatch) -> Json:
    return {
        "path": file.path,
        "kind": file.kind.value,
        "was": file.was,
        "added": len(file.added),
        "removed": len(file.removed),
        "binary": file.binary,
    }


def _commands(commands: Sequence[CommandResult]) -> list[Json]:
    return [
        {"name": c.name, "run": c.run, "exit_code": c.exit_code, "duration_s": c.duration_s}
        for c in commands
    ]


def _checks(checks: Iterable[CheckResult]) -> list[Json]:
    return [
        {
            "name": check.name,
            "kind": check.kind,
            "score": check.score,
            "reason": check.reason[:TEXT_CHARS],
            "details": [line[:TEXT_CHARS] for line in check.details[:MOST_LINES]],
        }
        for check in checks
    ]


def _control(control: Control | None) -> Json | None:
    if control is None:
        return None
    return {"commands": _commands(control.commands), "checks": _checks(control.checks)}


def _session(session: Session) -> Json:
    return {
        "ending": session.ending.value,
        "duration_s": session.duration_s,
        "turns": session.model_use.turns if session.model_use else None,
        "usage": asdict(session.usage) if session.usage else None,
        "cost_usd": session.cost_usd,
        "tools": [asdict(count) for count in session.calls[:MOST_FILES]],
        "questions": [
            {
                "question": each.question[:TEXT_CHARS],
                "answer": each.answer[:TEXT_CHARS],
                "matched": each.matched,
                "by_model": each.by_model,
            }
            for each in session.questions[:MOST_LINES]
        ],
    }
