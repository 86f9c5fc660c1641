"""Edits of JSON5, JSONC and JSON text that leave the author's words alone.

Comments, order, quoting, spacing: every byte that an edit is not about stays as it was. What is
written new follows the file's own habits. Each edit is held to the value that it should give.
"""

from __future__ import annotations

import copy
import json
import math
import re
from dataclasses import dataclass, replace
from typing import Any

from harness.load.json_text import parse_json5
from harness.specialists.syntax import (
    Member,
    Node,
    breaks,
    line_indent,
    line_rest,
    nodes,
    read_tree,
)

Place = tuple[str | int, ...]

WIDTH = 100
QUOTES = "\"'"
"""The first is the usual one."""
_BARE_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_WORDS = frozenset({"null", "true", "false", "Infinity", "NaN"})


@dataclass(frozen=True, slots=True)
class _Habits:
    """How a file writes what is free to be written one way or another."""

    bare_keys: bool
    quote: str
    trailing_commas: bool
    indent: str
    line_end: str


def set_value(text: str, place: Place, value: object) -> str:
    """The text with `value` at `place`; keys that are missing on the way come last.

    Raises ValueError for a place that the text has no room for.
    """
    if not place:
        raise ValueError("the whole file is no place of an edit")
    tree, habits = _read(text)
    node, rest = _walk(tree, place)
    if not rest:
        if isinstance(value, str) and text[node.start] in QUOTES:
            # one author may have both
            habits = replace(habits, quote=text[node.start])
        rendered = _rendered(value, line_indent(text, _begin(tree, place)), habits)
        edited = text[: node.start] + rendered + text[node.end :]
    else:
        first, *inner = rest
        if not node.is_object or not all(isinstance(step, str) for step in rest):
            raise ValueError(f"nothing can be added at {list(place)}")
        new: object = value
        for step in reversed(inner):
            new = {step: new}
        edited = _added(text, node, (str(first), new), habits)
    return _checked(text, edited, place, value)


def append(text: str, place: Place, item: object) -> str:
    """The text with one more item at the end of the list at `place`, made when it is missing."""
    tree, habits = _read(text)
    node, rest = _walk(tree, place)
    if rest:
        return set_value(text, place, [item])
    if not node.is_list:
        raise ValueError(f"there is no list at {list(place)}")
    edited = _added(text, node, (None, item), habits)
    before: Any = _at(_value_of(text), place)
    return _checked(text, edited, place, [*before, item])


def remove(text: str, place: Place) -> str:
    """The text without the key or item at `place`; comments beside it stay."""
    tree, _ = _read(text)
    parent, rest = _walk(tree, place[:-1])
    found = [m for m in parent.members if m.step == place[-1]] if place and not rest else []
    if not found:
        raise ValueError(f"there is nothing at {list(place)}")
    member = found[-1]
    edited = _without(text, parent, member)
    expected: Any = copy.deepcopy(_value_of(text))
    del _at(expected, place[:-1])[place[-1]]
    return _same(edited, expected)


def _read(text: str) -> tuple[Node, _Habits]:
    tree = read_tree(text)
    objects = [node for node in nodes(tree) if node.is_object]
    keys = [text[m.start] for node in objects for m in node.members]
    scalars = [text[node.start] for node in nodes(tree) if not node.holds]
    quotes = [each for each in (*keys, *scalars) if each in QUOTES]
    lasts = [node.members[-1] for node in nodes(tree) if node.members]
    return tree, _Habits(
        bare_keys=any(each not in QUOTES for each in keys),
        quote=max(QUOTES, key=quotes.count),
        trailing_commas=any(member.comma is not None for member in lasts),
        indent=_unit(text, tree),
        line_end="\r\n" if "\r\n" in text else "\n",
    )


def _unit(text: str, tree: Node) -> str:
    for node in nodes(tree):
        for member in node.members:
            outer, inner = line_indent(text, node.start), line_indent(text, member.start)
            if inner != outer and inner.startswith(outer):
                return inner.removeprefix(outer)
    return "  "


def _walk(tree: Node, place: Place) -> tuple[Node, Place]:
    """The last value on the way that is there, and the steps that are not."""
    node = tree
    for depth, step in enumerate(place):
        found = [m for m in node.members if m.step == step and type(m.step) is type(step)]
        if not found:
            return node, place[depth:]
        node = found[-1].value
    return node, ()


def _begin(tree: Node, place: Place) -> int:
    """Where the member at `place` begins, with its key."""
    parent, _ = _walk(tree, place[:-1])
    return next(m.start for m in reversed(parent.members) if m.step == place[-1])


