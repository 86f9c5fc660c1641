"""What a shell command is for, told by its words; how unnamed commands get their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from harness.domain.scenario import Command

_MANAGER = r"\b(?:npm|pnpm|yarn|bun)\b(?: -\S+(?: @\S+)?)*(?: run(?:-script)?)?(?: -\S+(?: @\S+)?)*"

PATTERNS: Mapping[str, re.Pattern[str]] = {
    "install": re.compile(
        rf"{_MANAGER} (?:install|i|ci|add)\b|^yarn$|\b(?:pip3?|poetry|bundle|composer) install\b"
        r"|\buv (?:sync|pip install)\b|\bgo mod download\b|\bcargo fetch\b"
    ),
    "typecheck": re.compile(
        rf"{_MANAGER} (?:typecheck|type-check|check-types|check:types|types)\b"
        r"|\b(?:tsc|mypy|pyright|basedpyright)\b"
    ),
    "lint": re.compile(
        rf"{_MANAGER} lint\b|\b(?:eslint|ruff check|flake8|pyflakes|pylint|biome (?:lint|check))\b"
        r"|\b(?:golangci-lint|cargo clippy|go vet|make lint)\b"
    ),
    "test": re.compile(
        rf"{_MANAGER} (?:test|t)\b|\b(?:pytest|unittest|vitest|jest|tox|nox)\b"
        r"|\b(?:go|cargo|dotnet|mvn|gradle) test\b|\bmake (?:test|check)\b|\bnode --test\b"
    ),
    "build": re.compile(
        rf"{_MANAGER} build\b|^make(?: all| build)?$|\bpython3? -m (?:build|compileall)\b"
        r"|\b(?:cargo|go|dotnet|gradle|next|vite) build\b|\bmvn (?:package|compile)\b"
    ),
}
"""The first that is found names the command; docs/formats.md lists them in words."""

_PARTS = re.compile(r"&&|\|\||;|\n")
_SILENT = re.compile(r"(?:cd|export|set|mkdir|true|:)\b.*")


def purpose(command: str) -> str | None:
    """install, build, test, lint or typecheck; None when it is none of them or several at once."""
    parts = [part.strip() for part in _PARTS.split(command)]
    found = {_purpose(part) for part in parts if part and not _SILENT.fullmatch(part)}
    return found.pop() if len(found) == 1 else None


def _purpose(part: str) -> str | None:
    return next((kind for kind, pattern in PATTERNS.items() if pattern.search(part)), None)


def named(commands: Iterable[tuple[str | None, str]]) -> tuple[Command, ...]:
    """Every command with a name: the given one, or `build`, `build-2` …, or `command-<place>`."""
    listed = list(commands)
    taken = {name for name, _ in listed if name is not None}
    done = []
    for place, (name, run) in enumerate(listed, start=1):
        chosen = name if name is not None else _free(purpose(run) or f"command-{place}", taken)
        taken.add(chosen)
        done.append(Command(chosen, run))
    return tuple(done)


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
