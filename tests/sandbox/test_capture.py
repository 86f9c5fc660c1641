"""What comes out of a sandbox, and goes into the next one, is what was there: on any back end."""

from __future__ import annotations

import time
from dataclasses import replace
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
from harness.domain.scenario import Scenario
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


def act(open_any: Open) -> Changes:
    with open_any() as (box, workspace):
        done = box.run(ACT, timeout_s=30)
        assert done.ok, done
        return workspace.capture()


def kinds(changes: Changes) -> dict[bytes, ChangeKind]:
    return {change.path: change.kind for change in changes}


def test_files_of_every_kind_come_out_as_they_are(open_any: Open) -> None:
    changes = {change.path: change for change in act(open_any)}
    assert changes[b"binary.bin"].data == b"\0\x01\xff"
    assert changes[b"src/app.py"].data == b"x = 2\n"
    assert changes[b"README.md"].mode == EXECUTABLE_MODE
    assert changes[b"tests/test_app.py"].kind is ChangeKind.DELETE
    assert changes[b"src/deep/er"].kind is ChangeKind.DELETE
    assert b"src/deep" not in changes
    assert changes[b"src/deep/other.txt"].data == b"new\n"
    assert changes[b"run.sh"].kind is ChangeKind.DELETE
    assert changes[b"walk.sh"].mode == EXECUTABLE_MODE
    assert (changes[b"outward"].mode, changes[b"outward"].data) == (LINK_MODE, b"/etc/passwd")
    assert changes[b"link"].data == b"src/app.py"
    assert changes["naïve ☃/späce.txt".encode()].data == b"hi\n"
    assert b"new\nline.txt" in changes
    assert b"not\xffutf8" in changes


def test_what_is_no_work_stays_out_and_what_cannot_be_kept_is_named(open_any: Open) -> None:
    changes = act(open_any)
    paths = {change.path.split(b"/")[0] for change in changes}
    assert not paths & {b"node_modules", b".venv", b".git", b"sub"}
    assert any(line.startswith("pipe:") for line in changes.left_out)


def test_a_workspace_rebuilt_from_changes_shows_the_same_changes(open_any: Open) -> None:
    changes = act(open_any)
    with open_any(Purpose.GRADE) as (box, workspace):
        box.apply(changes.items)
        again = workspace.capture()
    assert again.items == changes.items


def test_an_untouched_workspace_has_no_changes(open_any: Open) -> None:
    with open_any() as (box, workspace):
        box.run("git status; touch src/app.py; chmod -x src/app.py; cat README.md", timeout_s=30)
        assert len(workspace.capture()) == 0


def test_a_folder_that_was_removed_and_made_again_is_no_change(open_any: Open) -> None:
    with open_any() as (box, workspace):
        box.run("cp -r src /tmp/kept; rm -r src; mkdir src; cp -r /tmp/kept/. src", timeout_s=30)
        assert len(workspace.capture()) == 0
        box.run("mv src other; mv other src; rm -r src/deep", timeout_s=30)
        assert kinds(workspace.capture()) == {b"src/deep": ChangeKind.DELETE}


def test_a_deep_folder_of_the_fixture_can_go(open_any: Open) -> None:
    with open_any() as (box, workspace):
        box.run("rm -r src; mkdir -p src/very/deep/er/yet", timeout_s=30)
        changes = workspace.capture()
    with open_any(Purpose.GRADE) as (box, _):
        box.apply([Change(b"src", ChangeKind.DELETE)])
        assert box.run("ls -d src", timeout_s=10).exit_code == 2
    with open_any(Purpose.GRADE) as (box, workspace):
        box.apply(changes.items)
        assert workspace.capture() == changes


def test_what_takes_the_place_of_another_kind_comes_out(open_any: Open) -> None:
    line = """
    rm library; cp -r src library
    rm README.md; mkdir README.md; echo a > README.md/a
    rm -r src; echo file > src
    rm -r tests; ln -s src tests
    rm run.sh; mkdir run.sh
    """
    with open_any() as (box, workspace):
        assert box.run(line, timeout_s=30).ok
        assert kinds(workspace.capture()) == {
            b"README.md": ChangeKind.DELETE,
            b"README.md/a": ChangeKind.FILE,
            b"library": ChangeKind.DELETE,
            b"library/app.py": ChangeKind.FILE,
            b"library/deep/er/file.txt": ChangeKind.FILE,
            b"run.sh": ChangeKind.DELETE,
            b"src": ChangeKind.FILE,
            b"tests": ChangeKind.SYMLINK,
        }


