from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.inside.talking import Talk, others, pack, unpack


def change(path: bytes, kind: str = "file", data: bytes = b"", mode: int = 0o644) -> object:
    return {"path": pack(path), "kind": kind, "data": pack(data), "mode": mode}


def apply(host: Talk, root: Path, *changes: object) -> None:
    assert host.ask("apply", root=str(root), changes=list(changes))["applied"] == len(changes)


def entries(host: Talk, root: Path, **fields: list[str] | int) -> dict[bytes, dict[str, object]]:
    pages = host.pages("scan", root=str(root), who=None, **fields)
    assert pages[-1]["done"] is True
    found = [entry for page in pages[:-1] for entry in page["entries"]]
    assert pages[-1]["count"] == len(found)
    return {unpack(entry["path"]): entry for entry in found}


def dig(root: Path, depth: int) -> None:
    """Folders named d in each other, deeper than any path may be long."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_files_links_and_removals_are_made_so(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "old" / "tree").mkdir(parents=True)
    (tmp_path / "old" / "tree" / "file").touch()
    apply(
        host,
        tmp_path,
        change(b"a/b/run", data=b"#!", mode=0o100755),
        change(b"link", "symlink", b"../outside"),
        change(b"old", "delete"),
        change(b"never/was", "delete"),
    )
    assert (tmp_path / "a/b/run").read_bytes() == b"#!"
    assert (tmp_path / "a/b/run").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "link").readlink() == Path("../outside")
    assert not (tmp_path / "old").exists()
    assert not (tmp_path / "never").exists()


def test_set_user_id_is_not_given_away(host: Talk, tmp_path: Path) -> None:
    apply(host, tmp_path, change(b"a", mode=0o104755))
    assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o755


def test_whatever_is_in_the_way_makes_room(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "was-file").touch()
    (tmp_path / "was-folder" / "full").mkdir(parents=True)
    (tmp_path / "was-folder" / "full" / "x").touch()
    apply(
        host,
        tmp_path,
        change(b"was-file/now/folder", data=b"1"),
        change(b"was-folder", data=b"2"),
        change(b"was-folder/full/x", "delete"),
    )
    assert (tmp_path / "was-file/now/folder").read_bytes() == b"1"
    assert (tmp_path / "was-folder").read_bytes() == b"2"


def test_a_file_becomes_a_folder_in_any_order(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    apply(host, tmp_path, change(b"a/b", data=b"1"), change(b"a", "delete"))
    assert (tmp_path / "a/b").read_bytes() == b"1"


def test_no_link_is_followed_on_the_way(host: Talk, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "precious").write_text("kept")
    for name in ("in", "gone", "over"):
        (root / name).symlink_to(outside)
    apply(
        host,
        root,
        change(b"in/precious", data=b"x"),
        change(b"gone/precious", "delete"),
        change(b"over", data=b"y"),
    )
    assert (outside / "precious").read_text() == "kept"
    assert (root / "in").is_dir()
    assert not (root / "in").is_symlink()
    assert (root / "gone").is_symlink()
    assert (root / "over").read_text() == "y"


@pytest.mark.parametrize(
    "path",
    [b"/etc/x", b"../x", b"a/../x", b"", b"a//b", b"a/", b"./a", b"a\0b", b"/".join([b"d"] * 300)],
    ids=lambda path: repr(path[:10]),
)
def test_a_path_that_leaves_the_tree_is_refused(host: Talk, tmp_path: Path, path: bytes) -> None:
    good = change(b"good")
    kind = host.error("apply", root=str(tmp_path), changes=[good, change(path)])
    assert kind == "bad_request"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [None, 3, [3], [{}], [{"path": "YQ==", "kind": "device"}], [{"path": "YQ==", "kind": "file"}]],
    ids=str,
)
def test_malformed_changes_are_refused(host: Talk, tmp_path: Path, changes: object) -> None:
    assert host.error("apply", root=str(tmp_path), changes=changes) == "bad_request"


def test_a_tree_of_any_depth_and_mode_is_removed(host: Talk, tmp_path: Path) -> None:
    dig(tmp_path, 1500)
    for name in ("1", "2/1"):
        (tmp_path / "d" / name).mkdir(parents=True)
    (tmp_path / "d" / "locked").mkdir()
    (tmp_path / "d" / "locked" / "x").touch()
    (tmp_path / "d" / "locked").chmod(0)
    apply(host, tmp_path, change(b"d", "delete"))
    assert list(tmp_path.iterdir()) == []


def test_names_are_bytes_in_both_directions(host: Talk, tmp_path: Path) -> None:
    name = b"new\nline/\xff\xfe quote\"'"
    apply(host, tmp_path, change(name, data=b"1"))
    assert entries(host, tmp_path)[name]["sha256"] == hashlib.sha256(b"1").hexdigest()


def test_a_tree_is_made_as_the_asked_user(host: Talk, open_folder: Path) -> None:
    who = others()
    reply = host.ask("apply", root=str(open_folder), changes=[change(b"a/b")], who=who)
    assert reply["applied"] == 1
    found = (open_folder / "a").stat()
    assert [found.st_uid, found.st_gid] == who


def test_a_scan_tells_kinds_modes_and_targets(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "file").write_bytes(b"abc")
    (tmp_path / "dir" / "file").chmod(0o755)
    (tmp_path / "link").symlink_to("dir")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x").touch()
    os.mkfifo(tmp_path / "pipe")
    found = entries(host, tmp_path, skip=[".git"])
    assert list(found) == [b"dir", b"dir/file", b"link", b"pipe"]
    assert [entry["kind"] for entry in found.values()] == ["dir", "file", "symlink", "other"]
    file = found[b"dir/file"]
    assert (file["mode"], file["size"]) == (0o755, 3)
    assert file["sha256"] == hashlib.sha256(b"abc").hexdigest()
    assert unpack(str(found[b"link"]["target"])) == b"dir"


def test_a_scan_comes_in_pages(host: Talk, tmp_path: Path) -> None:
    for number in range(1203):
        (tmp_path / f"{number:04}").touch()
    pages = host.pages("scan", root=str(tmp_path))
    assert [len(page["entries"]) for page in pages[:-1]] == [500, 500, 203]
    assert list(entries(host, tmp_path)) == [b"%04d" % number for number in range(1203)]


def test_a_scan_stops_at_its_limit_and_says_so(host: Talk, tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).touch()
    assert host.ask("scan", root=str(tmp_path), max_entries=3)["truncated"] is True
    assert host.ask("scan", root=str(tmp_path), max_entries=4)["truncated"] is False


def test_a_scan_does_not_read_what_is_too_large_or_too_deep(host: Talk, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"12345")
    dig(tmp_path, 300)
    found = entries(host, tmp_path, max_bytes=4)
    assert found[b"big"]["unread"] == "too large"
    assert "sha256" not in found[b"big"]
    deepest = max(found, key=len)
    assert found[deepest]["unread"] == "too deep"


def test_a_scan_reads_no_more_than_it_may_in_all(host: Talk, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"12345")
    found = entries(host, tmp_path, max_total=12)
    assert ["unread" in found[name] for name in (b"a", b"b", b"c")] == [False, False, True]


def test_hidden_files_are_only_kept_by_root(host: Talk, open_folder: Path) -> None:
    root = open_folder / "hidden"
    files = [{"path": "deep/test_a.py", "data": pack(b"secret"), "mode": 0o600}]
    reply = host.ask("put", root=str(root), files=files)
    if host.ready["uid"] == 0:
        assert root.stat().st_mode & 0o7777 == 0o700
        assert (root / "deep" / "test_a.py").read_bytes() == b"secret"
        got = host.run(f"cat {root}/deep/test_a.py", who=others())
        assert got["exit_code"] == 1
    else:
        assert reply["error"]["kind"] == "denied"
        assert not root.exists()
