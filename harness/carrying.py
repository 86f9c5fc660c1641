"""What a grading sandbox is given: the work that may pass, and what the fixture has instead."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

import pathspec

from harness.domain.changes import (
    EXECUTABLE_MODE,
    FILE_MODE,
    LINK_MODE,
    Change,
    ChangeKind,
    Changes,
)
from harness.domain.scenario import Scenario


def carried(scenario: Scenario, changes: Changes) -> tuple[Change, ...]:
    """The changes that reach grading: what is protected stays as the fixture has it."""
    if not scenario.protected:
        return changes.items
    protected = pathspec.GitIgnoreSpec.from_lines(scenario.protected)
    kept, restored = [], []
    for change in changes:
        path = os.fsdecode(change.path)
        below = [c for c in originals(scenario, change) if protected.match_file(c.display)]
        if protected.match_file(path) or (below and change.kind is not ChangeKind.DELETE):
            continue
        kept.append(change)
        restored += below
    return (*kept, *restored)


def protected_files(scenario: Scenario) -> tuple[Change, ...]:
    """Every protected file as the fixture has it."""
    if not scenario.protected:
        return ()
    protected = pathspec.GitIgnoreSpec.from_lines(scenario.protected)
    names = protected.match_tree_files(scenario.fixture)
    return tuple(original(scenario, os.fsencode(name)) for name in sorted(names))


def originals(scenario: Scenario, change: Change) -> tuple[Change, ...]:
    """What stood at a changed path in the fixture: a file, a folder's files, or nothing."""
    path = scenario.fixture / os.fsdecode(change.path)
    if path.is_symlink() or not path.is_dir():
        return (original(scenario, change.path),)
    files = (p for p in sorted(path.rglob("*")) if p.is_symlink() or not p.is_dir())
    return tuple(original(scenario, os.fsencode(p.relative_to(scenario.fixture))) for p in files)


def hidden_files(scenario: Scenario) -> Mapping[str, bytes]:
    """What exists only while grading, by path below `hidden/`."""
    if scenario.hidden is None:
        return {}
    return {
        str(path.relative_to(scenario.hidden)): path.read_bytes()
        for path in sorted(scenario.hidden.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def with_room(scenario: Scenario) -> Scenario:
    """The scenario with a disk on which a full workspace can be rebuilt and built."""
    limits = replace(scenario.limits, disk_bytes=2 * scenario.limits.disk_bytes)
    return replace(scenario, limits=limits)


def original(scenario: Scenario, name: bytes) -> Change:
    """What stands at a path of the fixture; a deletion when it is nothing."""
    path = scenario.fixture / os.fsdecode(name)
    try:
        if path.is_symlink():
            return Change(name, ChangeKind.SYMLINK, LINK_MODE, os.fsencode(path.readlink()))
        is_file = path.is_file()
    except OSError:
        # a name that no file can have
        is_file = False
    if not is_file:
        return Change(name, ChangeKind.DELETE)
    mode = EXECUTABLE_MODE if path.stat().st_mode & 0o100 else FILE_MODE
    return Change(name, ChangeKind.FILE, mode, path.read_bytes())
