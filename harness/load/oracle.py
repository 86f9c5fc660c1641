"""oracle-answers.json: answers for the agent's questions, expected values for the grade."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.domain.scenario import Expectation, Oracle
from harness.errors import BadFile
from harness.load.files import read_document
from harness.load.patterns import Dialect, finder
from harness.load.places import Place, Problem
from harness.load.schema import ORACLE, schema_problems

FILE = "oracle-answers.json"


@dataclass(frozen=True, slots=True)
class OracleFile:
    """What was read, and what is wrong with it, as sentences that begin with the file's name."""

    oracle: Oracle
    errors: tuple[str, ...] = ()


def read_oracle(folder: Path, named: str | None, fixture: Path | None) -> OracleFile:
    """The file that scenario.yaml names, else oracle-answers.json where there is one."""
    name = named or FILE
    path = Path(os.path.realpath(folder / name))
    if not named and not os.path.lexists(folder / name):
        return OracleFile(Oracle())
    if misplaced := _place_error(path, folder.resolve(), fixture):
        return OracleFile(Oracle(), (f"{name}: {misplaced}",))
    try:
        document = read_document(path)
    except BadFile as error:
        return OracleFile(Oracle(), tuple(f"{name}: {problem}" for problem in error.problems))
    problems = schema_problems(document.value, ORACLE)
    raw: Mapping[str, Any] = document.value if isinstance(document.value, dict) else {}
    is_full = any(not isinstance(raw.get(key, ""), str) for key in ("answers", "expected"))
    items = raw.get("expected", []) if is_full and not problems else []
    problems = problems or tuple(_problems(items))
    if problems:
        return OracleFile(Oracle(), document.report(problems, prefix=f"{name} "))
    answers = raw.get("answers", {}) if is_full else raw
    return OracleFile(Oracle(tuple(answers.items()), tuple(map(_expectation, items))))


def _place_error(path: Path, folder: Path, fixture: Path | None) -> str | None:
    if not path.is_relative_to(folder):
        return "leads out of the scenario's folder"
    if fixture is not None and path.is_relative_to(fixture.resolve()):
        return "is in the fixture, where the agent would read it"
    is_there = os.path.isfile(path)  # noqa: PTH113  # Path raises for names that are too long
    return None if is_there else "there is no such file in the scenario's folder"


def _expectation(item: Mapping[str, Any]) -> Expectation:
    return Expectation(
        name=item["name"],
        file=item["file"].removeprefix("./"),
        weight=float(item.get("weight", 1.0)),
        path=_steps(item["path"]) if "path" in item else None,
        equals=json.dumps(item["equals"], sort_keys=True) if "equals" in item else None,
        matches=item.get("matches"),
        absent=item.get("absent", False),
    )


def _steps(path: str | list[str | int]) -> tuple[str | int, ...]:
    """`a.b.0`, where a number is a place in a list; a list of keys is taken as it stands."""
    if isinstance(path, list):
        return tuple(path)
    steps = path.split(".")
    return tuple(int(s) if s.isdecimal() and s.isascii() else s for s in steps)


def _problems(items: list[dict[str, Any]]) -> Iterator[Problem]:
    names = Counter(item["name"] for item in items)
    for index, item in enumerate(items):
        place: Place = ("expected", index)
        if names[item["name"]] > 1:
            yield Problem((*place, "name"), f"{item['name']!r} names more than one expected value")
        if "equals" in item and "path" not in item:
            yield Problem(
                (*place, "equals"), "needs the `path` of the value that it is compared with"
            )
        if "matches" in item and "path" in item:
            yield Problem((*place, "matches"), "is for the text of a file; `path` is for a value")
        if isinstance(item.get("path"), str) and "" in item["path"].split("."):
            yield Problem((*place, "path"), f"{item['path']!r} has an empty step")
        yield from _pattern_problems(item, place)
    if items and not any(item.get("weight", 1) for item in items):
        yield Problem(("expected",), "every expected value has weight 0")


def _pattern_problems(item: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    if "matches" not in item:
        return
    try:
        finder(Dialect.PYTHON, item["matches"], "m")
    except ValueError as error:
        text = f"{item['matches'][:60]!r} is no regular expression: {error}"
        yield Problem((*place, "matches"), text)
