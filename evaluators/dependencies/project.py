"""Everything that a tree says of dependencies, put together; and how much of it still stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from itertools import islice
from pathlib import PurePosixPath

from evaluators.dependencies.model import Declared, Lock, Manifest
from evaluators.dependencies.npm import npm_manifests
from evaluators.dependencies.npm_locks import read_bun, read_npm, read_pnpm, read_yarn
from evaluators.dependencies.python import python_manifests
from evaluators.dependencies.python_locks import read_pdm, read_pipenv, read_poetry, read_uv
from evaluators.dependencies.syntax import Unreadable
from evaluators.dependencies.tree import Tree, fixture_tree, graded_tree
from harness.evaluate import Evidence
from harness.load.versions import Ecosystem, Version, python_name, read_version

Reader = Callable[[str, str, Sequence[Manifest]], Lock]

LOCKS: Mapping[str, tuple[str, Ecosystem, Reader | None]] = {
    "package-lock.json": ("npm", Ecosystem.NPM, read_npm),
    "npm-shrinkwrap.json": ("npm", Ecosystem.NPM, read_npm),
    "pnpm-lock.yaml": ("pnpm", Ecosystem.NPM, read_pnpm),
    "yarn.lock": ("yarn", Ecosystem.NPM, read_yarn),
    "bun.lock": ("bun", Ecosystem.NPM, read_bun),
    "bun.lockb": ("bun", Ecosystem.NPM, None),
    "poetry.lock": ("poetry", Ecosystem.PYTHON, read_poetry),
    "uv.lock": ("uv", Ecosystem.PYTHON, read_uv),
    "pdm.lock": ("pdm", Ecosystem.PYTHON, read_pdm),
    "Pipfile.lock": ("pipenv", Ecosystem.PYTHON, read_pipenv),
}
"""Lock files by name; one without a reader is only seen to be there."""

MAX_LOCKS = 50
MAX_MANIFESTS = 500
MAX_GLOBS = 400
"""Of all roots of workspaces."""
MAX_ALL_DECLARED = 20_000


@dataclass(frozen=True, slots=True)
class Project:
    """Manifests, lock files and workspaces of one tree."""

    tree: Tree
    manifests: tuple[Manifest, ...]
    locks: tuple[Lock, ...]
    members: frozenset[str] = field(default_factory=frozenset)
    """The manifests of workspaces' members."""

    def manifest(self, path: str) -> Manifest | None:
        """One that can be read."""
        return next((m for m in self.manifests if m.path == path and not m.problem), None)

    def declared(self, name: str) -> list[Declared]:
        """Who asks for a dependency, everywhere."""
        names = {name, python_name(name)}
        return [
            each
            for manifest in self.manifests
            for each in manifest.declared
            if each.name == name or (manifest.ecosystem is Ecosystem.PYTHON and each.name in names)
        ]

    def resolved(self, declared: Declared) -> Version | None:
        """What a lock file has for it."""
        for lock in self.locks:
            found = lock.resolved.get((declared.manifest, declared.name))
            if found is not None:
                return read_version(found, declared.ecosystem)
        return None

    def locks_of(self, declared: Declared) -> list[Lock]:
        """The lock files that stand for its manifest."""
        folder = PurePosixPath(declared.manifest).parent
        above = {str(folder), *map(str, folder.parents)}
        ecosystem = declared.ecosystem
        return [
            lock
            for lock in self.locks
            if str(PurePosixPath(lock.path).parent) in above
            and LOCKS[lock.path.rpartition("/")[2]][1] is ecosystem
        ]


def before(evidence: Evidence) -> Project:
    """The project as the agent was given it."""
    return read_project(fixture_tree(evidence.scenario))


def after(evidence: Evidence) -> Project:
    """The project as it is graded."""
    return read_project(graded_tree(evidence))


def read_project(tree: Tree) -> Project:
    """All of a tree's manifests and lock files."""
    manifests = (
        *_bounded(npm_manifests(tree)),
        *_bounded(python_manifests(tree)),
    )
    paths = [path for path in tree.names if path.rpartition("/")[2] in LOCKS][:MAX_LOCKS]
    return Project(
        tree,
        manifests,
        tuple(_lock(tree, path, paths, manifests) for path in paths),
        frozenset(_members(manifests)),
    )


