"""What git says of hostile files is read as what they are."""

from __future__ import annotations

import pytest

from harness import patches
from harness.domain.changes import EXECUTABLE_MODE, Change, ChangeKind, Changes
from harness.domain.patch import FilePatch, Patch, PatchKind
from harness.ledger import Ledger
from harness.patches import parse_patch
from tests.ledger.trees import RUN, gone, link, text


def patch_of(ledger: Ledger, base: str, *changes: Change) -> Patch:
    return parse_patch(ledger.diff(ledger.commit(RUN, base, Changes(changes))))


def only(ledger: Ledger, base: str, *changes: Change) -> FilePatch:
    (file,) = patch_of(ledger, base, *changes).files
    return file


def added(file: FilePatch) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in file.added]


def test_lines_have_the_numbers_that_they_have_in_their_files(ledger: Ledger, base: str) -> None:
    file = only(ledger, base, text("README.md", b"zero\none\n2\nthree\nfour\nfive\nsix\n"))
    assert (file.path, file.kind, file.mode) == ("README.md", PatchKind.MODIFIED, None)
    assert added(file) == [(1, "zero"), (3, "2")]
    assert [(line.number, line.text) for line in file.removed] == [(2, "two")]


@pytest.mark.parametrize(
    "name",
    [
        "plain.txt", "two words.txt", " leading", "trailing ", 'quo"ted', "new\nline", "tab\tbed",
        "back\\slash", "naïve.txt", "a/b/c b/d.txt", "x b/x", "--- a/x", "+++ b/x", "@@ -1 +1 @@",
        "diff --git a/x b/x", "\x1b[31m", "-rf", "dev/null", "b/x", "a\x01b", "\\303\\251",
        "\u202e",
    ],
)  # fmt: skip
@pytest.mark.parametrize("data", [b"x\n", b"", b"\0binary"], ids=["text", "empty", "binary"])
def test_any_name_is_read_back(ledger: Ledger, base: str, name: str, data: bytes) -> None:
    file = only(ledger, base, text(name, data))
    assert (file.path, file.kind, file.mode) == (name, PatchKind.ADDED, "100644")
    assert added(file) == ([(1, "x")] if data == b"x\n" else [])
    assert file.binary == (data == b"\0binary")


def test_a_name_that_is_no_text_is_escaped(ledger: Ledger, base: str) -> None:
    assert only(ledger, base, Change(b"\xff.txt", ChangeKind.FILE, data=b"x\n")).path == "\\xff.txt"


def test_content_that_looks_like_a_heading_is_content(ledger: Ledger, base: str) -> None:
    lines = [
        "diff --git a/x b/x",
        "new file mode 120000",
        "-- a/y",
        "++ b/y",
        "@@ -1 +1 @@",
        "rename to z",
        "\\ No newline at end of file",
        "GIT binary patch",
    ]
    file = only(ledger, base, text("t.txt", "\n".join(lines).encode()))
    assert [line.text for line in file.added] == lines
    assert (file.path, file.mode, file.kind) == ("t.txt", "100644", PatchKind.ADDED)


def test_a_missing_last_newline_is_no_line(ledger: Ledger, base: str) -> None:
    file = only(ledger, base, text("src/app.py", b"print(2)"))
    assert added(file) == [(1, "print(2)")]
    assert [line.text for line in file.removed] == ["print(1)"]


def test_carriage_returns_and_odd_line_ends_stay_in_their_lines(ledger: Ledger, base: str) -> None:
    file = only(ledger, base, text("t.txt", "a\r\nb\x0bc\x85d\u2028e\rf\n".encode()))
    assert added(file) == [(1, "a\r"), (2, "b\x0bc\x85d\u2028e\rf")]


def test_a_moved_file_knows_where_it_was(ledger: Ledger, base: str) -> None:
    moved = text('a "new"\nplace.md', b"one\ntwo\nthree\nfour\nfive\n6\n")
    file = only(ledger, base, gone("README.md"), moved)
    assert (file.kind, file.was, file.path) == (
        PatchKind.RENAMED,
        "README.md",
        'a "new"\nplace.md',
    )
    assert added(file) == [(6, "6")]


