"""Globs for paths as shells write them: `**`, `*`, `?`, `[…]`, `{a,b}`."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice

MOST_CHOICES = 256
_SPECIAL = re.compile(r"[*?\[{]")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
UNENTERED = frozenset({"node_modules"})
"""Folders that `**` does not go into; a glob may name them."""


def is_glob(text: str) -> bool:
    """It may stand for more than one path."""
    return bool(_SPECIAL.search(text))


def matching(glob: str, paths: Iterable[str]) -> tuple[str, ...]:
    """The paths that a glob means, and the one that it is when it is taken as it stands.

    As in a shell, wildcards do not mean names that begin with a dot.
    """
    choices = [choice.split("/") for choice in islice(_choices(glob), MOST_CHOICES)]
    return tuple(
        path
        for path in paths
        if path == glob or any(_matches(choice, path.split("/")) for choice in choices)
    )


def _choices(glob: str) -> Iterator[str]:
    found = _BRACES.search(glob)
    if not found:
        yield glob
        return
    for choice in found[1].split(","):
        yield from _choices(glob[: found.start()] + choice + glob[found.end() :])


def _matches(steps: Sequence[str], names: Sequence[str]) -> bool:
    """Every step takes a name, and `**` any number: the sets of places reached stay small."""
    reached = {0}
    for step in steps:
        if step == "**":
            reached = {end for begin in reached for end in _runs(names, begin)}
        else:
            reached = {at + 1 for at in reached if at < len(names) and _is_named(names[at], step)}
        if not reached:
            return False
    return len(names) in reached


def _runs(names: Sequence[str], begin: int) -> Iterator[int]:
    yield begin
    for at in range(begin, len(names)):
        if names[at].startswith(".") or names[at] in UNENTERED:
            return
        yield at + 1


def _is_named(name: str, step: str) -> bool:
    if name.startswith(".") and not step.startswith("."):
        return False
    return bool(_regex(step).match(name))


@cache
def _regex(step: str) -> re.Pattern[str]:
    # fnmatch's translation does not backtrack over several stars
    return re.compile(fnmatch.translate(step.replace("[^", "[!")))
