"""What comes out of a sandbox, and goes into the next one, is what was there."""

from __future__ import annotations

import pytest

from harness.domain.changes import EXECUTABLE_MODE, LINK_MODE, ChangeKind, Changes
from harness.sandbox.base import Purpose
from harness.testing.sandbox import OpenBox as Open

pytestmark = pytest.mark.docker

ACT = r"""
printf '\000\001\377' > binary.bin
printf 'x = 2\n' > src/app.py
chmod +x README.md
rm tests/test_app.py
rm -rf src/deep; mkdir src/deep; echo new > src/deep/other.txt
mv run.sh walk.sh
ln -s /etc/passwd outward; ln -sfn src/app.py link
mkdir -p 'naïve ☃' && echo hi > 'naïve ☃/späce.txt'
printf x > "$(printf 'new\nline.txt')"
printf x > "$(printf 'not\377utf8')"
mkdir node_modules .venv && touch node_modules/x .venv/y
mkfifo pipe
mkdir -p sub/.git && touch sub/.git/config
git add -A >/dev/null 2>&1; git -c user.name=a -c user.email=b commit -qm x >/dev/null 2>&1
true
"""


def act(open_box: Open) -> Changes:
    with open_box() as (box, workspace):
        done = box.run(ACT, timeout_s=30)
        assert done.ok, done
        return workspace.capture()


def test_files_of_every_kind_come_out_as_they_are(open_box: Open) -> None:
    changes = {change.path: change for change in act(open_box)}
    assert changes[b"binary.bin"].data == b"\0\x01\xff"
    assert changes[b"src/app.py"].data == b"x = 2\n"
    assert changes[b"README.md"].mode == EXECUTABLE_MODE
    assert changes[b"tests/test_app.py"].kind is ChangeKind.DELETE
    assert changes[b"src/deep"].kind is ChangeKind.DELETE
    assert changes[b"src/deep/other.txt"].data == b"new\n"
    assert changes[b"run.sh"].kind is ChangeKind.DELETE
    assert changes[b"walk.sh"].mode == EXECUTABLE_MODE
    assert (changes[b"outward"].mode, changes[b"outward"].data) == (LINK_MODE, b"/etc/passwd")
    assert changes[b"link"].data == b"src/app.py"
    assert changes["naïve ☃/späce.txt".encode()].data == b"hi\n"
    assert b"new\nline.txt" in changes
    assert b"not\xffutf8" in changes


def test_what_is_no_work_stays_out_and_what_cannot_be_kept_is_named(open_box: Open) -> None:
    changes = act(open_box)
    paths = {change.path.split(b"/")[0] for change in changes}
    assert not paths & {b"node_modules", b".venv", b".git", b"sub"}
    assert any(line.startswith("pipe:") for line in changes.left_out)


def test_a_workspace_rebuilt_from_changes_shows_the_same_changes(open_box: Open) -> None:
    changes = act(open_box)
    with open_box(Purpose.GRADE) as (box, workspace):
        box.apply(changes.items)
        again = workspace.capture()
    assert again.items == changes.items


def test_an_untouched_workspace_has_no_changes(open_box: Open) -> None:
    with open_box() as (box, workspace):
        box.run("git status; touch src/app.py; chmod -x src/app.py; cat README.md", timeout_s=30)
        assert len(workspace.capture()) == 0


def test_two_workspaces_do_not_see_each_other(open_box: Open) -> None:
    with open_box() as (one, _), open_box() as (two, _):
        one.run("echo mine > README.md", timeout_s=10)
        assert two.run("cat README.md", timeout_s=10).stdout == "# Fixture\n"


def test_the_history_holds_one_commit_and_a_clean_tree(open_box: Open) -> None:
    with open_box() as (box, _):
        line = "git log --oneline --all | wc -l; git status --porcelain; git remote; git tag"
        assert box.run(line, timeout_s=30).stdout == "1\n"
