"""package-lock.json, pnpm-lock.yaml, yarn.lock and bun.lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from evaluators.dependencies.model import LOCAL, PEER, Declared, Lock, Locked, Manifest
from evaluators.dependencies.syntax import (
    listed,
    mapping,
    read_json,
    read_jsonc,
    read_yaml,
    text_of,
)
from harness.load.versions import read_version


@dataclass(slots=True)
class Reading:
    """What has been found so far in a lock file."""

    path: str
    manager: str
    packages: list[Locked] = field(default_factory=list)
    resolved: dict[tuple[str, str], str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    checked: int = 0

    def found(self, each: Declared, version: str | None, recorded: str | None = None) -> None:
        """What the lock file has for a dependency, and what it was made from where it says so."""
        self.checked += 1
        if version is None:
            self.wrong.append(f"{self.path} has no {each.name}, which {each.manifest} asks for")
            return
        self.resolved[each.manifest, each.name] = version
        parsed = None if each.range is None else read_version(version, each.range.ecosystem)
        if recorded is not None and recorded != each.recorded:
            was = f"{each.name} {recorded!r}"
            self.wrong.append(f"{self.path} was made from {was}; {each.where} is asked for")
        elif parsed and each.range and not each.range.holds(parsed):
            self.wrong.append(f"{self.path} has {each.name} {version}; {each.where} is asked for")

    def surplus(self, manifest: Manifest, names: Iterator[str] | Sequence[str]) -> None:
        """Dependencies that the manifest no longer asks for."""
        asked = {each.name for each in manifest.declared}
        for name in names:
            if name not in asked:
                self.wrong.append(f"{self.path} still has {name} for {manifest.path}")

    def done(self, *, tells_deprecated: bool = False) -> Lock:
        """All of it."""
        return Lock(
            self.path,
            self.manager,
            tuple(self.packages),
            self.resolved,
            tuple(self.wrong),
            self.checked,
            tells_deprecated,
        )


def wanted(manifest: Manifest) -> Iterator[Declared]:
    """What a lock file has to hold: peers need not be installed, folders have no version."""
    for each in manifest.declared:
        if each.section != PEER and not each.spec.startswith(LOCAL):
            yield each


def below(manifest: Manifest, lock: str) -> str:
    """The manifest's folder, as seen from the lock file's."""
    here = str(PurePosixPath(lock).parent)
    return manifest.folder if here == "." else manifest.folder.removeprefix(here).lstrip("/") or "."


def read_npm(path: str, text: str, manifests: Sequence[Manifest]) -> Lock:
    """Lock files of npm, in each of their three versions."""
    raw, reading = read_json(text), Reading(path, "npm")
    entries = mapping(raw.get("packages"))
    if not entries:
        return _read_npm_1(mapping(raw.get("dependencies")), reading, manifests)
    locals_ = {m.name for m in manifests if m.name}
    for where, entry in entries.items():
        if "node_modules/" in where:
            name = text_of(mapping(entry).get("name")) or where.rpartition("node_modules/")[2]
            reading.packages.append(_locked(name, entry))
    for manifest in manifests:
        folder = below(manifest, path)
        home = mapping(entries.get("" if folder == "." else folder))
        for each in wanted(manifest):
            if each.name not in locals_:
                recorded = text_of(mapping(home.get(each.section)).get(each.name))
                reading.found(each, _nearest(entries, folder, each.name), recorded)
        names = [n for s in ("dependencies", "devDependencies") for n in mapping(home.get(s))]
        reading.surplus(manifest, names)
    return reading.done(tells_deprecated=True)


def _nearest(entries: Mapping[str, Any], folder: str, name: str) -> str | None:
    here = PurePosixPath(folder)
    for parent in (here, *here.parents):
        prefix = "" if str(parent) == "." else f"{parent}/"
        entry = mapping(entries.get(f"{prefix}node_modules/{name}"))
        if "version" in entry:
            return text_of(entry["version"])
    return None


def _locked(name: str, entry: object) -> Locked:
    found = mapping(entry)
    deprecated = found.get("deprecated")
    said = deprecated if isinstance(deprecated, str) else "deprecated" if deprecated else ""
    return Locked(name, text_of(found.get("version")), said)


def _read_npm_1(
    entries: Mapping[str, Any], reading: Reading, manifests: Sequence[Manifest]
) -> Lock:
    left = [entries]
    while left:
        for name, entry in left.pop().items():
            reading.packages.append(_locked(name, entry))
            if inner := mapping(mapping(entry).get("dependencies")):
                left.append(inner)
    locals_ = {m.name for m in manifests if m.name}
    for manifest in manifests:
        inner = mapping(mapping(entries.get(manifest.name)).get("dependencies"))
        for each in wanted(manifest):
            if each.name not in locals_:
                entry = mapping(inner.get(each.name) or entries.get(each.name))
                # an alias is quoted with the package's name
                version = text_of(entry.get("version")).rpartition("@")[2]
                reading.found(each, version or None)
    return reading.done()


def read_pnpm(path: str, text: str, manifests: Sequence[Manifest]) -> Lock:
    """Lock files of pnpm, from version 5 on."""
    raw, reading = read_yaml(text), Reading(path, "pnpm")
    for key, entry in mapping(raw.get("packages")).items():
        name, version = _pnpm_key(key)
        said = text_of(mapping(entry).get("deprecated"))
        reading.packages.append(Locked(name, version, said))
    importers = mapping(raw.get("importers")) or {".": raw}
    for manifest in manifests:
        home = mapping(importers.get(below(manifest, path)))
        specifiers = mapping(home.get("specifiers"))
        for each in wanted(manifest):
            entry = mapping(home.get(each.section)).get(each.name)
            given = mapping(entry).get("version") if isinstance(entry, dict) else entry
            recorded = mapping(entry).get("specifier", specifiers.get(each.name))
            plain = text_of(given).partition("(")[0].partition("_")[0]
            # an alias is quoted with the package's name
            plain = plain.rpartition("@")[2] if "@" in plain else plain.rpartition("/")[2]
            reading.found(each, plain or None, text_of(recorded))
        sections = ("dependencies", "devDependencies", "optionalDependencies")
        reading.surplus(manifest, [n for s in sections for n in mapping(home.get(s))])
    return reading.done(tells_deprecated=True)


def _pnpm_key(key: str) -> tuple[str, str]:
    plain = key.lstrip("/").partition("(")[0]
    name, _, version = plain.rpartition("@")
    if not name:
        name, _, version = plain.rpartition("/")
    return name, version.partition("_")[0]


def read_yarn(path: str, text: str, manifests: Sequence[Manifest]) -> Lock:
    """Lock files of yarn, classic and berry."""
    reading = Reading(path, "yarn")
    berry = "\n__metadata:" in f"\n{text}"
    entries = dict(_berry(text) if berry else _classic(text))
    seen = set()
    for key, version in entries.items():
        name = _yarn_name(key)
        if (name, version) not in seen:
            seen.add((name, version))
            reading.packages.append(Locked(name, version))
    locals_ = {m.name for m in manifests if m.name}
    for manifest in manifests:
        for each in wanted(manifest):
            if each.name not in locals_:
                keys = (f"{each.name}@{each.recorded}", f"{each.name}@npm:{each.recorded}")
                reading.found(each, next((entries[k] for k in keys if k in entries), None))
    return reading.done()


def _yarn_name(key: str) -> str:
    return f"@{key[1:].partition('@')[0]}" if key.startswith("@") else key.partition("@")[0]


def _berry(text: str) -> Iterator[tuple[str, str]]:
    for keys, entry in read_yaml(text).items():
        version = text_of(mapping(entry).get("version"))
        if keys != "__metadata" and "@workspace:" not in keys:
            yield from ((key.strip(), version) for key in keys.split(","))


def _classic(text: str) -> Iterator[tuple[str, str]]:
    keys: list[str] = []
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")) and line.endswith(":"):
            keys = [key.strip().strip('"') for key in line[:-1].split(",")]
        elif line.startswith("  version "):
            version = line.removeprefix("  version ").strip().strip('"')
            yield from ((key, version) for key in keys)
            keys = []


def read_bun(path: str, text: str, manifests: Sequence[Manifest]) -> Lock:
    """Lock files of bun that are text."""
    raw, reading = read_jsonc(text), Reading(path, "bun")
    entries: dict[str, str] = {}
    for key, entry in mapping(raw.get("packages")).items():
        name, _, version = text_of(next(iter(listed(entry)), "")).rpartition("@")
        entries[key] = version
        reading.packages.append(Locked(name, version))
    homes = mapping(raw.get("workspaces"))
    locals_ = {m.name for m in manifests if m.name}
    for manifest in manifests:
        folder = below(manifest, path)
        home = mapping(homes.get("" if folder == "." else folder))
        for each in wanted(manifest):
            if each.name not in locals_:
                recorded = text_of(mapping(home.get(each.section)).get(each.name))
                own = entries.get(f"{manifest.name}/{each.name}")
                reading.found(each, own or entries.get(each.name), recorded)
    return reading.done()
