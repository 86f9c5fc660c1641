"""Which file a reference to a template means: at a path, of a name, the newest, the enriched."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import BadFile, UsageError, nearest
from harness.load.enriched import ENRICHED, SUFFIXES, enriched_folder, home_of
from harness.load.files import read_document

TEMPLATES = "templates"
STALE = (
    "an enriched file was not used: the template has changed since it was written; mint enrich"
    " writes a new one"
)

_REF = re.compile(r"(?P<name>(?:@[^@/]+/)?[^@/]+)(?:@(?P<version>[^@/]+))?")
_ENRICHED = re.compile(r"enriched[-.](\d{1,9})$")


@dataclass(frozen=True, slots=True)
class Found:
    """The file that a reference means."""

    path: Path
    notes: tuple[str, ...] = ()
    """What somebody should know of the choice."""


@dataclass(frozen=True, slots=True)
class File:
    """A template's file, as far as it can be told from others."""

    path: Path
    name: str
    version: str
    raw: Mapping[str, Any]

    @property
    def enrichment(self) -> int:
        """Its number among the enriched files of its version; 0 is the author's own."""
        return _number(self.path)


def find_file(root: Path, ref: str, *, enriched: bool = True) -> Found:
    """The file at a path, or the newest called `[@scope/]name[@version]` below templates/.

    With `enriched`, the newest enriched file of that version takes the author's place, unless the
    author has changed the template since.
    """
    if ref.endswith(SUFFIXES):
        path = existing(root, ref)
        return _beside(path) if enriched or is_enriched(path) else Found(path)
    files = named(root / TEMPLATES, ref)
    newest = max(version_key(file.version) for file in files)
    files = [file for file in files if version_key(file.version) == newest]
    authored = [file for file in files if not file.enrichment]
    return _chosen(ref, authored, files if enriched or not authored else authored)


def parent_file(library: Path | None, ref: str, child: Path, *, enriched: bool) -> Path:
    """The file that a template is made `from`: a path seen from it, or a name in the library."""
    path = _parent(library, ref, child)
    return _beside(path).path if enriched else path


def _parent(library: Path | None, ref: str, child: Path) -> Path:
    if ref.endswith(SUFFIXES) or ref.startswith(("./", "../", "/")):
        path = home_of(child) / ref
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        return path
    folder = library if library and library.is_dir() else library_of(child)
    files = [file for file in named(folder, ref) if not file.enrichment]
    if not files:
        raise UsageError(f"only enriched files are called {ref!r}; its author's is missing")
    newest = max(version_key(file.version) for file in files)
    return _sole(ref, [file for file in files if version_key(file.version) == newest]).path


def library_of(path: Path) -> Path:
    """Where a template's named parents are: below the `templates` around it, else beside it."""
    home = home_of(path)
    return next((folder for folder in (home, *home.parents) if folder.name == TEMPLATES), home)


def existing(root: Path, ref: str) -> Path:
    """A file seen from here, or from the project."""
    for path in (Path(ref), root / ref):
        if os.path.isfile(path):  # noqa: PTH113  # Path raises for names that are too long
            return path.absolute()
    raise UsageError(f"there is no file {ref!r}, neither here nor in {root}")


