"""A template and those that it is made `from`, as one; where each part of it came from is kept.

Mappings are merged key by key, and null takes an inherited key away. Everything else that a file
says takes the place of what it inherits, lists too, unless its `merge` names the list: then what is
new comes after what is inherited, and an item of the same name or address takes the place of the
inherited one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import BadFile, UsageError
from harness.load.enriched import home_of
from harness.load.files import read_document
from harness.load.places import Document, Place, Problem

FROM, MERGE = "from", "merge"
OWN = ("$schema", "name", "displayName", "version", FROM, MERGE, "version_metadata")
"""What a template says of itself alone."""
APPEND = "append"
EVERY = "*"
NAMES = ("url", "path", "source", "name", "model")
"""What items of lists are known by."""
MOST_ANCESTORS = 16

FindParent = Callable[[str, Path], Path]
"""The file that a reference means, seen from the file that holds it; raises UsageError."""


class Origin(NamedTuple):
    """The file that a part was taken from, and where it stands there."""

    path: Path
    place: Place


@dataclass(frozen=True, slots=True)
class Resolved:
    """A template with all that it inherits."""

    value: object
    chain: tuple[Document, ...]
    """Every file, the one that was asked for first."""
    origins: Mapping[Place, Origin]
    problems: tuple[Problem, ...] = ()
    """Of the first file: what could not be inherited."""

    def origin(self, place: Place) -> Origin:
        """Where the part at a place came from."""
        for end in range(len(place), -1, -1):
            if found := self.origins.get(place[:end]):
                return Origin(found.path, (*found.place, *place[end:]))
        return Origin(self.chain[0].path, place)

    def report(self, problems: Sequence[Problem]) -> tuple[str, ...]:
        """The problems as sentences, each with its place in the file that it came from."""
        homes = {document.path: document for document in self.chain}
        found: dict[Path, list[Problem]] = {path: [] for path in homes}
        for problem in problems:
            origin = self.origin(problem.place)
            found[origin.path].append(problem._replace(place=origin.place))
        return tuple(
            sentence
            for path, here in found.items()
            for sentence in homes[path].report(
                here, prefix="" if path == self.chain[0].path else f"{path}: "
            )
        )


def resolve(path: Path, find: FindParent) -> Resolved:
    """The template at a path, merged; raises BadFile for one of the files that cannot be read."""
    chain = [read_document(path)]
    problems: list[Problem] = []
    while (ref := _parent_of(chain[-1])) is not None:
        try:
            parent = find(ref, chain[-1].path)
            _refuse_endless([*(document.path for document in chain), parent])
            chain.append(read_document(parent))
        except BadFile as error:
            if len(chain) == 1 and error.path == path:
                raise
            problems.append(Problem((FROM,), f"{_way(chain, ref)}: {error}"))
            break
        except UsageError as error:
            problems.append(Problem((FROM,), f"{_way(chain, ref)}: {error}"))
            break
    return merged(chain, problems)


def merged(chain: Sequence[Document], problems: Iterable[Problem] = ()) -> Resolved:
    """The first file of a chain with all that it has from the others."""
    first, problems = chain[0].value, list(problems)
    if len(chain) == 1 and not isinstance(first, dict):
        return Resolved(first, tuple(chain), {}, tuple(problems))
    merging = _Merging(chain[-1].path)
    for document in reversed(chain):
        problems.extend(merging.add(document, chain[0].path))
    order = dict.fromkeys([*first, *merging.value] if isinstance(first, dict) else merging.value)
    value = {key: merging.value[key] for key in order if key in merging.value}
    return Resolved(value, tuple(chain), merging.origins, tuple(problems))


def _parent_of(document: Document) -> str | None:
    value = document.value
    ref = value.get(FROM) if isinstance(value, dict) else None
    return ref if isinstance(ref, str) and ref.strip() else None


def _way(chain: Sequence[Document], ref: str) -> str:
    """`a.json5 → b.json5 → @org/base`: how a reference was come to."""
    steps = [document.path.name for document in chain]
    return f"cannot be inherited ({' → '.join([*steps, ref])})"


def _refuse_endless(paths: Sequence[Path]) -> None:
    *before, last = [path.resolve() for path in paths]
    if last in before:
        names = " → ".join(path.name for path in paths[before.index(last) :])
        raise UsageError(f"it inherits from itself: {names}")
    if len(before) > MOST_ANCESTORS:
        raise UsageError(f"more than {MOST_ANCESTORS} templates inherit from one another in a row")


@dataclass(slots=True)
class _Merging:
    """What is merged so far, the farthest ancestor first."""

    root: Path
    value: dict[str, Any] = field(default_factory=dict)
    origins: dict[Place, Origin] = field(default_factory=dict)

    def add(self, document: Document, asked: Path) -> Iterator[Problem]:
        """Lay a file over what it inherits; yields what is wrong with how it says so."""
        given = document.value
        if not isinstance(given, dict):
            yield Problem((FROM,), f"{document.path} is not a template: {given!r:.40}")
            return
        for key in OWN:
            _forget(self.origins, (key,), self.value.pop(key, None))
        lists = given.get(MERGE)
        lists = lists if isinstance(lists, dict) else {}
        if lists and document.path == asked and FROM not in given:
            yield Problem((MERGE,), f"there is nothing to merge with: there is no {FROM!r}")
        for dotted in lists:
            if dotted != EVERY and not isinstance(_at(given, dotted), list):
                place = (MERGE, dotted) if document.path == asked else (FROM,)
                yield Problem(place, f"there is no list {dotted!r} in {document.path.name}")
        _Layer(document.path, lists, asked, self.root, self.origins).lay((), self.value, given)


@dataclass(frozen=True, slots=True)
class _Layer:
    path: Path
    lists: Mapping[str, Any]
    asked: Path
    root: Path
    """The file that inherits nothing: a null in it is a mistake, and is left for the schema."""
    origins: dict[Place, Origin]

    def lay(self, place: Place, below: dict[str, Any], above: Mapping[str, Any]) -> None:
        for key, new in above.items():
            here = (*place, key)
            old = below.get(key)
            if isinstance(new, dict) and new:
                # what comes from here is kept by the leaf: the rest of a mapping may be inherited
                if not isinstance(old, dict):
                    _forget(self.origins, here, old)
                    below[key] = old = {}
                self.lay(here, old, new)
            elif new is None and self.path != self.root:
                _forget(self.origins, here, below.pop(key, None))
            elif isinstance(new, list) and isinstance(old, list) and self._appends(here):
                self._append(here, old, new)
            else:
                _forget(self.origins, here, old)
                self.origins[here] = Origin(self.path, here)
                below[key] = self._own(here, new)

    def _appends(self, place: Place) -> bool:
        dotted = ".".join(map(str, place))
        return bool(self.lists.get(dotted, self.lists.get(EVERY)) == APPEND)

    def _append(self, place: Place, old: list[Any], new: list[Any]) -> None:
        whole = self.origins.pop(place, None)
        if whole is not None:
            for index in range(len(old)):
                self.origins[(*place, index)] = Origin(whole.path, (*whole.place, index))
        spots: dict[str, int] = {}
        for index, item in enumerate(old):
            spots.setdefault(_identity(item), index)
        for index, item in enumerate(self._own(place, new)):
            spot = spots.setdefault(_identity(item), len(old))
            _forget(self.origins, (*place, spot), old[spot] if spot < len(old) else None)
            old[spot : spot + 1] = [item]
            self.origins[(*place, spot)] = Origin(self.path, (*place, index))

    def _own(self, place: Place, value: Any) -> Any:  # noqa: ANN401  # JSON as it was read
        """A copy; the paths of documents are seen from the template that was asked for."""
        if isinstance(value, dict):
            return {key: self._own((*place, key), item) for key, item in value.items()}
        if not isinstance(value, list):
            return value
        items = [self._own(place, item) for item in value]
        if place != ("documentation",):
            return items
        base, target = home_of(self.path), home_of(self.asked)
        return items if base == target else [_moved(item, base, target) for item in items]


def _moved(document: Any, base: Path, target: Path) -> Any:  # noqa: ANN401  # JSON as it was read
    path = document.get("path") if isinstance(document, dict) else None
    if not isinstance(path, str) or "://" in path or Path(path).is_absolute():
        return document
    return {**document, "path": Path(os.path.relpath(base / path, target)).as_posix()}


def _identity(item: object) -> str:
    if isinstance(item, dict):
        item = next(([key, item[key]] for key in NAMES if key in item), item)
    return json.dumps(item, sort_keys=True)


def _at(value: object, dotted: str) -> object:
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _forget(origins: dict[Place, Origin], place: Place, value: object) -> None:
    """Drop what is known of a part that goes, and of all that is in it."""
    origins.pop(place, None)
    parts = value.items() if isinstance(value, dict) else ()
    for key, part in enumerate(value) if isinstance(value, list) else parts:
        _forget(origins, (*place, key), part)
