"""Scripts of the scripted agent: `scripts/<name>.yaml` of a scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.domain.digests import text_digest
from harness.domain.scenario import Scenario
from harness.domain.script import Play, Script, ToolCall
from harness.errors import BadFile, UsageError, nearest
from harness.load.files import read_document, read_text
from harness.load.schema import SCRIPT, schema_problems

FOLDER = "scripts"
DEFAULT = "default"


def find_script(scenario: Scenario, name: str | None) -> Script:
    """The script called `name`, or at the path `name`; raises UsageError or BadFile."""
    name = name or DEFAULT
    if name.endswith((".yaml", ".yml")):
        return load_script(Path(name), scenario.folder)
    folder = scenario.folder / FOLDER
    known = sorted(p.stem for p in folder.glob("*.yaml"))
    if name not in known:
        raise UsageError(
            f"{scenario.key} has no script {name!r} in {folder}; {nearest(name, known)}"
        )
    return load_script(folder / f"{name}.yaml", scenario.folder)


def load_script(path: Path, folder: Path | None = None) -> Script:
    """One script file; its `files` are found below `folder`, else beside it. Raises BadFile."""
    document = read_document(path)
    problems = schema_problems(document.value, SCRIPT)
    if problems:
        raise BadFile(path, document.report(problems))
    raw: Any = document.value
    home = (folder or path.parent).resolve()
    plays = tuple(_play(play, home, path) for play in raw["plays"])
    return Script(
        name=path.stem,
        description=raw.get("description", ""),
        plays=plays,
        digest=text_digest(repr(plays)),
    )


def _play(raw: Any, home: Path, path: Path) -> Play:  # noqa: ANN401  # checked by the schema
    when = raw.get("when", {})
    iterations = when.get("iterations")
    return Play(
        calls=tuple(ToolCall(c["tool"], _arguments(c, home, path)) for c in raw["calls"]),
        says=raw.get("says", ""),
        specialist=when.get("specialist"),
        iterations=tuple(iterations) if iterations else None,
    )


def _arguments(call: Any, home: Path, path: Path) -> str:  # noqa: ANN401  # checked by the schema
    arguments = dict(call.get("input", {}))
    for name, place in call.get("files", {}).items():
        source = (home / place).resolve()
        if not source.is_relative_to(home) or not source.is_file():
            raise BadFile(path, [f"files: there is no file {place!r} below {home}"])
        arguments[name] = read_text(source)
    return json.dumps(arguments)
