from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from harness.errors import StoreFault, UsageError
from harness.sandbox.owner import this_process
from harness.specialists.numbering import write_numbered
from harness.specialists.staging import staged
from harness.specialists.writing import replace_text, write_enriched

MINTER = Path(__file__).with_name("minter.py")
ROOT = Path(__file__).parents[2]


def start(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(MINTER), str(folder), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def test_numbers_count_on_from_the_highest(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "1.0.0"

    first = write_numbered(folder, "one")
    (folder / "snapshot-041.json5").write_text("by hand")
    (folder / "snapshot-99.json5").write_text("not one of ours")
    second = write_numbered(folder, "two")

    assert (first.number, first.path.name) == (1, "snapshot-001.json5")
    assert (second.number, second.path.name) == (42, "snapshot-042.json5")
    assert second.path.read_text() == "two"


def test_a_number_may_have_more_than_three_digits(tmp_path: Path) -> None:
    (tmp_path / "snapshot-999.json5").touch()

    assert write_numbered(tmp_path, "x").path.name == "snapshot-1000.json5"
    assert write_numbered(tmp_path, "x").path.name == "snapshot-1001.json5"


def test_two_processes_get_forty_different_numbers(tmp_path: Path) -> None:
    both = [start(tmp_path, name, 20) for name in ("one", "two")]
    for process in both:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    numbers = [int(line) for process in both for line in process.communicate()[0].split()]

    assert sorted(numbers) == list(range(1, 41))
    assert [process.returncode for process in both] == [0, 0]
    written = [path.read_text() for path in sorted(tmp_path.iterdir())]
    assert len({text.splitlines()[0] for text in written}) == 40
    assert all(text.endswith("// end\n") for text in written)


def test_a_killed_process_leaves_nothing_that_counts(tmp_path: Path) -> None:
    process = start(tmp_path, "one", 100_000)
    assert process.stdin
    assert process.stdout
    process.stdin.write("go\n")
    process.stdin.flush()
    process.stdout.readline()
    process.kill()
    process.communicate()

    names = sorted(path.name for path in tmp_path.glob("snapshot-*"))
    written = write_numbered(tmp_path, "after")

    assert all((tmp_path / name).read_text().endswith("// end\n") for name in names)
    assert written.number == len(names) + 1
    assert {path.name[0] for path in tmp_path.iterdir()} == {"s"}


def test_only_what_dead_processes_left_is_swept(tmp_path: Path) -> None:
    alive, dead = (
        tmp_path / f".staged-{'0' * 16}-{quote(owner, safe='')}"
        for owner in (this_process(), f"{socket.gethostname()}/1/0")
    )
    for path in (alive, dead):
        path.touch()

    write_enriched(tmp_path, "x")

    assert sorted(path.name for path in tmp_path.iterdir()) == [alive.name, "enriched-001.json5"]


def test_the_name_of_what_is_being_written_says_whose_it_is(tmp_path: Path) -> None:
    with staged(tmp_path, b"x") as (hidden,):
        assert unquote(hidden.name).endswith(f"-{this_process()}")
        assert hidden.read_bytes() == b"x"
    assert not list(tmp_path.iterdir())


def test_a_snapshot_may_be_read_by_whoever_may_read_the_folder(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        written = write_numbered(tmp_path, "x")
    finally:
        os.umask(before)

    assert written.path.stat().st_mode & 0o777 == 0o644


def test_a_folder_that_cannot_be_written_is_a_fault_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreFault, match="could not write a snapshot into"):
        write_numbered(tmp_path / "file" / "1.0.0", "x")
    with pytest.raises(UnicodeEncodeError):
        write_numbered(tmp_path, "\ud800")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


BESIDE = {".dsse.json": b"{}", ".md": b"# x"}


def test_what_belongs_to_a_snapshot_has_its_number(tmp_path: Path) -> None:
    write_numbered(tmp_path, "one")

    written = write_numbered(tmp_path, b"two", BESIDE, first=".dsse.json")

    assert written.path.read_bytes() == b"two"
    assert [path.name for path in written.beside] == ["snapshot-002.dsse.json", "snapshot-002.md"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "snapshot-001.json5",
        "snapshot-002.dsse.json",
        "snapshot-002.json5",
        "snapshot-002.md",
    ]


def test_a_number_that_was_claimed_and_left_is_not_used_again(tmp_path: Path) -> None:
    (tmp_path / "snapshot-001.dsse.json").write_text("whoever wrote this was killed")

    written = write_numbered(tmp_path, "x", BESIDE, first=".dsse.json")

    assert written.number == 2


def test_a_number_of_which_one_name_is_taken_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "snapshot-001.md").mkdir()

    written = write_numbered(tmp_path, "x", BESIDE, first=".dsse.json")

    assert written.number == 2
    assert not (tmp_path / "snapshot-001.dsse.json").exists()


def test_a_new_file_is_not_written_over_another(tmp_path: Path) -> None:
    path = tmp_path / "promoted.json5"
    replace_text(path, None, "first")

    with pytest.raises(UsageError, match="changed meanwhile"):
        replace_text(path, None, "second")

    assert path.read_text() == "first"
