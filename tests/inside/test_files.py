from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.inside.talking import INSIDE, Talk, lay, others, pack, unpack


def test_a_piece_of_a_file_is_read_with_its_whole_size(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(100)))
    reply = host.ask("read", path=str(tmp_path / "a"), offset=10, limit=5)
    assert (unpack(reply["data"]), reply["size"]) == (bytes(range(10, 15)), 100)


def test_a_path_is_relative_to_cwd(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert unpack(host.ask("read", path="a", cwd=str(tmp_path))["data"]) == b"x"


def test_what_is_no_regular_file_is_refused_at_once(host: Talk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "to-fifo").symlink_to("fifo")
    (tmp_path / "loop").symlink_to("loop")
    began = time.monotonic()
    for name in ("fifo", "to-fifo", "/dev/zero", "/dev/tty"):
        assert host.error("read", path=str(tmp_path / name)) == "not_regular"
        assert host.error("write", path=str(tmp_path / name), data="") == "not_regular"
    assert host.error("read", path=str(tmp_path)) == "is_directory"
    assert host.error("write", path=str(tmp_path), data="") == "is_directory"
    assert host.error("read", path=str(tmp_path / "loop")) == "link_loop"
    assert host.error("read", path=str(tmp_path / "nothing")) == "not_found"
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("path", ["", None, 3, "a\0b"], ids=repr)
def test_what_is_no_path_is_refused(host: Talk, path: object) -> None:
    for op in ("read", "write", "stat", "list", "search"):
        assert host.error(op, path=path, data="", pattern="x") == "bad_request"


def test_a_write_makes_folders_and_keeps_the_mode(host: Talk, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "run.sh"
    assert host.ask("write", path=str(path), data=pack(b"1"), mode=0o755)["size"] == 1
    host.ask("write", path=str(path), data=pack(b"22"))
    assert path.read_bytes() == b"22"
    assert path.stat().st_mode & 0o7777 == 0o755
    assert [p.name for p in path.parent.iterdir()] == ["run.sh"]
    assert host.error("write", path=str(tmp_path / "x/y"), data="", mkdirs=False) == "not_found"


def test_a_write_through_a_link_changes_its_target(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    host.ask("write", path=str(tmp_path / "link"), data=pack(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_file_operations_happen_as_the_asked_user(host: Talk, open_folder: Path) -> None:
    who = others()
    host.ask("write", path=str(open_folder / "a"), data="", who=who)
    found = (open_folder / "a").stat()
    assert [found.st_uid, found.st_gid] == [who[0], who[1]]


def test_a_status_describes_a_link_and_not_its_target(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/nowhere")
    reply = host.ask("stat", path=str(tmp_path / "link"))
    assert (reply["kind"], reply["target"]) == ("symlink", "/nowhere")


def test_a_listing_is_sorted_goes_so_deep_and_follows_no_link(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "deep").touch()
    (tmp_path / "a").write_text("123")
    (tmp_path / "up").symlink_to("..")
    os.mkfifo(tmp_path / "pipe")
    entries = host.ask("list", path=str(tmp_path), depth=2)["entries"]
    kinds = [(entry["name"], entry["kind"]) for entry in entries]
    assert kinds == [
        ("a", "file"),
        ("b", "dir"),
        ("b/c", "dir"),
        ("pipe", "other"),
        ("up", "symlink"),
    ]
    assert entries[0]["size"] == 3


def test_a_listing_stops_at_its_limit(host: Talk, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    reply = host.ask("list", path=str(tmp_path), limit=2)
    assert (len(reply["entries"]), reply["truncated"]) == (2, True)


def test_odd_names_survive_a_listing(host: Talk, tmp_path: Path) -> None:
    name = b"new\nline \xff"
    (tmp_path / os.fsdecode(name)).write_text("x")
    listed = host.ask("list", path=str(tmp_path))["entries"][0]["name"]
    assert os.fsencode(listed) == name
    assert unpack(host.ask("read", path=listed, cwd=str(tmp_path))["data"]) == b"x"


def test_a_search_finds_lines_and_skips_what_nobody_means(host: Talk, tmp_path: Path) -> None:
    for folder in ("src/deep", ".git", "node_modules/x"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.py").write_text("one\nneedle here\n")
    (tmp_path / "src" / "binary").write_bytes(b"\0needle")
    (tmp_path / "src" / "big").write_bytes(b"needle\n" * 200_000)
    (tmp_path / "src" / "link").symlink_to("deep/a.py")
    os.mkfifo(tmp_path / "src" / "pipe")
    reply = host.ask("search", path=str(tmp_path), pattern="need.e")
    path = str(tmp_path / "src" / "deep" / "a.py")
    assert reply["matches"] == [{"path": path, "line": 2, "text": "needle here"}]
    assert (reply["truncated"], reply["timed_out"]) == (False, False)


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.py", ["a.py", "src/b.py", "src/x/c.py"]),
        ("src/*.py", ["src/b.py"]),
        ("src/**/*.py", ["src/b.py", "src/x/c.py"]),
        ("src/**", ["src/b.py", "src/d.txt", "src/x/c.py"]),
        ("?.txt", ["src/d.txt"]),
        (None, ["a.py", "src/b.py", "src/d.txt", "src/x/c.py"]),
    ],
    ids=str,
)
def test_a_search_can_be_limited_to_names(
    host: Talk, tmp_path: Path, glob: str | None, found: list[str]
) -> None:
    (tmp_path / "src" / "x").mkdir(parents=True)
    for name in ("a.py", "src/b.py", "src/x/c.py", "src/d.txt"):
        (tmp_path / name).write_text("hit\n")
    reply = host.ask("search", path=".", cwd=str(tmp_path), pattern="hit", glob=glob)
    assert [match["path"] for match in reply["matches"]] == found


def test_a_search_shows_the_place_of_a_match_in_a_long_line(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x" * 5000 + "needle" + "y" * 5000)
    reply = host.ask("search", path=str(tmp_path / "a"), pattern="needle", max_line=40)
    assert len(reply["matches"][0]["text"]) == 40
    assert "needle" in reply["matches"][0]["text"]


def test_a_search_stops_at_its_limit(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hit\n" * 10)
    reply = host.ask("search", path=str(tmp_path), pattern="hit", limit=3)
    assert (len(reply["matches"]), reply["truncated"]) == (3, True)


def test_a_search_that_takes_for_ever_gives_what_it_found(tmp_path: Path) -> None:
    lay(tmp_path, {"a.txt": "aab\n", "b.txt": "a" * 40 + "!\n"})
    code = f"import sys; sys.path.insert(0, {str(INSIDE)!r}); import files\n"
    code += "files.SEARCH_BUDGET_S = 0.2\nprint(files.search({'path': '.', 'pattern': '^(a+)+b'}))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, check=True
    )
    reply = ast.literal_eval(done.stdout.decode())
    assert reply["timed_out"] is True
    assert [match["path"] for match in reply["matches"]] == ["a.txt"]


def test_a_pattern_that_is_none_is_a_wrong_request(host: Talk, tmp_path: Path) -> None:
    for pattern in ("(", "*", 3):
        assert host.error("search", path=str(tmp_path), pattern=pattern) == "bad_request"
