"""What manifests say that a project depends on, as far as a change to it has to be seen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from evaluators.dependencies.npm import SECTIONS
from evaluators.dependencies.syntax import mapping
from harness.load.plain_toml import parse_plain_toml

MOST_BYTES = 4 * 1024 * 1024

_REQUIREMENTS = ("requirements*.txt", "requirements*.in", "*-requirements.txt", "constraints*.txt")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")

Declared = Mapping[tuple[str, str], str]
"""What is asked for, by where it is asked and by name."""


def is_manifest(path: str) -> bool:
    """Whether a file says what is depended on."""
    name = path.rpartition("/")[2]
    return name in ("package.json", "pyproject.toml", "Pipfile") or _is_requirements(path)


def is_python(path: str) -> bool:
    """Whether a manifest is one of Python's."""
    return not path.endswith("package.json")


def declared(path: str, data: bytes | None) -> Declared:
    """The dependencies of a manifest; one that cannot be read has none."""
    if data is None or len(data) > MOST_BYTES:
        return {}
    text = data.decode("utf-8", "replace")
    try:
        if path.endswith("package.json"):
            return dict(_javascript(json.loads(text)))
        if path.endswith(("pyproject.toml", "Pipfile")):
            return dict(_python(parse_plain_toml(text)))
    except (ValueError, RecursionError):
        return {}
    return dict(_requirements("", text.splitlines()))


def changed(before: Declared, after: Declared) -> tuple[str, ...]:
    """The names of what came, went or moved, each once."""
    moved = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return tuple(dict.fromkeys(name for _, name in moved))


def _is_requirements(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if folder.rpartition("/")[2] == "requirements" and name.endswith((".txt", ".in")):
        return True
    return any(fnmatchcase(name, pattern) for pattern in _REQUIREMENTS)


def _javascript(value: object) -> Iterator[tuple[tuple[str, str], str]]:
    for part in SECTIONS:
        for name, asked in _table(value, part).items():
            yield (part, name), str(asked)


def _python(value: object) -> Iterator[tuple[tuple[str, str], str]]:
    project, tool = _table(value, "project"), _table(value, "tool")
    lists = {
        "project": project.get("dependencies"),
        **{f"extra {key}": item for key, item in _table(project, "optional-dependencies").items()},
        **{f"group {key}": item for key, item in _table(value, "dependency-groups").items()},
        "uv": _table(tool, "uv").get("dev-dependencies"),
    }
    for at, items in lists.items():
        if isinstance(items, list):
            yield from _requirements(at, [item for item in items if isinstance(item, str)])
    poetry = _table(tool, "poetry")
    groups = _table(poetry, "group")
    tables = {
        "poetry": _table(poetry, "dependencies"),
        "poetry dev": _table(poetry, "dev-dependencies"),
        **{f"poetry {key}": _table(groups.get(key), "dependencies") for key in groups},
        "Pipfile": _table(value, "packages"),
        "Pipfile dev": _table(value, "dev-packages"),
    }
    for at, table in tables.items():
        for name, asked in table.items():
            yield (at, name), json.dumps(asked, sort_keys=True, default=str)


def _requirements(at: str, lines: list[str]) -> Iterator[tuple[tuple[str, str], str]]:
    for line in lines:
        found = _NAME.match(line)
        if found:
            yield (at, found[1]), line[found.end() :].partition(" #")[0].strip()


def _table(value: object, key: str) -> Mapping[str, Any]:
    return mapping(mapping(value).get(key))
