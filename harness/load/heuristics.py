"""`heuristic_checks` of a scenario.yaml."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.domain.digests import bytes_digest
from harness.domain.heuristics import Heuristic, HeuristicKind
from harness.domain.ids import Digest
from harness.errors import nearest
from harness.load.folders import find_fixture
from harness.load.patterns import Dialect, finder
from harness.load.places import Place, Problem, shown
from harness.load.source import Source

BLOCK = "heuristic_checks"
LISTS: Mapping[str, HeuristicKind] = {
    "commands": HeuristicKind.COMMAND,
    "files": HeuristicKind.FILE,
    "patterns": HeuristicKind.PATTERN,
    "structured": HeuristicKind.STRUCTURED,
    "scripts": HeuristicKind.SCRIPT,
}

_STEP = re.compile(r"""\.([^.\[\]]+)|\[([0-9]{1,9})\]|\['([^']+)'\]|\["([^"]+)"\]""")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_OF_ARTIFACTS = "artifact."


@dataclass(frozen=True, slots=True)
class Heuristics:
    """What was read, and what is wrong with it."""

    items: tuple[Heuristic, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_heuristics(source: Source, folder: Path) -> Heuristics:
    """Every check of all five kinds, when the scenario makes checks of them."""
    askers = _askers(source)
    if not askers:
        return Heuristics()
    reader = _Reader(folder)
    items = tuple(reader.read(*each) for each in written(source))
    problems = reader.problems + list(_doubles(source))
    if source.is_whole(BLOCK) and not any(item.weight for item in items):
        why = "every check has weight 0" if items else f"there is no check in {BLOCK}"
        problems += [Problem(place, why) for place in askers]
    return Heuristics(items, tuple(problems))


def written(source: Source) -> Iterator[tuple[Place, HeuristicKind, Mapping[str, Any]]]:
    """Each check as it stands in the file."""
    block = source.part(BLOCK)
    for key, kind in LISTS.items():
        for index, item in enumerate(block.get(key, ())):
            yield (BLOCK, key, index), kind, item


def _askers(source: Source) -> list[Place]:
    """What makes the check: the block itself, or evaluators that are listed."""
    if source.part(BLOCK).get("enabled", False):
        return [(BLOCK,)]
    listed = source.items("evaluators")
    return [("evaluators", i) for i, item in listed if item.get("uses", item["name"]) == BLOCK]


def _doubles(source: Source) -> Iterator[Problem]:
    names = Counter(item["name"] for _, _, item in written(source))
    for place, _, item in written(source):
        if names[item["name"]] > 1:
            text = f"{shown(item['name'])} names more than one check"
            yield Problem((*place, "name"), text)


class _Reader:
    """Turns items into checks and keeps what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[Problem] = []
        self._folder = folder
        self._known = {"scenario.id": folder.name, "scenario.suite": folder.parent.parent.name}

    def read(self, place: Place, kind: HeuristicKind, item: Mapping[str, Any]) -> Heuristic:
        script = item.get("script")
        file = item.get("file", item.get("path"))
        if "pattern" in item:
            self._check_pattern(item, place)
        if "equals" in item and "json_path" not in item:
            self._say((*place, "equals"), "needs the `json_path` of the value it is compared with")
        return Heuristic(
            kind=kind,
            name=item["name"],
            weight=float(item.get("weight", 1.0)),
            description=item.get("description", ""),
            command=item.get("command"),
            file=None if file is None else _plain(file),
            pattern=item.get("pattern"),
            flags=item.get("flags", ""),
            path=self._steps(item["json_path"], place) if "json_path" in item else None,
            equals=json.dumps(item["equals"], sort_keys=True) if "equals" in item else None,
            section=item.get("section_header"),
            script=None if script is None else _plain(script),
            digest=None if script is None else self._script(script, (*place, "script")),
            args=tuple(
                self._filled(str(arg), (*place, "args", index))
                for index, arg in enumerate(item.get("args", ()))
            ),
            absent=item.get("absent", not item.get("exists", True)),
        )

    def _say(self, place: Place, text: str) -> None:
        self.problems.append(Problem(place, text))

    def _check_pattern(self, item: Mapping[str, Any], place: Place) -> None:
        try:
            finder(Dialect.JAVASCRIPT, item["pattern"], item.get("flags", ""))
        except ValueError as error:
            text = f"{shown(item['pattern'])} is no regular expression of JavaScript: {error}"
            self._say((*place, "pattern"), text)

    def _steps(self, path: str, place: Place) -> tuple[str | int, ...]:
        """`$.a.b[0]['c.d']` as its steps."""
        steps: list[str | int] = []
        at = 1
        while path.startswith("$") and (found := _STEP.match(path, at)):
            name, index, quoted, double = found.groups()
            steps.append(int(index) if index else name or quoted or double)
            at = found.end()
        if not steps or at != len(path):
            where = f"{shown(path[at:])} cannot follow" if steps else "it begins with `$.`"
            text = f"{shown(path)} is no path such as $.a.b[0] or $['a.b']: {where}"
            self._say((*place, "json_path"), text)
        return tuple(steps)

    def _script(self, name: str, place: Place) -> Digest | None:
        path, home = Path(os.path.realpath(self._folder / name)), self._folder.resolve()
        fixture = find_fixture(self._folder)
        if not path.is_relative_to(home):
            self._say(place, f"{shown(name)} leads out of the scenario's folder")
        elif fixture is not None and path.is_relative_to(fixture.resolve()):
            text = "is in the fixture, where the agent reads it; scripts are the scenario's own"
            self._say(place, f"{shown(name)} {text}")
        elif not os.path.isfile(path):  # noqa: PTH113  # Path raises for names that are too long
            text = "is not there; scripts are taken from the scenario's folder, not the workspace"
            self._say(place, f"{shown(name)} {text}")
        else:
            return bytes_digest(path.read_bytes())
        return None

    def _filled(self, arg: str, place: Place) -> str:
        for name in _VARIABLE.findall(arg):
            if name.startswith(_OF_ARTIFACTS):
                text = f"${{{name}}} is of artifact scenarios, which are not supported"
                self._say(place, text)
            elif name not in self._known:
                self._say(place, f"${{{name}}} is unknown; {nearest(name, self._known)}")
        return _VARIABLE.sub(lambda found: self._known.get(found[1], found[0]), arg)


def _plain(path: str) -> str:
    return path.removeprefix("./").rstrip("/")