def _added(text: str, node: Node, new: tuple[str | None, object], habits: _Habits) -> str:
    name, value = new
    head = "" if name is None else f"{_key(name, habits)}: "
    if not node.members:
        return _first(text, node, (head, value), habits)
    last = node.members[-1]
    comma = "" if last.comma is None else ","
    missing = "," if last.comma is None else ""
    if not breaks(text, node.start, node.members[0].start):
        rendered = head + _rendered(value, line_indent(text, node.start), habits)
        inserted = f"{missing} {rendered}{comma}"
        return text[: last.end] + inserted + text[last.end :]
    indent = line_indent(text, node.members[0].start)
    rendered = head + _rendered(value, indent, habits, len(head))
    end = line_rest(text, last.end)
    at = last.end if end is None else end
    inserted = f"{habits.line_end}{indent}{rendered}{comma}"
    return text[: last.end] + missing + text[last.end : at] + inserted + text[at:]


def _first(text: str, node: Node, new: tuple[str, object], habits: _Habits) -> str:
    """The first member of an empty object or list; comments that stand in it stay before it."""
    head, value = new
    outer = line_indent(text, node.start)
    indent = outer + habits.indent
    close = node.end - 1
    rendered = head + _rendered(value, indent, habits, len(head))
    comma = "," if habits.trailing_commas else ""
    kept = text[node.start + 1 : close].rstrip(" \t\r\n")
    whole = text[: node.start + 1] + kept + f"{habits.line_end}{indent}{rendered}{comma}"
    return f"{whole}{habits.line_end}{outer}{text[close:]}"


def _without(text: str, parent: Node, member: Member) -> str:
    number = parent.members.index(member)
    begin, end = member.start, member.end
    line = max(text.rfind(each, 0, begin) for each in "\n\r") + 1
    if not text[line:begin].strip(" \t") and (rest := line_rest(text, end)) == _plain(text, end):
        # nothing else stands on its lines: they go whole
        begin, end = line, rest or end
        end += 2 if text.startswith("\r\n", end) else 1
    edited = text[:begin] + text[end:]
    before = parent.members[number - 1] if number else None
    if member.comma is None and before and before.comma is not None:
        edited = edited[: before.comma] + edited[before.comma + 1 :]
    return edited


def _plain(text: str, at: int) -> int:
    found = re.compile(r"[ \t]*").match(text, at)
    return found.end() if found else at


def _rendered(value: object, indent: str, habits: _Habits, head: int = 0) -> str:
    """A value; short ones on one line, others with their closing bracket at `indent`."""
    inline = _inline(value, habits)
    room = WIDTH - len(indent.expandtabs(4)) - head - 1
    if not isinstance(value, dict | list | tuple) or not value or len(inline) <= room:
        return inline
    inner = indent + habits.indent
    lines = []
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        name = f"{_key(step, habits)}: " if isinstance(value, dict) else ""
        lines.append(inner + name + _rendered(item, inner, habits, len(name)))
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    end = habits.line_end
    comma = "," if habits.trailing_commas else ""
    return f"{opening}{end}{f',{end}'.join(lines)}{comma}{end}{indent}{closing}"


def _inline(value: object, habits: _Habits) -> str:
    if isinstance(value, dict):
        items = ", ".join(f"{_key(k, habits)}: {_inline(v, habits)}" for k, v in value.items())
        return f"{{ {items} }}" if items else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_inline(item, habits) for item in value)}]"
    if isinstance(value, str):
        return _string(value, habits.quote)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value!r} cannot be written as JSON5")
    return json.dumps(value)


def _string(text: str, quote: str) -> str:
    plain = json.dumps(text, ensure_ascii=False)
    made = "".join(c if c.isprintable() else _escaped(c) for c in plain)
    if quote == '"':
        return made
    inner = made[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{inner}'"


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _key(name: object, habits: _Habits) -> str:
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is a key of JSON5 only as text")  # noqa: TRY004  # as set_value
    if habits.bare_keys and _BARE_KEY.fullmatch(name) and name not in _WORDS:
        return name
    return _string(name, habits.quote)


def _value_of(text: str) -> object:
    return parse_json5(text).value


def _at(value: Any, place: Place) -> Any:  # noqa: ANN401  # whatever the file holds
    for step in place:
        value = value[step]
    return value


def _checked(before: str, after: str, place: Place, value: object) -> str:
    expected: Any = copy.deepcopy(_value_of(before))
    inner = expected
    for step in place[:-1]:
        inner = inner.setdefault(step, {}) if isinstance(inner, dict) else inner[step]
    inner[place[-1]] = json.loads(json.dumps(value))
    return _same(after, expected)


def _same(text: str, expected: object) -> str:
    parsed = parse_json5(text)
    if parsed.problems or parsed.value != expected:
        raise ValueError("the edit did not give what it should; nothing was changed")
    return text
