"""JSON5 text as a tree of spans: where every value, key and comma stands, nothing thrown away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.load.json_text import parse_json5

_BLANK = r"(?:[\s\ufeff]|//[^\n\r\u2028\u2029]*|/\*.*?\*/)"
_SKIPPED = re.compile(rf"{_BLANK}*", re.DOTALL)
_REST_OF_LINE = re.compile(
    r"(?:[^\S\n\r\u2028\u2029]|\ufeff|/\*[^\n\r\u2028\u2029]*?\*/)*(?://[^\n\r\u2028\u2029]*)?"
)
_SCALAR = re.compile(
    r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:(?!//|/\*)[^\s\ufeff{}\[\]:,"'])+""", re.DOTALL
)
_LINE_END = re.compile(r"[\n\r\u2028\u2029]")


@dataclass(slots=True)
class Node:
    """A value's place in the text: `text[start:end]`."""

    start: int
    end: int
    is_object: bool = False
    is_list: bool = False
    members: list[Member] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """It is an object or a list."""
        return self.is_object or self.is_list


@dataclass(slots=True)
class Member:
    """A key with its value, or an item of a list, and the comma behind it."""

    step: str | int
    start: int
    value: Node
    comma: int | None = None

    @property
    def end(self) -> int:
        """Behind its comma, where it has one."""
        return self.value.end if self.comma is None else self.comma + 1


def read_tree(text: str) -> Node:
    """The tree of a text that is valid JSON5; raises ValueError for one that is not."""
    problems = [p.text for p in parse_json5(text).problems]
    if problems:
        raise ValueError("; ".join(problems))
    return _value(text, skip(text, 0))


def skip(text: str, at: int) -> int:
    """Behind white space and comments."""
    found = _SKIPPED.match(text, at)
    return found.end() if found else at


def line_rest(text: str, at: int) -> int | None:
    """Where the line ends, if only space and comments are left on it."""
    found = _REST_OF_LINE.match(text, at)
    end = found.end() if found else at
    return end if _LINE_END.match(text, end) else None


def line_indent(text: str, at: int) -> str:
    """The white space that begins the line on which `at` stands."""
    begin = max(text.rfind(end, 0, at) for end in "\n\r\u2028\u2029") + 1
    found = re.match(r"[ \t]*", text[begin:])
    return found[0] if found else ""


def breaks(text: str, start: int, end: int) -> bool:
    """There is a line's end between the two."""
    return _LINE_END.search(text, start, end) is not None


def nodes(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for member in node.members:
        yield from nodes(member.value)


def _value(text: str, at: int) -> Node:
    if text[at] in "{[":
        return _container(text, at)
    found = _SCALAR.match(text, at)
    if not found:
        raise ValueError(f"no value at {at}")
    return Node(at, found.end())


def _container(text: str, start: int) -> Node:
    node = Node(start, start, is_object=text[start] == "{", is_list=text[start] == "[")
    at = skip(text, start + 1)
    while text[at] not in "}]":
        begin, step = at, len(node.members)
        if node.is_object:
            key = _SCALAR.match(text, at)
            if not key:
                raise ValueError(f"no key at {at}")
            name: str | int = key_name(key[0])
            at = skip(text, skip(text, key.end()) + 1)
        else:
            name = step
        value = _value(text, at)
        member = Member(name, begin, value)
        node.members.append(member)
        at = skip(text, value.end)
        if text[at] == ",":
            member.comma = at
            at = skip(text, at + 1)
    node.end = at + 1
    return node


def key_name(token: str) -> str:
    """A key as it is meant: without its quotes and escapes."""
    if token[0] not in "\"'":
        token = f'"{token}"'
    return str(parse_json5(token).value)
