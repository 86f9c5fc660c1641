from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.load.project import MINIMAL, Project

Make = Callable[..., Project]


@pytest.mark.parametrize(
    ("line", "digest"),
    [
        ("threshold: 0.9", "definition"),
        ("protected: [a]", "definition"),
        ("network: full", "definition"),
        ("limits: {pids: 9}", "definition"),
        ("validation_commands: [make]", "definition"),
        ("description: other", None),
        ("tags: [x]", None),
        ("baseline: {run: [{cmd: make}]}", None),
    ],
)
def test_what_can_change_the_grade_changes_the_digest(
    project: Make, line: str, digest: str | None
) -> None:
    before = project().load().digests
    after = project(MINIMAL + line + "\n").load().digests
    changed = [
        n
        for n in ("fixture", "hidden", "image", "definition")
        if getattr(before, n) != getattr(after, n)
    ]
    assert changed == ([digest] if digest else [])


@pytest.mark.parametrize(
    ("file", "digest"),
    [
        ("repo-fixture/new.py", "fixture"),
        ("hidden/test_new.py", "hidden"),
        ("oracle-answers.json", "definition"),
        ("README.md", None),
        ("suite:prompts/sums/L1.md", None),
    ],
)
def test_each_file_belongs_to_one_digest(project: Make, file: str, digest: str | None) -> None:
    made = project()
    before = made.load().digests
    after = made.write({file: '{"a": "b"}'}).load().digests
    changed = [
        n
        for n in ("fixture", "hidden", "image", "definition")
        if getattr(before, n) != getattr(after, n)
    ]
    assert changed == ([digest] if digest else [])


def test_the_order_of_packages_does_not_change_the_image(project: Make) -> None:
    one = project("name: x\nimage: {packages: [a1, b1]}\nevaluators: [{name: build, command: x}]\n")
    first = one.load().digests.image
    two = project("name: x\nimage: {packages: [b1, a1]}\nevaluators: [{name: build, command: x}]\n")
    assert two.load().digests.image == first
