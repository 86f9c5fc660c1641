"""Projects travel as bytes, and what runs on a node is told apart by its files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.digests import tree_digest
from harness.errors import StoreFault
from harness.executors.build import this_build
from harness.executors.parcel import packed, unpacked


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    inner = root / "suites/one/scenarios/a/repo-fixture"
    inner.mkdir(parents=True)
    (inner / "run.sh").write_text("#!/bin/sh\n")
    (inner / "run.sh").chmod(0o755)
    (inner / "link").symlink_to("run.sh")
    os.link(inner / "run.sh", inner / "same.sh")
    (inner / ".git").mkdir()
    (root / "suites/two").mkdir()
    (root / "results").mkdir()
    (root / "results/bench.db").write_text("secret")
    (root / "agents").mkdir()
    (root / "prices.json5").write_text("{}")
    (root / "keys.env").write_text("KEY=secret")
    return root


def test_what_arrives_is_what_was_sent(project: Path, tmp_path: Path) -> None:
    parcel = packed(project, ["one", "one"])
    arrived = unpacked(parcel, tmp_path / "far")
    assert tree_digest(arrived / "suites/one") == tree_digest(project / "suites/one")
    assert sorted(f.name for f in arrived.iterdir()) == ["agents", "prices.json5", "suites"]
    assert [f.name for f in (arrived / "suites").iterdir()] == ["one"]
    assert b"secret" not in parcel.data
    assert unpacked(parcel, tmp_path / "far") == arrived
    assert list((tmp_path / "far").iterdir()) == [arrived]


def test_the_same_files_are_the_same_parcel_whenever_they_were_written(project: Path) -> None:
    before = packed(project, ["one"])
    os.utime(project / "prices.json5", (1, 1))
    assert packed(project, ["one"]).digest == before.digest
    (project / "prices.json5").write_text("{ }")
    assert packed(project, ["one"]).digest != before.digest


def test_damaged_bytes_are_not_unpacked(project: Path, tmp_path: Path) -> None:
    parcel = packed(project, ["one"])
    with pytest.raises(StoreFault, match="did not arrive as they were sent"):
        unpacked(replace(parcel, data=parcel.data[:-1] + b"x"), tmp_path / "far")
    assert not (tmp_path / "far").exists()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"mintmark": "9"}, "Mintmark 9"),
        ({"code": "0" * 64}, "00000000"),
        ({"python": "3.0.0"}, "Python 3.0.0"),
        ({"added": ("x=y 1",)}, "plugins"),
    ],
)
def test_a_build_that_differs_is_named(other: dict[str, object], said: str) -> None:
    mine = this_build()
    differs = mine.differs(replace(mine, **other))  # type: ignore[arg-type]  # by name
    assert differs is not None
    assert said in differs
    assert mine.differs(replace(mine, host="elsewhere")) is None
