"""Which files of a patch a reader needs most, when not all of them can be shown."""

from __future__ import annotations

import re
from enum import IntEnum

from harness.domain.patch import FilePatch, PatchKind


class Rank(IntEnum):
    """What a file is, by its name; the first come first."""

    SOURCE = 0
    SETTINGS = 1
    TESTS = 2
    TEXTS = 3
    GENERATED = 4
    BINARY = 5


_FLAGS = re.IGNORECASE
_GENERATED = re.compile(
    r"(?:^|/)(?:node_modules|vendor|dist|build|out|target|coverage|__snapshots__|__pycache__"
    r"|\.next|\.venv|venv)/"
    r"|(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|bun\.lockb?|go\.sum)$"
    r"|\.(?:lock|min\.js|min\.css|map|snap|log|svg|csv)$",
    _FLAGS,
)
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|testing|e2e|fixtures?)/"
    r"|(?:^|/)(?:test_[^/]*|conftest\.py)$|[._-](?:test|spec)s?\.[^./]+$",
    _FLAGS,
)
_TEXTS = re.compile(r"\.(?:md|rst|txt|adoc|html?)$|(?:^|/)(?:docs?|LICENSE[^/]*|NOTICE)$", _FLAGS)
_SETTINGS = re.compile(
    r"\.(?:json5?|jsonc|ya?ml|toml|ini|cfg|conf|properties|xml|env)$|(?:^|/)\.[^/]+$", _FLAGS
)


def rank(file: FilePatch) -> Rank:
    """What a file is; a name that says nothing is source."""
    path = file.path[-1000:]
    if file.binary:
        return Rank.BINARY
    for kind, names in (
        (Rank.GENERATED, _GENERATED),
        (Rank.TESTS, _TESTS),
        (Rank.TEXTS, _TEXTS),
        (Rank.SETTINGS, _SETTINGS),
    ):
        if names.search(path):
            return kind
    return Rank.SOURCE


def order(file: FilePatch) -> tuple[Rank, bool, int, str]:
    """A key to sort files by: what matters most first, of the like the small ones first.

    Files that were there before come before new ones, of which anybody can add a thousand.
    """
    return rank(file), file.kind is PatchKind.ADDED, len(file.text), file.path
