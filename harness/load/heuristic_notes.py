"""Heuristic checks that can hardly be meant as they are written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from harness.domain.heuristics import HeuristicKind
from harness.load.folders import SOLUTION, find_fixture
from harness.load.globs import is_glob, matching
from harness.load.heuristics import written
from harness.load.overlays import SOLUTION_PATCH
from harness.load.places import Place, Problem
from harness.load.source import Source

_NEGATION = re.compile(
    r"(?:no|not|non|without|avoids?|never|lacks?|does not|doesn t|do not|don t|must not|should not"
    r"|absence|free of)(?: \w+|$)"
)
_TURN: Mapping[HeuristicKind, tuple[str, str]] = {
    HeuristicKind.FILE: ("absent", "`absent: true`"),
    HeuristicKind.PATTERN: ("absent", "`absent: true`"),
    HeuristicKind.STRUCTURED: ("exists", "`exists: false`"),
}
"""The key that turns a check round. Commands that are named so do check for success."""


def heuristic_notes(source: Source) -> Iterator[str]:
    """Checks named for what must not be that demand it, and checks that nothing can satisfy."""
    problems = [
        *(p for each in written(source) for p in _inverted(*each)),
        *_unmatched(source, source.document.path.parent),
    ]
    yield from source.document.report(problems)


def _inverted(place: Place, kind: HeuristicKind, item: Mapping[str, Any]) -> Iterator[Problem]:
    if kind not in _TURN:
        return
    key, fix = _TURN[kind]
    looked_for = _words(" ".join(str(item.get(k, "")) for k in ("path", "file", "pattern")))
    for said in (item["name"], item.get("description", "")):
        words = _words(said)
        found = _NEGATION.match(words)
        # a check of app/not-found.tsx may well be called not_found_page
        if found and key not in item and found[0] not in looked_for:
            text = f"{said!r} sounds as if it must not be there, but the check demands it; add"
            yield Problem(place, f"{text} {fix}, or `{key}: {_as_is(key)}` if it is meant so")
            return


def _as_is(key: str) -> str:
    return "true" if key == "exists" else "false"


def _words(text: str) -> str:
    """A name or a sentence as small words."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(re.findall(r"\w+", apart.replace("_", " ").lower()))


def _unmatched(source: Source, folder: Path) -> Iterator[Problem]:
    """Files that are nowhere, as far as the scenario's folders can tell."""
    fixture, solution = find_fixture(folder), folder / SOLUTION
    if fixture is None:
        return
    before = sorted(_files(fixture))
    solved = solution.is_dir() and not (solution / SOLUTION_PATCH).exists()
    known = [*before, *(_files(solution) if solved else ())]
    for place, kind, item in written(source):
        wanted = str(item.get("file", item.get("path", ""))).removeprefix("./").rstrip("/")
        if kind not in _TURN or item.get("absent") or not item.get("exists", True):
            continue
        if matching(wanted, known):
            continue
        akin = [] if is_glob(wanted) else _akin(wanted, before)
        if solved:
            text = f"{wanted!r} is no file of the fixture or of {SOLUTION}/, so this cannot hold"
            yield Problem(place, text)
        elif akin:
            yield Problem(place, f"{wanted!r} is not in the fixture, but {akin[0]!r} is")


def _akin(wanted: str, paths: list[str]) -> list[str]:
    """Files that only their suffix tells apart."""
    stem = PurePosixPath(wanted).with_suffix("")
    return [path for path in paths if PurePosixPath(path).with_suffix("") == stem]


def _files(top: Path) -> Iterator[str]:
    """Files, and the folders that hold them."""
    for folder, folders, files in os.walk(top):
        for name in (*files, *folders):
            yield os.path.relpath(Path(folder) / name, top)
