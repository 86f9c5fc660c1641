from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.carrying import carried
from harness.domain.changes import Change, ChangeKind, Changes
from harness.testing.builders import a_scenario

FILES = {"src/app.py": "x\n", "src/tests/test_in.py": "i\n", "tests/test_app.py": "t\n"}


def delete(path: str) -> Change:
    return Change(path.encode(), ChangeKind.DELETE)


def file(path: str) -> Change:
    return Change(path.encode(), ChangeKind.FILE, data=b"new")


@pytest.mark.parametrize(
    ("change", "arrives"),
    [
        (file("src/app.py"), [("src/app.py", b"new")]),
        (file("tests/test_app.py"), []),
        (file("tests/new.py"), []),
        (delete("tests/test_app.py"), []),
        (delete("tests"), [("tests", b""), ("tests/test_app.py", b"t\n")]),
        (file("tests"), []),
        (delete("src"), [("src", b""), ("src/tests/test_in.py", b"i\n")]),
        (file("src"), []),
    ],
    ids=lambda value: f"{value.kind} {value.display}" if isinstance(value, Change) else "",
)
def test_protected_files_are_graded_as_the_fixture_has_them(
    tmp_path: Path, change: Change, arrives: list[tuple[str, bytes]]
) -> None:
    scenario = replace(a_scenario(tmp_path, files=FILES), protected=("tests/**", "src/tests/**"))
    got = [(c.path.decode(), c.data) for c in carried(scenario, Changes((change,)))]
    assert got == arrives
