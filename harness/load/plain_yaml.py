"""YAML as package managers write it: mappings, lists and text, from files that anyone wrote.

Every scalar is text, so that the version `1.10` stays what it is. Aliases and tags are refused.
"""

from __future__ import annotations

import yaml

MAX_DEPTH = 64
_Holder = dict[str, object] | list[object]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_plain_yaml(text: str) -> object:
    """The first document's value; raises ValueError."""
    try:
        return _build(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error!s:.200}") from error


def _build(text: str) -> object:
    # an iterative reader: the nesting of a hostile file must not become the nesting of calls
    outer: list[tuple[_Holder, list[str]]] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done, _ = outer.pop()
            if not outer:
                return done
        elif isinstance(event, yaml.NodeEvent):
            value = _value(event)
            if outer:
                _put(outer[-1], value)
            if isinstance(value, str):
                if not outer:
                    return value
                continue
            if len(outer) >= MAX_DEPTH:
                raise ValueError("nested too deeply")
            outer.append((value, []))
    return None


def _value(event: yaml.NodeEvent) -> str | _Holder:
    if isinstance(event, yaml.ScalarEvent):
        return str(event.value)
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    raise ValueError("an alias, which no package manager writes")


def _put(top: tuple[_Holder, list[str]], value: object) -> None:
    holder, keys = top
    if isinstance(holder, list):
        holder.append(value)
    elif keys:
        holder[keys.pop()] = value
    elif isinstance(value, str):
        keys.append(value)
    else:
        raise ValueError("a key that is not text")
