"""What two scans say was changed, without an engine."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from harness.domain.changes import Change, ChangeKind, Changes
from harness.sandbox.base import BoxError, TreeEntry
from harness.sandbox.scans import TOO_MANY, Comparison, Manifest


def folder(path: bytes) -> TreeEntry:
    return TreeEntry(path, "dir", 0o755, 4096)


def file(path: bytes, content: str, mode: int = 0o644) -> TreeEntry:
    return TreeEntry(path, "file", mode, len(content), sha256=content)


BEFORE = {e.path: e for e in (folder(b"src"), file(b"src/a", "a"), file(b"src/b", "b"))}


def compare(*now: TreeEntry, max_bytes: int = 1000) -> Changes:
    comparison = Comparison(BEFORE, lambda path: b"content of " + path, max_bytes)
    return comparison.changes(now)


def test_only_what_differs_is_fetched() -> None:
    changes = compare(folder(b"src"), file(b"src/a", "a", 0o600), file(b"src/b", "other"))
    assert changes.items == (Change(b"src/b", ChangeKind.FILE, data=b"content of src/b"),)


def test_of_a_removed_tree_only_the_top_is_told() -> None:
    assert compare().items == (Change(b"src", ChangeKind.DELETE),)
    assert compare(file(b"src", "x")).items[0].kind is ChangeKind.FILE


def test_a_scan_that_was_cut_short_does_not_tell_what_was_removed() -> None:
    def cut() -> Iterator[TreeEntry]:
        yield file(b"new", "x")
        raise BoxError(TOO_MANY, "more than 1 file")

    changes = Comparison(BEFORE, lambda _path: b"x", 1000).changes(cut())
    assert [change.path for change in changes] == [b"new"]
    assert "removed" in changes.left_out[0]


def test_another_error_of_a_scan_is_not_swallowed() -> None:
    def broken() -> Iterator[TreeEntry]:
        yield file(b"new", "x")
        raise BoxError("timed_out", "not done")

    with pytest.raises(BoxError, match="not done"):
        Comparison(BEFORE, lambda _path: b"x", 1000).changes(broken())


def test_what_is_too_big_or_was_not_read_is_named_and_the_original_stays() -> None:
    unread = TreeEntry(b"src/b", "file", 0o644, 5)
    changes = compare(folder(b"src"), file(b"src/a", "larger"), unread, max_bytes=5)
    assert changes.items == ()
    assert [line.partition(":")[0] for line in changes.left_out] == ["src/a", "src/b"]


def test_below_what_is_too_deep_nothing_is_kept_and_one_line_says_so() -> None:
    deep = b"/".join([b"d"] * 102)
    changes = compare(*BEFORE.values(), folder(deep), file(deep + b"/x", "x"))
    assert changes.items == ()
    assert len(changes.left_out) == 1


def test_tools_own_folders_are_skipped_unless_the_fixture_has_one() -> None:
    assert {".git", "node_modules"} <= Manifest(BEFORE, 0, 0).skip
    library = folder(b"web/node_modules")
    known = Manifest({**BEFORE, library.path: library}, 0, 0)
    assert "node_modules" not in known.skip
    changes = compare(*BEFORE.values(), library, file(b"web/node_modules/x", "x"))
    assert changes.items == ()


def test_a_manifest_comes_back_as_it_was() -> None:
    link = TreeEntry(b"\xff", "symlink", 0o777, 3, target=b"src")
    manifest = Manifest({**BEFORE, link.path: link}, 8192, 3)
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_half_a_manifest_is_none() -> None:
    data = Manifest(BEFORE, 8192, 3).to_json()
    for end in range(len(data)):
        with pytest.raises(json.JSONDecodeError):
            Manifest.from_json(data[:end])
