"""pyproject.toml, requirements files, setup.cfg and Pipfile."""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from evaluators.dependencies.model import MAX_DECLARED, Declared, Manifest
from evaluators.dependencies.syntax import (
    Unreadable,
    listed,
    mapping,
    read_toml,
    text_of,
    texts,
)
from evaluators.dependencies.tree import Tree
from harness.load.versions import Ecosystem, pinned, python_name, read_range, read_requirement

BUILD = "build-system.requires"
MAX_LINE = 500
MAX_LINES = 1_000


def python_manifests(tree: Tree) -> Iterator[Manifest]:
    """Every manifest of Python's; a broken one is there, with a problem."""
    for path in tree.names:
        folder, _, name = path.rpartition("/")
        in_folder = folder.rpartition("/")[2] == "requirements" and name.endswith(".txt")
        try:
            if name in ("pyproject.toml", "Pipfile"):
                raw = read_toml(tree.text(path) or "")
                yield _pyproject(path, raw) if name == "pyproject.toml" else _pipfile(path, raw)
            elif name == "setup.cfg":
                yield _setup_cfg(path, tree.text(path) or "")
            elif fnmatchcase(name, "requirements*.txt") or in_folder:
                lines = (tree.text(path) or "").splitlines()
                yield Manifest(path, Ecosystem.PYTHON, tuple(_requirements((path, "all"), lines)))
        except (Unreadable, configparser.Error, ValueError) as error:
            yield Manifest(
                path, Ecosystem.PYTHON, problem=f"{type(error).__name__}: {error!s:.120}"
            )


def _pyproject(path: str, raw: Mapping[str, Any]) -> Manifest:
    project, tool = mapping(raw.get("project")), mapping(raw.get("tool"))
    poetry, uv = mapping(tool.get("poetry")), mapping(tool.get("uv"))
    lists = {
        "project.dependencies": project.get("dependencies"),
        **_prefixed("project.optional-dependencies", project.get("optional-dependencies")),
        **_prefixed("dependency-groups", raw.get("dependency-groups")),
        **_prefixed("tool.pdm.dev-dependencies", mapping(tool.get("pdm")).get("dev-dependencies")),
        "tool.uv.dev-dependencies": uv.get("dev-dependencies"),
        BUILD: mapping(raw.get("build-system")).get("requires"),
    }
    tables = {
        "tool.poetry.dependencies": poetry.get("dependencies"),
        "tool.poetry.dev-dependencies": poetry.get("dev-dependencies"),
        **{
            f"tool.poetry.group.{name}": mapping(group).get("dependencies")
            for name, group in mapping(poetry.get("group")).items()
        },
    }
    declared = [
        *(d for at, given in lists.items() for d in _requirements((path, at), texts(given))),
        *(d for at, given in tables.items() for d in _table((path, at), mapping(given))),
    ]
    workspace = uv.get("workspace")
    python = text_of(project.get("requires-python"))
    python = python or text_of(mapping(poetry.get("dependencies")).get("python"))
    return Manifest(
        path,
        Ecosystem.PYTHON,
        tuple(declared),
        name=python_name(text_of(project.get("name")) or text_of(poetry.get("name"))),
        workspaces=_members(mapping(workspace)) if workspace is not None else None,
        engines={"python": python} if python else {},
    )


def _members(workspace: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        *texts(workspace.get("members")),
        *(f"!{each}" for each in texts(workspace.get("exclude"))),
    )


def _prefixed(prefix: str, given: object) -> dict[str, object]:
    return {f"{prefix}.{name}": inner for name, inner in mapping(given).items()}


def _pipfile(path: str, raw: Mapping[str, Any]) -> Manifest:
    declared = tuple(
        each
        for section in ("packages", "dev-packages")
        for each in _table((path, section), mapping(raw.get(section)))
    )
    return Manifest(path, Ecosystem.PYTHON, declared)


def _setup_cfg(path: str, text: str) -> Manifest:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    extras = "options.extras_require"
    given = {"install_requires": parser.get("options", "install_requires", fallback="")}
    if parser.has_section(extras):
        given |= {f"extras_require.{key}": parser.get(extras, key) for key in parser[extras]}
    declared = tuple(
        each
        for section, lines in given.items()
        for each in _requirements((path, section), (lines or "").splitlines())
    )
    python = parser.get("options", "python_requires", fallback="") or ""
    name = parser.get("metadata", "name", fallback="") or ""
    engines = {"python": python} if python else {}
    return Manifest(path, Ecosystem.PYTHON, declared, name=python_name(name), engines=engines)


def _requirements(at: tuple[str, str], lines: Iterator[str] | list[str]) -> Iterator[Declared]:
    for line in islice(lines, MAX_LINES):
        text = line.partition(" #")[0].partition(" --")[0].rstrip("\\ ").strip()
        if not text or text.startswith(("#", "-")) or len(text) > MAX_LINE:
            continue
        found = read_requirement(text)
        if found is None:
            continue
        name, spec, url = found
        allowed = read_range(spec, Ecosystem.PYTHON) if spec and not url else None
        yield Declared(*at, name, url or spec, allowed, name, spec)


def _table(at: tuple[str, str], given: Mapping[str, Any]) -> Iterator[Declared]:
    """Poetry's and Pipenv's way: a name and a range, or a table with a version."""
    for key, value in islice(given.items(), MAX_DECLARED):
        if key == "python":
            continue
        tables = listed(value) or [value]
        for each in tables:
            spec = each if isinstance(each, str) else text_of(mapping(each).get("version"))
            local = mapping(each).get("path")
            allowed = (
                None if spec.strip() in ("", "*") else read_range(pinned(spec), Ecosystem.PYTHON)
            )
            name = python_name(key)
            shown = f"file:{local}" if isinstance(local, str) else spec
            yield Declared(*at, name, shown, allowed, name, spec)
