"""package.json and pnpm-workspace.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from evaluators.dependencies.model import MAX_DECLARED, Declared, Manifest
from evaluators.dependencies.syntax import Unreadable, mapping, read_json, read_yaml, text_of, texts
from evaluators.dependencies.tree import Tree
from harness.load.versions import Ecosystem, read_range

FILE = "package.json"
PNPM = "pnpm-workspace.yaml"
SECTIONS = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
_UNBOUND = ("", "*", "x")


def npm_manifests(tree: Tree) -> Iterator[Manifest]:
    """Every package.json; a broken one is there, with a problem."""
    catalogs: dict[str, Mapping[str, Any]] = {}
    globs: dict[str, tuple[str, ...]] = {}
    for path in _named(tree, PNPM):
        folder = str(PurePosixPath(path).parent)
        raw = _or_empty(tree.text(path))
        globs[folder] = tuple(texts(raw.get("packages")))
        catalogs |= mapping(raw.get("catalogs"))
        catalogs["default"] = mapping(raw.get("catalog")) or catalogs.get("default", {})
    for path in _named(tree, FILE):
        try:
            raw = read_json(tree.text(path) or "")
        except Unreadable as error:
            yield Manifest(path, Ecosystem.NPM, problem=str(error))
        else:
            yield _manifest(path, raw, globs.get(str(PurePosixPath(path).parent)), catalogs)


def _named(tree: Tree, name: str) -> list[str]:
    return [path for path in tree.names if path.rpartition("/")[2] == name]


def _or_empty(text: str | None) -> Mapping[str, Any]:
    try:
        return read_yaml(text or "")
    except Unreadable:
        return {}


def _manifest(
    path: str,
    raw: Mapping[str, Any],
    pnpm: tuple[str, ...] | None,
    catalogs: Mapping[str, Mapping[str, Any]],
) -> Manifest:
    given = raw.get("workspaces")
    globs = tuple(texts(mapping(given).get("packages") if isinstance(given, dict) else given))
    return Manifest(
        path,
        Ecosystem.NPM,
        tuple(
            _declared((path, section), name, spec, catalogs)
            for section in SECTIONS
            for name, spec in islice(mapping(raw.get(section)).items(), MAX_DECLARED)
            if isinstance(spec, str)
        ),
        name=text_of(raw.get("name")),
        workspaces=pnpm if pnpm is not None else globs if given is not None else None,
        engines={k: v for k, v in mapping(raw.get("engines")).items() if isinstance(v, str)},
        manager=text_of(raw.get("packageManager")),
    )


def _declared(
    at: tuple[str, str], name: str, spec: str, catalogs: Mapping[str, Mapping[str, Any]]
) -> Declared:
    recorded, package = spec, name
    if spec.startswith("catalog:"):
        catalog = catalogs.get(spec.removeprefix("catalog:").strip() or "default", {})
        spec = text_of(mapping(catalog).get(name)) or spec
    bare = spec
    if spec.startswith("npm:"):
        aliased, _, version = spec.removeprefix("npm:").rpartition("@")
        package, bare = (aliased, version) if aliased else (version, "*")
        if not aliased and _is_version(version):
            package, bare = name, version
    # what holds everything asks for no version
    found = None if bare.strip() in _UNBOUND else read_range(bare, Ecosystem.NPM)
    return Declared(*at, name, spec, found, package, recorded)


def _is_version(text: str) -> bool:
    return read_range(text, Ecosystem.NPM) is not None