def test_what_the_agent_closed_to_itself_comes_out(open_any: Open) -> None:
    line = "mkdir shut; echo a > shut/a; echo b > b; chmod 000 b README.md shut/a shut ."
    with open_any() as (box, workspace):
        assert box.run(line, timeout_s=30).ok
        changes = {change.path: change for change in workspace.capture()}
    assert (changes[b"shut/a"].data, changes[b"shut/a"].mode) == (b"a\n", FILE_MODE)
    assert set(changes) == {b"shut/a", b"b"}


def test_files_of_nothing_cannot_hold_the_capture_up(open_any: Open) -> None:
    with open_any() as (box, workspace):
        box.run("for i in $(seq 500); do truncate -s 30M f$i; done; echo x > zzz", timeout_s=60)
        began = time.monotonic()
        changes = workspace.capture()
        assert time.monotonic() - began < 30
    assert kinds(changes) == {b"f1": ChangeKind.FILE}
    assert len(changes.left_out) == 100
    assert "bytes" in changes.left_out[0]


def test_the_disk_is_bounded_in_bytes_and_in_files(open_any: Open, scenario: Scenario) -> None:
    limits = replace(scenario.limits, disk_bytes=8 * 2**20)
    with open_any(limits=limits) as (box, _):
        done = box.run("for i in 1 2 3; do head -c 4000000 /dev/zero > big$i; done", timeout_s=60)
        assert "No space left" in done.stderr
        many = "rm big*; i=0; while : > f$i; do i=$((i+1)); done 2>/dev/null; ls | wc -l"
        assert int(box.run(many, timeout_s=120).stdout) < 3000


def test_a_file_that_is_too_large_to_be_written_again_is_left_out(
    open_any: Open, scenario: Scenario
) -> None:
    limits = replace(scenario.limits, disk_bytes=80 * 2**20)
    with open_any(limits=limits) as (box, workspace):
        box.run("truncate -s 33M large; truncate -s 32M fits; echo x > zzz", timeout_s=60)
        changes = workspace.capture()
    assert kinds(changes) == {b"fits": ChangeKind.FILE, b"zzz": ChangeKind.FILE}
    assert [line.partition(":")[0] for line in changes.left_out] == ["large"]


def test_two_workspaces_do_not_see_each_other(open_any: Open) -> None:
    with open_any() as (one, _), open_any() as (two, _):
        one.run("echo mine > README.md", timeout_s=10)
        assert two.run("cat README.md", timeout_s=10).stdout == "# Fixture\n"


def test_the_history_holds_one_commit_and_a_clean_tree(open_any: Open) -> None:
    with open_any() as (box, _):
        line = "git log --oneline --all | wc -l; git status --porcelain; git remote; git tag"
        assert box.run(line, timeout_s=30).stdout == "1\n"


def test_any_work_comes_out_whole_and_goes_in_again(
    open_any: Open, told: dict[int, Changes]
) -> None:
    for seed in range(2):
        with open_any() as (box, workspace):
            done = box.run(["python3", "-c", ANYTHING, str(seed)], timeout_s=60)
            assert done.ok, done
            changes = workspace.capture()
            tree = box.run(["python3", "-c", TREE], timeout_s=60).stdout
        with open_any(Purpose.GRADE) as (box, workspace):
            box.apply(changes.items)
            assert box.run(["python3", "-c", TREE], timeout_s=60).stdout == tree
        # the first back end decides what the others have to tell
        assert told.setdefault(seed, changes) == changes


ANYTHING = Path(__file__).with_name("anything.py").read_text(encoding="utf-8")
TREE = """
import hashlib, os
for top, folders, files in os.walk('.'):
    folders[:] = sorted(f for f in folders if f != '.git')
    links = [f for f in folders if os.path.islink(os.path.join(top, f))]
    for path in sorted(os.path.join(top, name) for name in files + links):
        if os.path.islink(path):
            print(path, os.readlink(path))
        else:
            mode = os.stat(path).st_mode & 0o100
            print(path, mode, hashlib.sha256(open(path, 'rb').read()).hexdigest())
"""


@pytest.fixture(scope="session")
def told() -> dict[int, Changes]:
    return {}
