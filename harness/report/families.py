"""Scenarios that lean on each other, whatever they are called: those with the same fixture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def families(known: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """For each scenario the first name of all that share a fixture with it: its cluster.

    `known` are names and digests of fixtures; an empty one is not known.
    """
    heads: dict[str, str] = {}
    holders: dict[str, str] = {}
    for name, fixture in sorted(set(known)):
        heads.setdefault(name, name)
        if fixture:
            one, other = sorted((heads[name], heads[holders.setdefault(fixture, name)]))
            if one != other:
                heads = {each: one if head == other else head for each, head in heads.items()}
    return heads


def namesakes(heads: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """The names of every cluster that has several."""
    names: dict[str, list[str]] = {}
    for name, head in sorted(heads.items()):
        names.setdefault(head, []).append(name)
    return tuple(tuple(each) for each in names.values() if len(each) > 1)


def counted_once(namesakes: Sequence[Sequence[str]]) -> str:
    """The same of all such names in a sentence; empty where there are none."""
    if not namesakes:
        return ""
    names, count = sum(map(len, namesakes)), len(namesakes)
    if count == 1:
        return f"{names} names with the same fixture count as one scenario."
    return f"{names} names that share {count} fixtures count as {count} scenarios."


def as_one(names: Iterable[str]) -> str:
    """That they count as one, for people."""
    return f"{', '.join(names)} have the same fixture and count as one scenario."
