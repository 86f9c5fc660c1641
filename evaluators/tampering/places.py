"""What a path says about its file: a test, a lock file, something that a tool wrote."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

LOCKS: Final = {
    "package-lock.json": ("package.json",),
    "npm-shrinkwrap.json": ("package.json",),
    "pnpm-lock.yaml": ("package.json", "pnpm-workspace.yaml"),
    "yarn.lock": ("package.json",),
    "bun.lock": ("package.json",),
    "bun.lockb": ("package.json",),
    "poetry.lock": ("pyproject.toml",),
    "uv.lock": ("pyproject.toml",),
    "pdm.lock": ("pyproject.toml",),
    "pylock.toml": ("pyproject.toml",),
    "Pipfile.lock": ("Pipfile",),
    "Cargo.lock": ("Cargo.toml",),
    "go.sum": ("go.mod",),
    "composer.lock": ("composer.json",),
    "Gemfile.lock": ("Gemfile",),
}
"""A lock file and the manifests that it is made from."""

SOURCES: Final = frozenset(
    (
        ".py",
        ".pyi",
        ".pyw",
        ".js",
        ".jsx",
        ".mjs",
        ".cjs",
        ".ts",
        ".tsx",
        ".mts",
        ".cts",
        ".vue",
        ".svelte",
        ".go",
        ".rs",
        ".java",
        ".kt",
        ".kts",
        ".scala",
        ".c",
        ".h",
        ".cc",
        ".cpp",
        ".cxx",
        ".hh",
        ".hpp",
        ".m",
        ".mm",
        ".zig",
        ".dart",
        ".cs",
        ".rb",
        ".php",
        ".swift",
        ".sh",
        ".bash",
        ".zsh",
        ".pl",
        ".pm",
        ".lua",
        ".erl",
        ".ex",
        ".exs",
        ".groovy",
        ".sql",
        ".ps1",
    )
)
CONFIGS: Final = frozenset(
    (".toml", ".cfg", ".ini", ".json", ".jsonc", ".json5", ".yaml", ".yml", ".md", ".txt", ".xml")
)

_STARTED = re.compile(
    rb"#![^\n]{0,200}?[/ ](python|node|deno|bun|ruby|php|perl|lua|bash|zsh|sh)[\d.]*\s"
)
_OF_PROGRAM: Final = {
    "python": ".py",
    "node": ".js",
    "deno": ".ts",
    "bun": ".ts",
    "ruby": ".rb",
    "php": ".php",
    "perl": ".pl",
    "lua": ".lua",
    "bash": ".sh",
    "zsh": ".sh",
    "sh": ".sh",
}
_TEST_FOLDERS: Final = frozenset({"tests", "test", "__tests__", "spec", "specs", "e2e"})
_TEST_NAME = re.compile(
    r"(?:test_[^/]*|[^/]*_test)\.(?:py|go|rs|rb|exs?|c|cc|cpp)$"
    r"|[^/]*[.-](?:test|spec|cy|e2e)\.[cm]?[jt]sx?$"
    r"|[^/]*(?:Test|Tests|Spec)\.(?:java|kt|cs|scala|php|swift)$|[^/]*_spec\.rb$"
)
_GENERATED = re.compile(
    r"(?:^|/)(?:dist|build|out|coverage|__pycache__|node_modules|vendor|\.next|\.turbo)/"
    r"|\.min\.(?:js|css)$|\.map$|\.generated\.[a-z]+$|_pb2(?:_grpc)?\.pyi?$|\.pb\.go$"
    r"|(?:^|/)__snapshots__/|\.snap$|\.pyc$"
)


def name_of(path: str) -> str:
    """The last part."""
    return path.rpartition("/")[2]


def suffix_of(path: str) -> str:
    """The last suffix, in small letters."""
    return PurePosixPath(name_of(path)).suffix.lower()


def language_of(path: str, data: bytes) -> str:
    """The suffix of its language: its own, else that of the program that its first line starts."""
    suffix = suffix_of(path)
    started = None if suffix in SOURCES else _STARTED.match(data)
    return _OF_PROGRAM[started[1].decode()] if started else suffix


def is_test(path: str) -> bool:
    """It lies where tests lie or is called as they are."""
    folders = path.split("/")[:-1]
    return bool(_TEST_FOLDERS.intersection(folders)) or bool(_TEST_NAME.fullmatch(name_of(path)))


def is_code(path: str) -> bool:
    """A program is in it."""
    return suffix_of(path) in SOURCES


def is_text(path: str) -> bool:
    """It ought to be readable."""
    return suffix_of(path) in SOURCES | CONFIGS


def is_lock(path: str) -> bool:
    """A package manager wrote it."""
    return name_of(path) in LOCKS


def is_generated(path: str) -> bool:
    """A tool wrote it."""
    return is_lock(path) or bool(_GENERATED.search(path))


def is_snapshot(path: str) -> bool:
    """What a test's output is compared with, written by the test runner."""
    return path.endswith((".snap", ".ambr")) or "__snapshots__" in path.split("/")
