from __future__ import annotations

import pytest

from harness.load.commands import named, purpose


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("npm install", "install"),
        ("npm ci", "install"),
        ("pnpm i --frozen-lockfile", "install"),
        ("yarn", "install"),
        ("python3 -m pip install -e .", "install"),
        ("uv sync", "install"),
        ("npm run build", "build"),
        ("pnpm -r build", "build"),
        ("make", "build"),
        ("python3 -m compileall -q src", "build"),
        ("cargo build --release", "build"),
        ("npm run typecheck", "typecheck"),
        ("npx tsc --noEmit", "typecheck"),
        ("pnpm -w -r -F @acme/app tsc --noEmit", "typecheck"),
        ("python3 -m mypy src", "typecheck"),
        ("npm run lint", "lint"),
        ("npx eslint .", "lint"),
        ("ruff check .", "lint"),
        ("python3 -m pyflakes src", "lint"),
        ("pnpm -w -r lint --if-present", "lint"),
        ("npm test", "test"),
        ("pnpm -w -r test --if-present", "test"),
        ("python3 -m unittest -q", "test"),
        ("cd app && pytest -q", "test"),
        ("node --test", "test"),
        ("go test ./...", "test"),
        ("npm install && npm run build", None),
        ("./check.sh", None),
        ("echo done", None),
    ],
)
def test_a_command_is_known_by_its_words(command: str, kind: str | None) -> None:
    assert purpose(command) == kind


def test_unnamed_commands_get_names_of_their_own() -> None:
    listed = [(None, "npm ci"), (None, "yarn add x"), ("build", "x"), (None, "make"), (None, "./y")]
    assert [c.name for c in named(listed)] == [
        "install",
        "install-2",
        "build",
        "build-2",
        "command-5",
    ]
