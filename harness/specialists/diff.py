"""What is different between two templates or snapshots: in words, and line by line."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard

from harness.report.words import plural
from harness.specialists.json5 import to_json5

NAMES = ("run_id", "url", "path", "source", "model", "name", "version")
"""What items of lists are known by, the first that an item has."""
SHOWN_CHARS = 70
MOST_LISTED = 5
_NOTHING = object()

Place = tuple[str | int, ...]


class Kind(StrEnum):
    """What happened to a part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    """Items of a list stand in another order."""


_Group = tuple[Place, Kind]


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that is not as it was; items of lists go by their names."""

    place: Place
    kind: Kind
    before: object = None
    after: object = None

    @property
    def path(self) -> str:
        """`persona.values`, `documentation[https://a.example/].description`."""
        text = ""
        for step in self.place:
            text += f"[{step}]" if isinstance(step, int) or _is_name(step) else f".{step}"
        return text.removeprefix(".") or "everything"


def differences(before: object, after: object) -> tuple[Difference, ...]:
    """Everything that is different, in the order of the later document."""
    return tuple(_compared((), before, after))


def in_words(found: Sequence[Difference]) -> Iterator[str]:
    """One sentence for each difference; many of one kind at one place are one."""
    groups: dict[_Group | None, list[Difference]] = {}
    for each in found:
        groups.setdefault(_group(each), []).append(each)
    for each in found:
        group = _group(each)
        alike = groups[group]
        if group is None or len(alike) <= MOST_LISTED:
            yield _sentence(each)
        elif each is alike[0]:
            place, kind = group
            names = ", ".join(str(one.place[-1]) for one in alike[:MOST_LISTED])
            yield f"{Difference(place, kind).path}: {len(alike)} {kind}: {names}, …"


def _group(each: Difference) -> _Group | None:
    """With which others it is told, where it is an item that came or went."""
    if each.kind in {Kind.ADDED, Kind.REMOVED} and each.place and _is_name(each.place[-1]):
        return each.place[:-1], each.kind
    return None


def unified(before: object, after: object, names: tuple[str, str]) -> Iterator[str]:
    """Both as they would be written, line by line; comments and spacing are left out of it."""
    old, new = (to_json5(each).splitlines() for each in (before, after))
    yield from difflib.unified_diff(old, new, *names, lineterm="")


def document(found: Sequence[Difference]) -> list[dict[str, object]]:
    """The differences as JSON has them."""
    return [
        {
            "place": each.path,
            "kind": each.kind.value,
            **({} if each.kind is Kind.ADDED else {"before": each.before}),
            **({} if each.kind is Kind.REMOVED else {"after": each.after}),
        }
        for each in found
    ]


def _compared(place: Place, before: object, after: object) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _mappings(place, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(place, before, after)
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield Difference(place, Kind.CHANGED, before, after)


def _mappings(
    place: Place, before: Mapping[str, object], after: Mapping[str, object]
) -> Iterator[Difference]:
    for key in (*after, *(key for key in before if key not in after)):
        here = (*place, key)
        old, new = before.get(key, _NOTHING), after.get(key, _NOTHING)
        if old is _NOTHING:
            yield Difference(here, Kind.ADDED, None, new)
        elif new is _NOTHING:
            yield Difference(here, Kind.REMOVED, old)
        else:
            yield from _compared(here, old, new)


def _lists(place: Place, before: list[object], after: list[object]) -> Iterator[Difference]:
    old, new = _by_name(before), _by_name(after)
    if old is None or new is None:
        for index in range(max(len(before), len(after))):
            here = (*place, index)
            if index >= len(before):
                yield Difference(here, Kind.ADDED, None, after[index])
            elif index >= len(after):
                yield Difference(here, Kind.REMOVED, before[index])
            else:
                yield from _compared(here, before[index], after[index])
        return
    for name in (*new, *(name for name in old if name not in new)):
        here = (*place, name)
        if name not in old:
            yield Difference(here, Kind.ADDED, None, new[name])
        elif name not in new:
            yield Difference(here, Kind.REMOVED, old[name])
        else:
            yield from _compared(here, old[name], new[name])
    if [name for name in old if name in new] != [name for name in new if name in old]:
        yield Difference(place, Kind.MOVED, list(old), list(new))


class _Name(str):
    """A list's item as a step of a place: what it is known by."""

    __slots__ = ()


def _is_name(step: object) -> bool:
    return isinstance(step, _Name)


def _by_name(items: list[object]) -> dict[_Name, object] | None:
    """The items by what they are known by; None when two would be the same."""
    found = {_name(item): item for item in items}
    return found if len(found) == len(items) else None


def _name(item: object) -> _Name:
    if isinstance(item, dict):
        key = next((key for key in NAMES if isinstance(item.get(key), str)), None)
        if key:
            return _Name(item[key])
    return _Name(item if isinstance(item, str) else json.dumps(item, sort_keys=True))


def _sentence(each: Difference) -> str:
    last = each.place[-1] if each.place else ""
    if each.kind is Kind.MOVED:
        return f"{each.path}: in another order"
    if each.kind is Kind.CHANGED:
        return f"{each.path}: {_change(each.before, each.after)}"
    value = each.after if each.kind is Kind.ADDED else each.before
    if isinstance(value, str) and _is_name(last) and value == last:
        where = Difference(each.place[:-1], each.kind).path
        return f"{where}: {each.kind} {_shown(value)}"
    return f"{each.path}: {each.kind} {_shown(value)}".rstrip()


def _change(before: object, after: object) -> str:
    if isinstance(before, str) and isinstance(after, str):
        old, new = before.splitlines(), after.splitlines()
        if max(len(old), len(new)) > 1:
            lines = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
            more = sum(line.startswith("+") for line in lines)
            fewer = sum(line.startswith("-") for line in lines)
            return f"changed: {plural(more, 'line')} came, {plural(fewer, 'line')} went"
    if _is_number(before) and _is_number(after):
        return f"{before:g} → {after:g} ({after - before:+g})"
    return f"{_shown(before)} → {_shown(after)}"


def _is_number(value: object) -> TypeGuard[float]:
    """One that can be shown as such: an author may have written an integer of any length."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return f"({plural(len(value), 'key')})"
    if isinstance(value, list) and len(json.dumps(value)) > SHOWN_CHARS:
        return f"({plural(len(value), 'item')})"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"
