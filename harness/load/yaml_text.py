"""YAML 1.2 core as plain data: no tags, no merge keys, every node's line remembered.

`no` and `2024-01-01` are text and `010` is ten, unlike in YAML 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from harness.load.places import Parsed, Place, Problem

MAX_DEPTH = 32
MAX_NODES = 50_000
"""Aliases may make a small file large; this is where it ends."""

_NUMERIC = "-+.0123456789"


def _tag(name: str) -> str:
    return f"tag:yaml.org,2002:{name}"


_SCALARS = (
    (_tag("null"), re.compile(r"(?:~|null|Null|NULL|)\Z"), ("~", "n", "N", "")),
    (_tag("bool"), re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), tuple("tTfF")),
    (_tag("int"), re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"), tuple(_NUMERIC)),
    (
        _tag("float"),
        re.compile(
            r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
        ),
        tuple(_NUMERIC),
    ),
)


class _CoreLoader(yaml.SafeLoader):
    """Composes nodes; nothing is ever constructed from a tag."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # the base class has it so
        first: [(tag, pattern) for tag, pattern, firsts in _SCALARS if first in firsts]
        for first in {first for *_, firsts in _SCALARS for first in firsts}
    }


def parse_yaml(text: str) -> Parsed:
    """The value of the one document in `text`, or what is wrong with it."""
    try:
        node = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        return Parsed(problems=(Problem((), f"{where}{error.problem or error.context}"),))
    except (yaml.YAMLError, ValueError) as error:
        return Parsed(problems=(Problem((), str(error).splitlines()[0]),))
    except RecursionError:
        return Parsed(problems=(Problem((), "nested too deeply"),))
    if node is None:
        return Parsed(problems=(Problem((), "the file is empty"),))
    reader = _Reader()
    value = reader.read(node, ())
    return Parsed(value, reader.lines, tuple(reader.problems))


class _Reader:
    """Turns nodes into data and keeps what is wrong with them."""

    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self._nodes = 0

    def read(self, node: yaml.Node, place: Place) -> object:
        self._nodes += 1
        self.lines[place] = node.start_mark.line + 1
        if self._nodes > MAX_NODES or len(place) > MAX_DEPTH:
            if not self.problems:
                self._note(place, "nested too deeply, or too much of it through aliases")
            return None
        if isinstance(node, yaml.MappingNode) and node.tag == _tag("map"):
            return dict(self._items(node, place))
        if isinstance(node, yaml.SequenceNode) and node.tag == _tag("seq"):
            return [self.read(item, (*place, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        self._note(place, f"the tag {node.tag!r} is not allowed")
        return None

    def _items(self, node: yaml.MappingNode, place: Place) -> Iterator[tuple[str, object]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _tag("str"):
                shown = repr(key) if isinstance(key, str) else "a list or mapping"
                line = key_node.start_mark.line + 1
                self._note(place, f"the key {shown} on line {line} is not text; put it in quotes")
                continue
            inner = (*place, key)
            if key in seen:
                line = key_node.start_mark.line + 1
                self._note(inner, f"the key {key!r} stands here and again on line {line}")
                continue
            seen.add(key)
            yield key, self.read(value_node, inner)
            self.lines[inner] = key_node.start_mark.line + 1

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> object:
        text = str(node.value)
        if node.tag == _tag("str"):
            return text
        try:
            return _PLAIN[node.tag](text)
        except (KeyError, ValueError):
            what = "the tag" if node.tag not in _PLAIN else "as"
            self._note(
                place, f"{text[:40]!r} cannot be read {what} {node.tag.rpartition(':')[2]!r}"
            )
            return None

    def _note(self, place: Place, text: str) -> None:
        self.problems.append(Problem(place, text))


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text, base)  # noqa: PLR2004  # decimal has no prefix


def _number(text: str) -> float:
    return float(text.replace(".inf", "inf").replace(".nan", "nan").lower())


_PLAIN = {
    _tag("null"): lambda _: None,
    _tag("bool"): lambda text: text.lower() == "true",
    _tag("int"): _integer,
    _tag("float"): _number,
}
