"""The graded workspace: manifests and lockfile as data, what is installed, drivers."""

import json
from functools import cache
from typing import Any

import yaml
from grading import node, read

PACKAGES = {"root": ".", "app": "apps/app", "term": "libs/term", "util": "libs/util"}

INSTALLED = """
import { readFileSync } from "node:fs";
export default (folder, name) => {
  try {
    return JSON.parse(readFileSync(`${folder}/node_modules/${name}/package.json`, "utf8")).version;
  } catch {
    return "";
  }
};
"""


@cache
def _text(path: str) -> str:
    return read(path)


def manifest(package: str) -> dict[str, Any]:
    """The package's package.json."""
    return json.loads(_text(f"{PACKAGES[package]}/package.json"))


def lockfile() -> dict[str, Any]:
    """pnpm-lock.yaml."""
    return yaml.safe_load(_text("pnpm-lock.yaml"))


def dependencies(package: str) -> dict[str, str]:
    """Ranges by name, of every kind of dependency; catalogs are looked up."""
    found: dict[str, str] = {}
    for kind in ("peerDependencies", "optionalDependencies", "dependencies", "devDependencies"):
        found |= manifest(package).get(kind, {})
    return {name: _looked_up(name, ranges) for name, ranges in found.items()}


def _looked_up(name: str, ranges: str) -> str:
    if not ranges.startswith("catalog:"):
        return ranges
    catalog = ranges.removeprefix("catalog:") or "default"
    return lockfile()["catalogs"][catalog][name]["specifier"]


@cache
def installed(package: str, name: str) -> str:
    """The version that the package finds in its own node_modules; nothing where there is none."""
    return node(INSTALLED, PACKAGES[package], name)


def major(package: str, name: str) -> str:
    """What stands before the first dot of the installed version."""
    return installed(package, name).partition(".")[0]


def drive(source: str, *args: Any, uses: list[tuple[str, str, str]]) -> Any:
    """What the driver returns, provided that the packages it is about have these majors."""
    found = [(package, name, major(package, name)) for package, name, _major in uses]
    assert found == uses, f"installed are {found}, this test is about {uses}"
    return node(source, *args)
