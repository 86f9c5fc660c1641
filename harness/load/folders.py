"""The folders of a scenario: what the agent sees, what it must not see, what makes the image."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

FIXTURES = ("repo", "repo-fixture")
"""Where the repository is that the agent sees; the first that exists wins."""

HIDDEN = "hidden"
SOLUTION = "solution"
WRONG = "wrong"
SECRETS = frozenset({HIDDEN, SOLUTION, WRONG, "oracle-answers.json"})
NOT_BUILT_FROM = SECRETS.union(FIXTURES, ("prompts", "scripts"))
CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})

MAX_LISTED = 10

_GIT = frozenset({".git", ".gitmodules"})


def find_fixture(folder: Path) -> Path | None:
    """The folder of the repository that the agent sees."""
    return next((folder / name for name in FIXTURES if (folder / name).is_dir()), None)


def has_hidden_tests(folder: Path) -> bool:
    """Whether there is something for a test of level B to run."""
    return any(path.is_file() for path in (folder / HIDDEN).glob("test_*.py"))


def fixture_errors(folder: Path) -> list[str]:
    """Why the fixture cannot be used."""
    fixture = find_fixture(folder)
    if fixture is None:
        return [f"there is no {FIXTURES[1]}/ with the repository that the agent works on"]
    return _limited(_tree_errors(fixture, folder, _git_error))


def hidden_errors(folder: Path) -> list[str]:
    """Why the hidden files cannot be used."""
    hidden = folder / HIDDEN
    if not hidden.exists():
        return []
    if not hidden.is_dir():
        return [f"{HIDDEN}: is no folder"]
    return _limited(_tree_errors(hidden, folder, lambda _: None))


def caches(folder: Path) -> list[str]:
    """What tools have left in the fixture and the hidden files, which is in no clone of them."""
    tops = [top for top in (find_fixture(folder), folder / HIDDEN) if top is not None]
    found = (
        os.path.relpath(os.path.join(inner, name), folder)  # noqa: PTH118  # as below
        for top in tops
        for inner, folders, _ in os.walk(top)
        for name in sorted(CACHES.intersection(folders))
    )
    return _limited(f"{_display(path)}: remove it, it changes the digest" for path in found)


def dockerfile_errors(folder: Path, dockerfile: Path) -> list[str]:
    """Why an image cannot be built from this file without the agent seeing what is hidden."""
    name = dockerfile.relative_to(folder)
    if not os.path.isfile(dockerfile):  # noqa: PTH113  # Path raises for names that are too long
        return [f"{name}: there is no such Dockerfile in the scenario's folder"]
    real, root = dockerfile.resolve(), folder.resolve()
    if not real.is_relative_to(root):
        return [f"{name}: leads out of the scenario's folder"]
    parts = real.relative_to(root).parts
    if len(parts) == 1:
        return [f"{name}: must be in a folder of its own: everything beside it goes to the build"]
    if parts[0] in NOT_BUILT_FROM:
        return [f"{name}: {parts[0]}/ is not for building images; use a folder such as image/"]
    return _limited(_tree_errors(dockerfile.parent, folder, _secret_error))


def _git_error(name: str) -> str | None:
    if name not in _GIT:
        return None
    return "a fixture has no git data of its own; its history would be readable"


def _secret_error(name: str) -> str | None:
    return "hidden things must not be in an image" if name in SECRETS else None


def _tree_errors(top: Path, base: Path, name_error: Callable[[str], str | None]) -> Iterator[str]:
    root = os.path.realpath(top)
    for folder, folders, files in os.walk(top):
        for name in sorted([*folders, *files]):
            path = os.path.join(folder, name)  # noqa: PTH118  # one Path per file is slow
            said = name_error(name) or _entry_error(path, root)
            if said:
                yield f"{_display(os.path.relpath(path, base))}: {said}"
        folders[:] = sorted(name for name in folders if name_error(name) is None)


def _entry_error(path: str, root: str) -> str | None:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        target = os.readlink(path)  # noqa: PTH115  # as above
        end = os.path.realpath(path)
        if os.path.isabs(target) or not (end == root or end.startswith(root + os.sep)):  # noqa: PTH117
            return f"the symbolic link leaves its tree, to {target!r}"
    elif not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return "is neither file, folder nor symbolic link"
    return None


def _display(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _limited(errors: Iterable[str]) -> list[str]:
    found = list(errors)
    more = len(found) - MAX_LISTED
    return [*found[:MAX_LISTED], *([f"… and {more} more like it"] if more > 0 else [])]
