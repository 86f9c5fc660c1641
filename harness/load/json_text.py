"""JSON and JSON5 as plain data, with the line of every part and keys that stand twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pyjson5

from harness.load.places import Parsed, Place, Problem

MAX_DEPTH = 32

_TOKEN = re.compile(
    r"""//[^\n\r\u2028\u2029]*|/\*.*?\*/"""
    r"""|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
    r"""|[{}\[\]:,]|[^\s\ufeff{}\[\]:,"'/]+""",
    re.DOTALL,
)
_NEAR = re.compile(r"\A(.*?) near (\d+)", re.DOTALL)


def parse_json5(text: str) -> Parsed:
    """The value of a JSON5 or JSONC text, or what is wrong with it."""
    try:
        value: object = pyjson5.decode(text, MAX_DEPTH)
    except pyjson5.Json5DecoderException as error:
        return Parsed(problems=(Problem((), _complaint(text, str(error.args[0]))),))
    return _with_keys(text, value)


def parse_json(text: str) -> Parsed:
    """The value of a strict JSON text, or what is wrong with it."""
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return Parsed(problems=(Problem((), f"{where}: {error.msg}"),))
    except (ValueError, RecursionError) as error:
        return Parsed(problems=(Problem((), f"cannot be read: {error}"),))
    if _is_deep(value, MAX_DEPTH):
        return Parsed(problems=(Problem((), f"is nested deeper than {MAX_DEPTH} levels"),))
    return _with_keys(text, value)


def _is_deep(value: object, most: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and (not most or any(_is_deep(each, most - 1) for each in value))


def _complaint(text: str, message: str) -> str:
    found = _NEAR.match(message)
    if not found:
        return message
    line = text.count("\n", 0, int(found[2])) + 1
    said = found[1].replace(" starting", "").replace("b'", "'")
    return f"line {line}: {said}"


def _with_keys(text: str, value: object) -> Parsed:
    lines: dict[Place, int] = {(): 1}
    problems = []
    for key in _keys(text):
        if key.again:
            problems.append(
                Problem(
                    key.place, f"the key {key.place[-1]!r} stands here and again on line {key.line}"
                )
            )
        else:
            lines[key.place] = key.line
    return Parsed(value, lines, tuple(problems))


class _Key(NamedTuple):
    place: Place
    line: int
    again: bool


@dataclass(slots=True)
class _Frame:
    """An object or a list that the scan is inside of; `step` is where it stands."""

    place: Place
    is_object: bool
    step: str | int = 0
    awaits_key: bool = False
    seen: set[str] = field(default_factory=set)


def _keys(text: str) -> Iterator[_Key]:
    """Every key, and every item of a list, of a text that a parser has found to be valid."""
    stack: list[_Frame] = []
    line, upto = 1, 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        line, upto = line + text.count("\n", upto, match.start()), match.start()
        if token.startswith(("//", "/*")):
            continue
        if stack and not stack[-1].is_object and token not in {"]", ","}:
            yield _Key((*stack[-1].place, stack[-1].step), line, again=False)
        if token in _STEPS:
            _STEPS[token](stack)
        elif stack and stack[-1].awaits_key:
            frame = stack[-1]
            name = _name(token)
            yield _Key((*frame.place, name), line, again=name in frame.seen)
            frame.step, frame.awaits_key = name, False
            frame.seen.add(name)


def _open(stack: list[_Frame], *, is_object: bool) -> None:
    place = (*stack[-1].place, stack[-1].step) if stack else ()
    stack.append(_Frame(place, is_object, awaits_key=is_object))


def _close(stack: list[_Frame]) -> None:
    if stack:
        stack.pop()


def _next(stack: list[_Frame]) -> None:
    if stack and stack[-1].is_object:
        stack[-1].awaits_key = True
    elif stack and isinstance(stack[-1].step, int):
        stack[-1].step += 1


def _name(token: str) -> str:
    try:
        # a bare name may be spelt with escapes too
        return str(pyjson5.decode(token if token[0] in "\"'" else f'"{token}"'))
    except pyjson5.Json5DecoderException:
        return token


_STEPS: Mapping[str, Callable[[list[_Frame]], None]] = {
    "{": lambda stack: _open(stack, is_object=True),
    "[": lambda stack: _open(stack, is_object=False),
    "}": _close,
    "]": _close,
    ",": _next,
    ":": lambda _: None,
}
