"""Evidence made of two sets of files, as a diff evaluator sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path

from harness.domain.changes import FILE_MODE, LINK_MODE, Change, ChangeKind, Changes
from harness.domain.scenario import CheckSpec, Scenario
from harness.evaluate import Evidence, Work
from harness.patches import parse_patch
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

Files = Mapping[str, str]


def check_of(kind: str, **options: object) -> CheckSpec:
    return CheckSpec(kind, kind, 1.0, options=options)


def evidence_of(
    folder: Path, before: Files, after: Mapping[str, str | None], links: Files | None = None
) -> Evidence:
    """The fixture, and what stands in its place: None is a file that went."""
    return evidence_in(a_scenario(folder, files=before or {"README.md": "A.\n"}), after, links)


def evidence_in(
    scenario: Scenario, after: Mapping[str, str | None], links: Files | None = None
) -> Evidence:
    """The same for a scenario that is there."""
    changes, parts = [], []
    for name, text in sorted(after.items()):
        path = scenario.fixture / name
        old = path.read_text(encoding="utf-8") if path.is_file() else None
        if old != text:
            parts.append(_part(name, old, text))
            kind = ChangeKind.DELETE if text is None else ChangeKind.FILE
            changes.append(Change(os.fsencode(name), kind, FILE_MODE, (text or "").encode()))
    for name, target in (links or {}).items():
        parts.append(_part(name, None, target, mode="120000"))
        changes.append(Change(os.fsencode(name), ChangeKind.SYMLINK, LINK_MODE, target.encode()))
    patch = parse_patch("".join(parts).encode())
    return Evidence(
        scenario,
        Changes(tuple(changes)),
        FakeBox({}, {}),
        (),
        None,
        {},
        MemoryArtifacts().put,
        Work(patch=patch),
    )


def _part(name: str, old: str | None, new: str | None, mode: str = "100644") -> str:
    head = f"diff --git a/{name} b/{name}\n"
    if old is None:
        head += f"new file mode {mode}\n"
    if new is None:
        head += f"deleted file mode {mode}\n"
    was_name = "/dev/null" if old is None else f"a/{name}"
    now_name = "/dev/null" if new is None else f"b/{name}"
    was, now = ((text or "").splitlines(keepends=True) for text in (old, new))
    lines = unified_diff(was, now, was_name, now_name, n=3)
    return head + "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def folder_files(folder: Path) -> dict[str, str | None]:
    """All files of a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}
