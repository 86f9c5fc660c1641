"""What goes into the ledger comes out again, whatever it is called."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from harness.domain.changes import (
    EXECUTABLE_MODE,
    FILE_MODE,
    LINK_MODE,
    Change,
    ChangeKind,
    Changes,
)
from harness.domain.digests import text_digest
from harness.domain.ids import RunId
from harness.domain.record import TreeRef
from harness.errors import StoreFault
from harness.ledger import Ledger
from tests.ledger.trees import DIGEST, RUN, Tree, git, gone, laid_over, link, text, tree_of, where


def test_a_fixture_is_kept_as_it_is(
    ledger: Ledger, fixture: Path, tmp_path: Path, base: str
) -> None:
    assert not ledger.checkout(TreeRef(base, base, 0, 0, 0), tmp_path / "out")
    assert tree_of(tmp_path / "out") == tree_of(fixture)


def test_a_fixture_is_one_commit_wherever_it_is_kept(
    ledger: Ledger, fixture: Path, tmp_path: Path, base: str
) -> None:
    elsewhere = Ledger.open(tmp_path / "other.git")
    (fixture / "README.md").touch()
    assert elsewhere.base(text_digest("another name"), fixture) == base
    assert git(where(tmp_path), "rev-list", "--count", base).strip() == b"1"
    assert ledger.base(DIGEST, fixture) == base


def test_a_fixture_is_read_only_once(tmp_path: Path, fixture: Path, base: str) -> None:
    assert Ledger.open(where(tmp_path)).base(DIGEST, fixture / "not there") == base


def test_a_run_is_counted_as_git_counts(ledger: Ledger, base: str) -> None:
    changes = Changes(
        (
            gone("link"),
            text("README.md", b"one\n2\nthree\nfour\nfive\nsix\n"),
            text("data.bin", bytes(range(256))),
            gone("src/deep/a.py"),
            text("src/moved.py", b"a = 1\n"),
        )
    )
    tree = ledger.commit(RUN, base, changes)
    assert (tree.base, tree.files_changed, tree.insertions, tree.deletions) == (base, 4, 1, 2)


def test_a_run_that_changed_nothing_is_kept_too(ledger: Ledger, base: str) -> None:
    tree = ledger.commit(RUN, base, Changes(left_out=("big: too big",)))
    assert (tree.files_changed, tree.left_out) == (0, ("big: too big",))
    assert not ledger.diff(tree)
    assert ledger.changes(tree) == Changes(left_out=("big: too big",))


NAMES = [
    b"new\nline", b'quote"', b"back\\slash", b"tab\t", b"\xff\xfe", b" lead", b"trail ", b"-dash",
    b'"both"', "日本".encode(), b"\x01\x7f", b"\\n", b"\r", b"a b", b"'", b"$(x)", b"*", b":x",
    b"\\303\\251", b"inline",
]  # fmt: skip


def test_every_name_that_a_file_can_have_survives(
    ledger: Ledger, base: str, tmp_path: Path
) -> None:
    changes = Changes(tuple(sorted(text(folder + name, name) for name in NAMES
                                   for folder in (b"", b"d\n/", b'q"/'))))  # fmt: skip
    tree = ledger.commit(RUN, base, changes)
    assert ledger.changes(tree) == changes
    ledger.checkout(tree, tmp_path / "out")
    assert tree_of(tmp_path / "out").items() >= {(c.path, (c.mode, c.data)) for c in changes}


@pytest.mark.parametrize(
    "changes",
    [
        [text("new/deep/file")],
        [text("README.md", b"")],
        [text("README.md", b"no newline")],
        [text("data", b"data 5\nM 100644 inline x\n\0\xff\ndone\n")],
        [text("run.sh", b"#!/bin/sh\n")],
        [text("README.md", b"x", EXECUTABLE_MODE)],
        [gone("README.md")],
        [gone("src")],
        [gone("link"), gone("README.md"), gone("run.sh"), gone("src")],
        [text("link", b"now a file")],
        [link("README.md", b"run.sh")],
        [link("dangling", b"no/such"), link("out", b"/etc/passwd"), link("\xe9", b"\xff\n")],
        [text("src", b"a file where a folder was")],
        [link("src", b"elsewhere")],
        [gone("README.md"), text("README.md/now/a/folder")],
        [gone("link"), text("link/f")],
        [gone("src/deep"), text("src/deep/only")],
        [gone("src/deep"), text("src/deep2")],
        [text("-"), text("a"), text("a.b"), text("a0"), text("b/c"), text("b.c")],
    ],
    ids=lambda changes: " ".join(f"{c.kind}:{c.display[:20]}" for c in changes),
)
def test_what_was_changed_comes_back(
    ledger: Ledger, base: str, fixture: Path, changes: list[Change]
) -> None:
    wanted = laid_over(tree_of(fixture), Changes(tuple(sorted(changes))))
    tree = ledger.commit(RUN, base, Changes(tuple(changes)))
    assert laid_over(tree_of(fixture), ledger.changes(tree)) == wanted
    assert ledger.commit(RunId("again"), base, ledger.changes(tree)).commit == tree.commit


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([text("src", b"x"), gone("src/app.py"), gone("src/deep")], [text("src", b"x")]),
        ([gone("src/deep/a.py"), gone("src/deep/b.py")], [gone("src/deep")]),
        ([text("README.md/x"), gone("README.md")], [gone("README.md"), text("README.md/x")]),
        ([gone("no/such"), text("run.sh", b"#!/bin/sh\n", EXECUTABLE_MODE)], []),
    ],
    ids=["folder to file", "emptied folder", "file to folder", "nothing at all"],
)
def test_changes_come_back_in_their_shortest_form(
    ledger: Ledger, base: str, changes: list[Change], expected: list[Change]
) -> None:
    assert list(ledger.changes(ledger.commit(RUN, base, Changes(tuple(changes))))) == expected


def test_the_order_of_changes_does_not_matter(ledger: Ledger, base: str) -> None:
    changes = [gone("README.md"), text("README.md/x"), gone("src"), text("src/y"), link("z", b"y")]
    rng = random.Random(3)  # noqa: S311  # a repeatable choice
    commits = set()
    for n in range(6):
        rng.shuffle(changes)
        commits.add(ledger.commit(RunId(f"run_{n}"), base, Changes(tuple(changes))).commit)
    assert len(commits) == 1


def test_any_tree_can_become_any_other(ledger: Ledger, tmp_path: Path) -> None:
    rng = random.Random(11)  # noqa: S311  # a repeatable choice
    names = [b"a", b"b", b"a/a", b"a/b", b"b/a", b"a/a/a", b"c/d", b"c", b"a.b", b"a-"]

    def some_tree() -> Tree:
        tree: dict[bytes, tuple[int, bytes]] = {}
        for path in rng.sample(names, 6):
            if not any(p.startswith(path + b"/") or path.startswith(p + b"/") for p in tree):
                mode = rng.choice([FILE_MODE, EXECUTABLE_MODE, LINK_MODE])
                tree[path] = (mode, rng.choice([b"x", b"y\n" * 9, b"z"]))
        return tree

    kinds = {LINK_MODE: ChangeKind.SYMLINK}
    empty = tmp_path / "empty"
    empty.mkdir()
    for turn in range(8):
        first, last = some_tree(), some_tree()
        start = [Change(p, kinds.get(m, ChangeKind.FILE), m, d) for p, (m, d) in first.items()]
        commit = ledger.commit(
            RunId(f"base_{turn}"), ledger.base(text_digest("empty"), empty), Changes(tuple(start))
        )
        items = [Change(p, ChangeKind.DELETE) for p in first if p not in last]
        items += [Change(p, kinds.get(m, ChangeKind.FILE), m, d) for p, (m, d) in last.items()]
        tree = ledger.commit(RunId(f"run_{turn}"), commit.commit, Changes(tuple(sorted(items))))
        assert laid_over(first, ledger.changes(tree)) == last
        skipped = ledger.checkout(tree, tmp_path / f"out{turn}")
        assert (tree_of(tmp_path / f"out{turn}"), skipped) == (last, ())


def test_names_that_git_refuses_are_left_out_and_said_once(ledger: Ledger, base: str) -> None:
    bad = [
        b".git/hooks/a",
        b".git/hooks/b",
        b"sub/.GIT/config",
        b"git~1/x",
        b"a/../../b",
        b"/abs",
        b"",
    ]
    changes = Changes((*(text(path) for path in bad), text("good")), ("socket: not a file",))
    tree = ledger.commit(RUN, base, changes)
    assert [c.path for c in ledger.changes(tree)] == [b"good"]
    assert tree.left_out == (
        "socket: not a file",
        *(f"{name}: a name that git refuses"
          for name in (".git", "sub/.GIT", "git~1", "a/..", "/abs", "")),
    )  # fmt: skip
    assert ledger.changes(tree).left_out == tree.left_out


def test_a_thousand_bad_names_do_not_fill_the_record(ledger: Ledger, base: str) -> None:
    tree = ledger.commit(RUN, base, Changes(tuple(text(f"d{n}/.git/x") for n in range(1000))))
    assert len(tree.left_out) == 100


def test_the_tree_of_a_run_is_never_replaced(ledger: Ledger, base: str) -> None:
    tree = ledger.commit(RUN, base, Changes((text("a"),)))
    assert ledger.commit(RUN, base, Changes((text("a"),))) == tree
    with pytest.raises(StoreFault, match="fast-import failed"):
        ledger.commit(RUN, base, Changes((text("b"),)))
    assert [c.path for c in ledger.changes(tree)] == [b"a"]


def test_a_diff_can_be_read_and_applied(
    ledger: Ledger, base: str, tmp_path: Path, fixture: Path
) -> None:
    changes = Changes((text("README.md", b"one\n"), text("b.bin", b"\0\1\2" * 99), gone("link"),
                       gone("src/deep/a.py"), text("src/moved.py", b"a = 1\n")))  # fmt: skip
    tree = ledger.commit(RUN, base, changes)
    shown = ledger.diff(tree).decode()
    assert "-two\n" in shown
    assert "rename from src/deep/a.py\nrename to src/moved.py\n" in shown
    assert "Binary files /dev/null and b/b.bin differ" in shown
    patch = ledger.diff(tree, binary=True)
    subprocess.run(["git", "apply"], cwd=fixture, input=patch, check=True)
    ledger.checkout(tree, tmp_path / "out")
    assert tree_of(fixture) == tree_of(tmp_path / "out")


def test_what_the_agent_wrote_about_attributes_and_drivers_means_nothing(
    ledger: Ledger, base: str, tmp_path: Path
) -> None:
    attributes = b"* diff=evil filter=evil export-ignore text eol=crlf ident\n*.py -diff\n"
    source = b"$Id$\nline\n"
    changes = Changes((text(".gitattributes", attributes), text("src/app.py", source)))
    tree = ledger.commit(RUN, base, changes)
    assert b"+line\n" in ledger.diff(tree)
    assert tree.insertions == 4
    ledger.checkout(tree, tmp_path / "out")
    assert (tmp_path / "out" / "src" / "app.py").read_bytes() == source