def named(folder: Path, ref: str) -> list[File]:
    """Every file below a folder that a name, or a name and a version, fits."""
    asked = _REF.fullmatch(ref)
    if not asked:
        raise UsageError(f"{ref!r} is no template: neither a {', '.join(SUFFIXES)} file nor a name")
    name, version = asked["name"], asked["version"]
    files, unreadable = listing(folder)
    called = [each for each in files if name in (each.name, each.name.rpartition("/")[2])]
    if not called:
        known = {each.name for each in files}
        hint = f" ({unreadable} files there cannot be read)" if unreadable else ""
        raise UsageError(f"no template {name!r} in {folder}; {nearest(name, known)}{hint}")
    fitting = [each for each in called if version in (None, each.version)]
    if not fitting:
        versions = ", ".join(sorted({each.version for each in called}, key=version_key))
        raise UsageError(f"template {name!r} has no version {version!r}; it has {versions}")
    return fitting


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder that may be a template."""
    return sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES and p.is_file())


def doubles(folder: Path) -> Mapping[Path, tuple[Path, ...]]:
    """The files below a folder whose name and version another file claims too, and those others."""
    claims: dict[tuple[str, str], list[Path]] = {}
    for file in listing(folder)[0]:
        if not file.enrichment:
            claims.setdefault((file.name, file.version), []).append(file.path.absolute())
    return {
        path: tuple(each for each in paths if each != path)
        for paths in claims.values()
        for path in paths
        if len(paths) > 1
    }


def listing(folder: Path) -> tuple[list[File], int]:
    """Every template below a folder, and how many files there cannot be read."""
    files, unreadable = [], 0
    for path in files_below(folder):
        try:
            raw = read_document(path).value
        except BadFile:
            unreadable += 1
            continue
        if isinstance(raw, dict) and isinstance(raw.get("name"), str):
            files.append(File(path, raw["name"], str(raw.get("version", "")), raw))
    return files, unreadable


def is_enriched(path: Path) -> bool:
    """Whether it was written by enriching an author's file."""
    return bool(_number(path))


def _number(path: Path) -> int:
    found = _ENRICHED.search(path.stem)
    return int(found[1]) if found else 0


def every_file(root: Path, name: str, version: str) -> tuple[Path, ...]:
    """Every file of one version, the newest enrichment first."""
    files, _ = listing(root / TEMPLATES)
    fitting = [file for file in files if (file.name, file.version) == (name, version)]
    return tuple(file.path for file in sorted(fitting, key=lambda file: -file.enrichment))


def version_key(version: str) -> tuple[int, ...]:
    """Compares as versions should; what is no number is less than any."""
    numbers = version.split(".")
    return tuple(int(n) if n.isascii() and n.isdecimal() and len(n) < 10 else -1 for n in numbers)  # noqa: PLR2004  # as the schema


def _beside(path: Path) -> Found:
    if is_enriched(path):
        newest = max([path, *path.parent.glob("*.json5")], key=_number)
        older = "" if newest == path else f"; the newest is {newest.name}"
        return Found(path, (f"{ENRICHED}: {path.name} is used, as asked for{older}",))
    try:
        raw = read_document(path).value
    except BadFile:
        # whoever loads it says what is wrong
        return Found(path)
    if not isinstance(raw, dict):
        return Found(path)
    name, version = str(raw.get("name")), str(raw.get("version", ""))
    folders = [enriched_folder(path, version), path.parent / ENRICHED / version]
    files = [file for folder in dict.fromkeys(folders) if version for file in listing(folder)[0]]
    author = File(path, name, version, raw)
    ours = [f for f in files if f.enrichment and (f.name, f.version) == (name, version)]
    return _chosen(str(path), [author], [author, *ours])


def _chosen(ref: str, authored: Sequence[File], files: Sequence[File]) -> Found:
    last = max(file.enrichment for file in files)
    newest = _sole(ref, [file for file in files if file.enrichment == last])
    if not authored or newest in authored:
        return Found(newest.path)
    author = _sole(ref, authored)
    if _words(author.raw) != _words(newest.raw):
        return Found(author.path, (f"{ENRICHED}: {STALE} ({newest.path.name})",))
    return Found(newest.path, (f"{ENRICHED}: {newest.path.name} is used, of {author.path.name}",))


def _sole(ref: str, rivals: Sequence[File]) -> File:
    if len(rivals) > 1:
        paths = " and ".join(str(file.path) for file in rivals)
        raise UsageError(f"{ref!r} means more than one template: {paths}; give the path")
    return rivals[0]


def without_enrichment(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """A template without what a model drew from its documents."""
    documents = raw.get("documentation")
    if not isinstance(documents, list):
        return raw
    bare = [
        {key: value for key, value in each.items() if key != "enrichment"}
        if isinstance(each, dict)
        else each
        for each in documents
    ]
    return {**raw, "documentation": bare}


def _words(raw: Mapping[str, Any]) -> str:
    """What the author says: neither what a model drew from documents nor the file's own history."""
    left_out = ("$schema", "version_metadata")
    kept = {key: value for key, value in without_enrichment(raw).items() if key not in left_out}
    return json.dumps(kept, sort_keys=True)
