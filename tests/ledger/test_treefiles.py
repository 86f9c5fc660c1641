from __future__ import annotations

import itertools
import os
import random
import subprocess
from pathlib import Path

import pytest

from harness.domain.changes import EXECUTABLE_MODE, FILE_MODE, LINK_MODE, Change, ChangeKind
from harness.treefiles import NewFiles, files_below, leads_out, refused_part

ZERO_WIDTH = "\u200c".encode()
NAMES = [
    b".git", b".GIT", b".Git ", b".git.", b".git . .", b".git::$INDEX", b".git:x", b"git~1",
    b"GIT~1 ", b"git~1.", b"git~2", b".gitx", b".git x", b"x.git", b"git", b".gi", b".git\\x",
    b"a\\.git", b"a\\git~1", b"..\\.git", b"a\\.gitx", b"\\.git", b"a\\b",
    b".g" + ZERO_WIDTH + b"it", ZERO_WIDTH + b".git", b".git" + ZERO_WIDTH, b".git\xff",
    b".git\xc3\xa9", b".git\xed\xa0\x80", b".git\xef\xbf\xbe", b".g\xffit", ".gıt".encode(),
    ".G\u0130T".encode(), b".gitignore", b".gitmodules", b".GITMODULES", b".gitmodules.",
    b"gitmod~1", b"GITMOD~4 ", b"gitmod~5", b"gi7eba~1", b"gi7eb~12", b"gi7eba~0", b"gi7ebb~1",
    b"~1000000", b".git" + ZERO_WIDTH + b"modules", b".gitmodulesx", b"con", b"aux.txt", b"a:b",
    b"trailing ", b"new\nline", b'"', b"\\", b"\t", b"\xff\xfe", b"...", b". ", b".", b"..",
    b"", b"-", b"--", b":", b"#", b"~", b"caf\xe9",
]  # fmt: skip


def git_accepts(repository: Path, path: bytes, mode: int) -> bool:
    protected = ("-c", "core.protectHFS=true", "-c", "core.protectNTFS=true")
    entry = ("--add", "--replace", "--cacheinfo", f"{mode:o}", "0123456789" * 4)
    command = ["git", *protected, f"--git-dir={repository}", "update-index", *entry]
    return subprocess.run([*command, path], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("mode", [FILE_MODE, LINK_MODE], ids=["file", "link"])
def test_every_name_that_git_refuses_is_refused(tmp_path: Path, mode: int) -> None:
    repository = tmp_path / "r.git"
    subprocess.run(["git", "init", "-q", "--bare", repository], check=True)
    refused = {name for name in NAMES if refused_part(name, is_link=mode == LINK_MODE) is not None}
    by_git = {name for name in NAMES if not git_accepts(repository, name, mode)}
    # git takes a name that begins with a backslash for one without; these are git's omissions
    assert refused - by_git <= {b"\\.git", b"~1000000"}
    assert by_git <= refused


@pytest.mark.parametrize("name", [name for name in NAMES if name and b"/" not in name])
def test_a_name_is_refused_wherever_it_stands_in_a_path(name: bytes) -> None:
    alone = refused_part(name, is_link=False) is None
    for path in (b"d/" + name, name + b"/f", b"d/" + name + b"/f"):
        assert (refused_part(path, is_link=False) is None) is alone


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (b"a/.git/hooks/x", b"a/.git"),
        (b"/etc/passwd", b"/etc/passwd"),
        (b"a/../b", b"a/.."),
        (b"a//b", b"a/"),
        (b"a\0b", b"a\0b"),
        (b"a/", b"a/"),
    ],
)
def test_what_is_refused_is_named_as_far_as_the_reason_for_it(path: bytes, part: bytes) -> None:
    assert refused_part(path, is_link=False) == part


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (b"l", b"f"),
        (b"l", b"./d//f"),
        (b"d/e/l", b"../../f"),
        (b"d/l", b".."),
        (b"d/l", b"../other/f"),
        (b"l", b"..."),
        (b"l", b"\xff\n"),
    ],
)
def test_a_link_within_the_tree_does_not_lead_out(path: bytes, target: bytes) -> None:
    assert not leads_out(path, target)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (b"l", b"/etc/passwd"),
        (b"l", b".."),
        (b"l", b"../f"),
        (b"d/l", b"../../f"),
        (b"d/l", b"x/../../f"),
        (b"l", b"l2/.."),
        (b"l", b"./../f"),
        (b"l", b""),
        (b"l", b"a\0b"),
    ],
)
def test_a_link_that_leaves_or_might_leads_out(path: bytes, target: bytes) -> None:
    assert leads_out(path, target)


def test_no_choice_of_links_that_are_let_through_resolves_outside(tmp_path: Path) -> None:
    rng = random.Random(7)  # noqa: S311  # a repeatable choice
    words = ["..", ".", "a", "b", "c"]
    targets = ["/".join(t) for n in (1, 2, 3) for t in itertools.product(words, repeat=n)]
    places = ["a", "b", "c", "d/a", "d/b", "d/c", "d/d/a", "d/d/b"]
    for turn in range(60):
        root = tmp_path / str(turn)
        (root / "d" / "d").mkdir(parents=True)
        for place in places:
            target = rng.choice(targets)
            if not leads_out(place.encode(), target.encode()):
                (root / place).symlink_to(target)
        for place in places:
            assert Path(os.path.realpath(root / place)).is_relative_to(root)


def test_a_folder_is_read_with_its_links_and_modes_and_without_repositories(tmp_path: Path) -> None:
    (tmp_path / "d" / ".git").mkdir(parents=True)
    (tmp_path / "d" / ".git" / "config").write_text("x")
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    (tmp_path / "d" / "run").write_text("#!")
    (tmp_path / "d" / "run").chmod(0o700)
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / os.fsdecode(b"\xff\n")).write_bytes(b"\0")
    assert list(files_below(os.fsencode(tmp_path))) == [
        Change(b"d/run", ChangeKind.FILE, EXECUTABLE_MODE, b"#!"),
        Change(b"link", ChangeKind.SYMLINK, LINK_MODE, b"/etc/passwd"),
        Change(b"loop", ChangeKind.SYMLINK, LINK_MODE, b"."),
        Change(b"\xff\n", ChangeKind.FILE, FILE_MODE, b"\0"),
    ]


def test_a_file_is_never_written_through_a_link(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for folder in (outside, inside):
        folder.mkdir()
    target = NewFiles(inside)
    target.link(b"d", os.fsencode(outside))
    target.link(b"f", os.fsencode(outside / "f"))
    for path in (b"d/f", b"d/e/f", b"f"):
        with pytest.raises(OSError, match=r"Not a directory|File exists|symbolic links"):
            target.write(path, b"x", executable=False)
    target.close()
    assert list(outside.iterdir()) == []
