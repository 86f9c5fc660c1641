"""Agents that are command lines: `agents/<name>.yaml` of a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.domain.command_line import CommandLine, EntryRule, JsonLines, UsageRule
from harness.domain.digests import text_digest
from harness.domain.model import Api
from harness.domain.session import Role
from harness.errors import BadFile, UsageError, nearest
from harness.load.files import read_document
from harness.load.places import Problem
from harness.load.schema import AGENT, schema_problems

FOLDER = "agents"
SUFFIX = ".yaml"
JSON_ONLY = ("entries", "usage", "error")


def find_agent(root: Path, name: str | None) -> CommandLine:
    """The command line called `name`, or at the path `name`; raises UsageError or BadFile."""
    folder = root / FOLDER
    known = sorted(path.stem for path in folder.glob(f"*{SUFFIX}"))
    if name is not None and name.endswith(SUFFIX):
        return load_agent(Path(name))
    if name is None:
        raise UsageError(f"agent 'command' needs a name, as in command:NAME; {nearest('', known)}")
    if name not in known:
        raise UsageError(f"no agent {name!r} in {folder}; {nearest(name, known)}")
    return load_agent(folder / f"{name}{SUFFIX}")


def load_agent(path: Path) -> CommandLine:
    """One file; raises BadFile with all that is wrong with it."""
    document = read_document(path)
    raw: Any = document.value
    problems = schema_problems(raw, AGENT) or tuple(_misplaced(raw))
    if problems:
        raise BadFile(path, document.report(problems))
    output = raw.get("output", {})
    api, env = raw.get("api"), tuple(raw.get("env", {}).items())
    json_lines = _json_lines(output) if output.get("format") == "jsonl" else None
    return CommandLine(
        name=path.stem,
        command=raw["command"],
        digest=text_digest(raw["command"], str(api), repr(env), repr(json_lines)),
        description=raw.get("description", ""),
        api=Api(api) if api else None,
        env=env,
        output=json_lines,
    )


def _misplaced(raw: Mapping[str, Any]) -> Iterator[Problem]:
    output = raw.get("output", {})
    for key in JSON_ONLY:
        if key in output and output["format"] != "jsonl":
            yield Problem(("output", key), f"{key!r} belongs to the format 'jsonl'", is_extra=True)
    if raw.get("api") is None and "{model}" in raw["command"]:
        yield Problem(("command",), "it names a model; say by 'api' what it speaks to it")


def _json_lines(output: Mapping[str, Any]) -> JsonLines:
    usage = {key: _path(text) for key, text in output.get("usage", {}).items()}
    entries = tuple(_entry(entry) for entry in output.get("entries", ()))
    return JsonLines(entries, UsageRule(**usage), _path(output.get("error")))


def _entry(raw: Mapping[str, Any]) -> EntryRule:
    return EntryRule(
        when=tuple((_keys(key), value) for key, value in raw.get("when", {}).items()),
        role=Role(raw["role"]),
        text=_keys(raw["text"]),
        tool=_path(raw.get("tool")),
        error=_path(raw.get("error")),
    )


def _keys(text: str) -> tuple[str, ...]:
    return tuple(text.split("."))


def _path(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else _keys(text)
