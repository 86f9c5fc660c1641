"""Tools are asked with the fixture's configuration, so that no work silences them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath

import pathspec

from evaluators.tampering.places import is_code
from harness.carrying import originals, protected_files
from harness.domain.changes import Change, ChangeKind
from harness.evaluate import Evidence
from harness.sandbox.base import Box

CONFIGURATION = (
    *("ruff.toml", ".ruff.toml", "pyproject.toml", "setup.cfg", "tox.ini", ".flake8", ".bandit"),
    *(".pylintrc", "pylintrc", ".pylintrc.toml", "pylintrc.toml", "mypy.ini", ".mypy.ini"),
    *("pyrightconfig.json", ".coveragerc", ".semgrepignore", "noxfile.py", "Makefile"),
    *(".ignore", ".gitignore", ".eslintcache", "*.tsbuildinfo", ".mypy_cache/", ".ruff_cache/"),
    *(".eslintrc", ".eslintrc.*", "eslint.config.*", ".eslintignore", "tsconfig*.json"),
    *("jsconfig.json", "biome.json", "biome.jsonc", ".oxlintrc.json", ".nycrc", ".c8rc.json"),
)
"""Names, in any folder, that decide what a tool looks for."""
SCRIPTS = ("scripts", "eslintConfig", "eslintIgnore", "jest", "nyc", "c8")
"""What a package.json says about tools."""
FILES = "find . -mindepth 1 \\( -name .git -o -name node_modules \\) -prune -o ! -type d -print0"
_PACKAGE_BYTES = 1024 * 1024


def pins(evidence: Evidence, names: Sequence[str] = CONFIGURATION) -> tuple[Change, ...]:
    """What stands in place of the work's configuration while a tool runs."""
    spec = pathspec.GitIgnoreSpec.from_lines(names)
    found: list[Change] = []
    for change in evidence.changes:
        path = os.fsdecode(change.path)
        if spec.match_file(path):
            found += originals(evidence.scenario, change)
        elif names and PurePosixPath(path).name == "package.json":
            found += _package(evidence, change)
    return (*found, *_strays(evidence, names))


def _strays(evidence: Evidence, names: Sequence[str]) -> Iterator[Change]:
    """Configuration that code has left beside the files of the fixture and the work, to go."""
    if evidence.untouched or not names:
        return
    root = evidence.scenario.fixture
    folders = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_dir()} | {"."}
    folders |= {str(PurePosixPath(os.fsdecode(c.path)).parent) for c in evidence.changes}
    mine = {os.fsdecode(change.path) for change in evidence.changes}
    spec = pathspec.GitIgnoreSpec.from_lines(names)
    done = evidence.box.run(FILES, timeout_s=60.0, output_bytes=16 * 1024 * 1024)
    for name in done.stdout.split("\0")[:-1]:
        path = name.removeprefix("./")
        if str(PurePosixPath(path).parent) not in folders or path in mine:
            continue
        if spec.match_file(path) and evidence.original(path) is None:
            yield Change(os.fsencode(path), ChangeKind.DELETE)


@contextmanager
def configured(evidence: Evidence, pinned: Sequence[Change], *more: Change) -> Iterator[None]:
    """The work as it came, with the fixture's configuration; its own comes back afterwards."""
    # in two requests: within one, what is deleted goes first
    evidence.box.apply(_as_it_came(evidence))
    evidence.box.apply([*pinned, *more])
    try:
        yield
    finally:
        theirs = {change.path: change for change in evidence.changes}
        evidence.box.apply([theirs[pin.path] for pin in pinned if pin.path in theirs])


def _as_it_came(evidence: Evidence) -> tuple[Change, ...]:
    """The work and what is protected: commands before this one may have run code over them.

    What the work deleted stays as it is now, because a build may have made it anew.
    """
    kept = (c for c in evidence.changes if c.kind is not ChangeKind.DELETE)
    return (*kept, *protected_files(evidence.scenario))


@contextmanager
def fresh_home(box: Box) -> Iterator[Mapping[str, str]]:
    """An environment in which nothing is read that code before has left in its home."""
    home = f"/tmp/{secrets.token_hex(16)}"  # noqa: S108  # inside the sandbox
    box.run(["mkdir", "-p", home], timeout_s=60.0)
    try:
        yield {"HOME": home, "TMPDIR": home, "PYTHONNOUSERSITE": "1"}
    finally:
        box.run(["rm", "-rf", home], timeout_s=60.0)


def no_code_left(evidence: Evidence) -> bool:
    """The fixture has code and the work has none: tools have nothing to say about nothing."""
    root = evidence.scenario.fixture
    before = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and is_code(p.name)}
    if not before:
        return False
    changed = {os.fsdecode(c.path): c for c in evidence.changes}
    gone = [path for path, c in changed.items() if c.kind is ChangeKind.DELETE]
    below = tuple(f"{path}/" for path in gone)
    left = (p for p in before if p not in changed and not p.startswith(below))
    made = (c for path, c in changed.items() if is_code(path) and c.data.strip())
    return next(left, None) is None and next(made, None) is None


def _package(evidence: Evidence, change: Change) -> Iterator[Change]:
    """The work's package.json with the fixture's scripts."""
    original = evidence.original(os.fsdecode(change.path))
    if change.kind is not ChangeKind.FILE or original is None or len(change.data) > _PACKAGE_BYTES:
        return
    try:
        theirs, ours = json.loads(change.data), json.loads(original)
    except (ValueError, RecursionError):
        return
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        return
    if all(theirs.get(key) == ours.get(key) for key in SCRIPTS):
        return
    merged = {key: value for key, value in theirs.items() if key not in SCRIPTS}
    merged |= {key: ours[key] for key in SCRIPTS if key in ours}
    yield Change(change.path, change.kind, change.mode, json.dumps(merged, indent=2).encode())
