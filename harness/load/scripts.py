"""Scripts of the scripted agent: `scripts/<name>.yaml` of a scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.domain.digests import text_digest
from harness.domain.scenario import Scenario
from harness.domain.script import Play, Script, ToolCall
from harness.errors import BadFile, UsageError, nearest
from harness.load.files import read_document
from harness.load.schema import SCRIPT, schema_problems

FOLDER = "scripts"
DEFAULT = "default"


def find_script(scenario: Scenario, name: str | None) -> Script:
    """The script called `name`, or at the path `name`; raises UsageError or BadFile."""
    name = name or DEFAULT
    if name.endswith((".yaml", ".yml")):
        return load_script(Path(name))
    folder = scenario.folder / FOLDER
    known = sorted(p.stem for p in folder.glob("*.yaml"))
    if name not in known:
        raise UsageError(
            f"{scenario.key} has no script {name!r} in {folder}; {nearest(name, known)}"
        )
    return load_script(folder / f"{name}.yaml")


def load_script(path: Path) -> Script:
    """One script file; raises BadFile."""
    document = read_document(path)
    problems = schema_problems(document.value, SCRIPT)
    if problems:
        raise BadFile(path, document.report(problems))
    raw: Any = document.value
    return Script(
        name=path.stem,
        description=raw.get("description", ""),
        plays=tuple(_play(play) for play in raw["plays"]),
        digest=text_digest(json.dumps(raw, sort_keys=True)),
    )


def _play(raw: Any) -> Play:  # noqa: ANN401  # checked by the schema
    when = raw.get("when", {})
    iterations = when.get("iterations")
    return Play(
        calls=tuple(ToolCall(c["tool"], json.dumps(c.get("input", {}))) for c in raw["calls"]),
        says=raw.get("says", ""),
        specialist=when.get("specialist"),
        iterations=tuple(iterations) if iterations else None,
    )
