"""Scripts of the double as YAML files: turns chosen like `by_turn` does, and asides in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harness.domain.model import Usage
from harness.errors import BadFile, nearest
from harness.load.files import read_document
from harness.load.places import Place, Problem
from harness.testing.provider.script import SOME_USAGE, Call, Says

ASIDES = "asides"
COUNTS = tuple(field.name for field in fields(Usage))
TURN = {"says": str, "thinking": str, "calls": list, "usage": dict}
ASIDE = {"says": str, "thinking": str, "usage": dict}
"""Where no tool is offered none can be called."""
CALL = {"tool": str, "input": (dict, str)}


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """What a file says."""

    turns: tuple[Says, ...] = ()
    asides: tuple[Says, ...] = ()
    """For requests that offer no tool, such as a judge's."""


def load_script(path: Path) -> ScriptFile:
    """The answers in a file; raises BadFile.

    turns:
      - says: I look first.
        calls:
          - tool: run_command
            input: {command: ls}      # text is sent as it is, however broken
        usage: {input_tokens: 1200, output_tokens: 40, cached_tokens: 800}
      - says: Done.
    asides:
      - says: '{"scores": []}'
    """
    document = read_document(path)
    problems = tuple(_problems(document.value))
    if problems:
        raise BadFile(path, document.report(problems))
    raw: Any = document.value
    turns, asides = (tuple(map(_says, raw.get(key, ()))) for key in ("turns", ASIDES))
    return ScriptFile(turns, asides)


def _says(raw: dict[str, Any]) -> Says:
    return Says(
        text=raw.get("says", ""),
        calls=tuple(Call(call["tool"], call.get("input", {})) for call in raw.get("calls", ())),
        thinking=raw.get("thinking", ""),
        usage=Usage(**raw["usage"]) if "usage" in raw else SOME_USAGE,
    )


def _problems(value: object) -> Iterator[Problem]:
    yield from _unfit(value, {"description": str, "turns": list, ASIDES: list}, ())
    if not isinstance(value, dict):
        return
    if not value.get("turns") and not value.get(ASIDES):
        yield Problem((), "'turns' is missing or empty, and there are no 'asides'")
    for key, kinds in (("turns", TURN), (ASIDES, ASIDE)):
        given = value.get(key)
        for index, turn in enumerate(given if isinstance(given, list) else ()):
            place: Place = (key, index)
            yield from _unfit(turn, kinds, place)
            if isinstance(turn, dict):
                yield from _in_turn(turn, place)


def _in_turn(turn: dict[str, Any], place: Place) -> Iterator[Problem]:
    calls = turn.get("calls")
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        yield from _unfit(call, CALL, (*place, "calls", index))
        if isinstance(call, dict) and "tool" not in call:
            yield Problem((*place, "calls", index), "'tool' is missing")
    yield from _unfit(turn.get("usage", {}), dict.fromkeys(COUNTS, int), (*place, "usage"))


def _unfit(value: object, kinds: dict[str, Any], place: Place) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(place, f"{value!r:.40} is not a mapping")
        return
    for key, inner in value.items():
        if key not in kinds:
            yield Problem((*place, key), f"unknown key {key!r}; {nearest(key, kinds)}")
        elif not isinstance(inner, kinds[key]):
            yield Problem((*place, key), f"{inner!r:.40} is not what {key!r} takes")
