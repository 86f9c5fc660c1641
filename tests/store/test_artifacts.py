from __future__ import annotations

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.domain.artifact import Artifact
from harness.errors import StoreFault
from harness.store.artifacts import FileArtifacts
from tests.store.objects import Held


def kept(root: Path) -> list[Path]:
    return sorted(path for path in (root / "artifacts").rglob("*") if path.is_file())


def test_content_lies_compressed_under_its_digest(tmp_path: Path) -> None:
    artifact = FileArtifacts(tmp_path).put("log", b"line\n" * 10_000)
    (path,) = kept(tmp_path)
    assert path == tmp_path / "artifacts" / artifact.digest[:2] / artifact.digest[2:]
    assert path.stat().st_size < 500


def test_the_same_content_is_one_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        FileArtifacts(tmp_path).put(name, b"same")
    assert len(kept(tmp_path)) == 1


def test_content_lies_equal_everywhere_so_that_it_can_be_copied_over(
    held: Held, tmp_path: Path
) -> None:
    artifact = held.artifacts.put("log", b"line\n" * 10_000)
    (path,) = held.paths()
    folder = tmp_path / "copy"
    copied = folder / path.removeprefix(held.root).lstrip("/")
    copied.parent.mkdir(parents=True)
    copied.write_bytes(held.files.cat_file(path))
    assert FileArtifacts(folder).get(artifact) == b"line\n" * 10_000


@pytest.mark.parametrize(
    "damage",
    [b"", b"not zlib", zlib.compress(b"other"), zlib.compress(b"right, and more"),
     zlib.compress(b"right" * 1000)[:-9]],
    ids=["emptied", "overwritten", "exchanged", "longer", "cut short"],
)  # fmt: skip
def test_damaged_content_is_a_fault_and_not_an_answer(held: Held, damage: bytes) -> None:
    artifact = held.artifacts.put("log", b"right")
    held.damage(damage)
    with pytest.raises(StoreFault, match="'log' is no longer what was kept"):
        held.artifacts.get(artifact)


def test_keeping_the_same_again_repairs_a_damaged_file(held: Held) -> None:
    artifact = held.artifacts.put("log", b"right")
    held.damage(b"")
    held.artifacts.put("log", b"right")
    assert held.artifacts.get(artifact) == b"right"


def test_a_small_file_that_unpacks_to_very_much_is_not_unpacked(held: Held) -> None:
    artifact = held.artifacts.put("log", b"right")
    held.damage(zlib.compress(bytes(1 << 26)))
    with pytest.raises(StoreFault, match="no longer what was kept"):
        held.artifacts.get(artifact)


def test_many_writers_of_the_same_content_leave_it_whole(held: Held) -> None:
    data = os.urandom(300_000)

    def put(_: int) -> Artifact:
        return held.artifacts.put("x", data)

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(put, range(40)))
    assert len(made) == len(held.paths()) == 1
    assert held.artifacts.get(made.pop()) == data


def test_content_that_is_gone_is_a_fault_that_says_so(held: Held) -> None:
    artifact = held.artifacts.put("log", b"right")
    held.files.rm_file(held.paths()[0])
    with pytest.raises(StoreFault, match=r"could not read the artefact .*it is gone; restore"):
        held.artifacts.get(artifact)


def test_a_folder_that_cannot_be_made_is_a_fault_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("in the way")
    with pytest.raises(StoreFault, match=r"could not keep the artefact .*artifacts/.*resume"):
        FileArtifacts(tmp_path).put("log", b"x")


def test_what_a_killed_writer_left_is_swept_and_nothing_younger(tmp_path: Path) -> None:
    artifacts = FileArtifacts(tmp_path)
    artifact = artifacts.put("log", b"kept")
    folder = tmp_path / "artifacts" / "unfinished"
    now = datetime.now(UTC)
    for name, age in (("old", timedelta(hours=2)), ("young", timedelta(0))):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, times=((now - age).timestamp(),) * 2)
    assert artifacts.sweep(now - timedelta(hours=1)) == 1
    assert [path.name for path in folder.iterdir()] == ["young"]
    assert artifacts.get(artifact) == b"kept"


def test_there_is_nothing_to_sweep_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert FileArtifacts(tmp_path).sweep(datetime.now(UTC)) == 0