def _bounded(manifests: Iterator[Manifest]) -> Iterator[Manifest]:
    """Those that can be gone through: what lies behind them is as if it were gone."""
    left = MAX_ALL_DECLARED
    for manifest in islice(manifests, MAX_MANIFESTS):
        left -= len(manifest.declared)
        if left < 0:
            return
        yield manifest


def standing(was: Project, now: Project) -> tuple[float, list[str]]:
    """The share of the fixture's manifests that are still manifests, and what became of others."""
    sound = [m for m in was.manifests if not m.problem]
    lost = []
    for manifest in sound:
        found = now.manifest(manifest.path)
        if found is None:
            problem = next((m.problem for m in now.manifests if m.path == manifest.path), "")
            lost.append(f"{manifest.path} {f'cannot be read: {problem}' if problem else 'is gone'}")
        elif manifest.declared and not found.declared:
            lost.append(f"{manifest.path} has no dependency any more")
    return (1 - len(lost) / len(sound) if sound else 1.0), lost


def _lock(tree: Tree, path: str, paths: list[str], manifests: Sequence[Manifest]) -> Lock:
    manager, ecosystem, read = LOCKS[path.rpartition("/")[2]]
    text = tree.text(path)
    if text is None:
        return Lock(path, manager, problem="it is larger than what is read of a file")
    if read is None:
        return Lock(path, manager)
    own = [
        m
        for m in manifests
        if m.ecosystem is ecosystem and not m.problem and _home(m.path, paths, ecosystem, path)
    ]
    try:
        return read(path, text, own)
    except Unreadable as error:
        return Lock(path, manager, problem=str(error))


def _home(manifest: str, paths: list[str], ecosystem: Ecosystem, lock: str) -> bool:
    """The lock file is the nearest above the manifest; requirements files have none."""
    if manifest.endswith((".txt", "setup.cfg")):
        return False
    folder = PurePosixPath(manifest).parent
    folders = {
        str(PurePosixPath(p).parent) for p in paths if LOCKS[p.rpartition("/")[2]][1] is ecosystem
    }
    nearest = next((str(f) for f in (folder, *folder.parents) if str(f) in folders), None)
    return nearest == str(PurePosixPath(lock).parent)


def _members(manifests: Sequence[Manifest]) -> Iterator[str]:
    left = MAX_GLOBS
    for root in manifests:
        if root.workspaces is None:
            continue
        ask, leave = _patterns(root.workspaces[:left], root.folder)
        left -= len(ask) + len(leave)
        for each in manifests:
            if each.ecosystem is not root.ecosystem or each.path == root.path:
                continue
            parts = tuple(each.folder.split("/"))
            if any(_matches(parts, p) for p in ask) and not any(_matches(parts, p) for p in leave):
                yield each.path


def _patterns(
    globs: Sequence[str], folder: str
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    ask: list[tuple[str, ...]] = []
    leave: list[tuple[str, ...]] = []
    for glob in globs:
        where = ask if not glob.startswith("!") else leave
        plain = glob.lstrip("!").removeprefix("./").strip("/")[:200]
        path = plain if folder == "." else f"{folder}/{plain}"
        where.append(tuple(path.split("/")[:20]))
    return ask, leave


def _matches(parts: tuple[str, ...], glob: tuple[str, ...]) -> bool:
    reach = {0}
    for step in glob:
        if step == "**":
            reach = set(range(min(reach), len(parts) + 1)) if reach else set()
        else:
            fits = _step(step)
            reach = {i + 1 for i in reach if i < len(parts) and fits.match(parts[i])}
    return len(parts) in reach


@lru_cache(maxsize=16384)
def _step(step: str) -> re.Pattern[str]:
    return re.compile(_braces(step))


def _braces(step: str) -> str:
    head, brace, rest = step.partition("{")
    inner, end, tail = rest.partition("}")
    options = [f"{head}{each}{tail}" for each in inner.split(",")] if brace and end else [step]
    return "|".join(translate(each) for each in options)