def test_a_new_mode_alone_is_a_change(ledger: Ledger, base: str) -> None:
    change = Change(b"src/app.py", ChangeKind.FILE, EXECUTABLE_MODE, b"print(1)\n")
    file = only(ledger, base, change)
    assert (file.mode, file.kind, file.added) == ("100755", PatchKind.MODIFIED, ())


def test_a_link_is_told_from_a_file_even_when_only_its_target_changed(
    ledger: Ledger, base: str
) -> None:
    file = only(ledger, base, link("link", b"/etc/passwd"))
    assert (file.kind, file.mode) == (PatchKind.MODIFIED, "120000")
    assert added(file) == [(1, "/etc/passwd")]


def test_a_file_that_became_a_link_went_and_came(ledger: Ledger, base: str) -> None:
    files = patch_of(ledger, base, link("src/app.py", b"/etc/passwd")).files
    assert [(f.path, f.kind, f.mode) for f in files] == [
        ("src/app.py", PatchKind.DELETED, None),
        ("src/app.py", PatchKind.ADDED, "120000"),
    ]


def test_a_removed_file_is_read_with_its_lines(ledger: Ledger, base: str) -> None:
    file = only(ledger, base, gone("src/app.py"))
    assert (file.path, file.kind) == ("src/app.py", PatchKind.DELETED)
    assert [line.text for line in file.removed] == ["print(1)"]


def test_a_submodule_is_told_by_its_mode() -> None:
    entry = (
        b"diff --git a/sub b/sub\nnew file mode 160000\nindex 0000000..1111111\n"
        b"--- /dev/null\n+++ b/sub\n@@ -0,0 +1 @@\n+Subproject commit 1111111\n"
    )
    (file,) = parse_patch(entry).files
    assert (file.path, file.mode) == ("sub", "160000")


def test_the_text_of_a_patch_is_what_git_wrote(ledger: Ledger, base: str) -> None:
    tree = ledger.commit(RUN, base, Changes((text("a.txt", b"x\n"), text("b.txt", b"\n\n"))))
    assert parse_patch(ledger.diff(tree)).text.encode() == ledger.diff(tree)


def a_file(name: str, lines: int) -> bytes:
    head = f"diff --git a/{name} b/{name}\nnew file mode 100644\nindex 0..1\n--- /dev/null\n"
    return f"{head}+++ b/{name}\n@@ -0,0 +1,{lines} @@\n".encode() + b"+x\n" * lines


def test_a_long_file_does_not_push_the_others_out_of_sight() -> None:
    data = a_file("a.txt", patches.MOST_FILE_LINES + 5) + a_file("b.txt", 2)
    patch = parse_patch(data)
    assert [(f.path, f.cut) for f in patch.files] == [("a.txt", True), ("b.txt", False)]
    assert patch.cut
    assert len(patch.files[1].added) == 2


def test_files_behind_all_that_is_read_are_still_named() -> None:
    data = b"".join(a_file(f"{n}.txt", 99_000) for n in range(6))
    files = parse_patch(data).files
    assert [f.path for f in files] == [f"{n}.txt" for n in range(6)]
    assert (files[-1].cut, files[-1].kind, files[-1].added) == (True, PatchKind.ADDED, ())
    assert sum(len(f.added) for f in files) <= patches.MOST_LINES


def test_a_line_without_end_is_cut() -> None:
    data = a_file("a.txt", 1) + b"+" + b"y" * (patches.MOST_FILE_BYTES + 1) + b"\n"
    (file,) = parse_patch(data).files
    assert file.cut
    assert len(file.added) == 1


@pytest.mark.parametrize("data", [b"", b"junk", b"diff --git ", b"diff --git \n@@ -9 +9 @@\n+x"])
def test_what_git_never_writes_is_no_reason_to_fail(data: bytes) -> None:
    parse_patch(data)
