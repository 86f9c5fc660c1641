"""The repository itself: whom it listens to, who may share it, what it refuses to do."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.domain.changes import LINK_MODE, Changes
from harness.domain.ids import RunId
from harness.domain.record import TreeRef
from harness.errors import StoreFault, UsageError
from harness.git import commit_everything
from harness.ledger import Ledger
from tests.ledger.trees import DIGEST, RUN, git, link, text, tree_of, where

ROOT = Path(__file__).parents[2]


def test_nothing_of_the_machine_s_configuration_is_heard(
    ledger: Ledger, base: str, fixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {trap}\n")
    evil.chmod(0o755)
    config = tmp_path / "config"
    config.write_text(f"[core]\n\tfsmonitor = {evil}\n[diff]\n\texternal = {evil}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "diff.external")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(evil))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(evil))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "objects"))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "1 +0000")
    monkeypatch.setenv("HOME", str(tmp_path))
    tree = ledger.commit(RUN, base, Changes((text("a"),)))
    assert b"+new" in ledger.diff(tree)
    assert Ledger.open(tmp_path / "other.git").base(DIGEST, fixture) == base
    commit_everything(fixture)
    assert not trap.exists()
    assert not (tmp_path / "objects").exists()


def test_a_ledger_has_no_hooks_and_never_tidies_up_by_itself(
    ledger: Ledger, tmp_path: Path
) -> None:
    assert ledger
    assert not (where(tmp_path) / "hooks").exists()
    assert git(where(tmp_path), "config", "gc.auto").strip() == b"0"
    assert [p.name for p in (tmp_path / "state").iterdir()] == ["ledger.git"]


def test_a_ledger_of_another_owner_can_be_used(ledger: Ledger, base: str, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(where(tmp_path), 65534, 65534)
    assert ledger.commit(RUN, base, Changes((text("a"),))).files_changed == 1


def test_a_checkout_goes_only_into_an_empty_folder(
    ledger: Ledger, base: str, fixture: Path
) -> None:
    with pytest.raises(UsageError, match="is not an empty folder"):
        ledger.checkout(TreeRef(base, base, 0, 0, 0), fixture)
    with pytest.raises(UsageError, match="is not an empty folder"):
        ledger.checkout(TreeRef(base, base, 0, 0, 0), fixture / "README.md")


def test_links_that_lead_out_are_not_written_and_said(
    ledger: Ledger, base: str, tmp_path: Path
) -> None:
    changes = Changes((link("etc", b"/etc"), link("up", b"../up"), link("in", b"src/deep"),
                       link("src/deep/back", b"../app.py")))  # fmt: skip
    tree = ledger.commit(RUN, base, changes)
    skipped = ledger.checkout(tree, tmp_path / "out")
    assert skipped == ("etc: a link out, to /etc", "up: a link out, to ../up")
    written = tree_of(tmp_path / "out")
    assert written[b"in"] == (LINK_MODE, b"src/deep")
    assert written[b"src/deep/back"] == (LINK_MODE, b"../app.py")
    assert not {b"etc", b"up"} & set(written)


def test_a_tree_that_another_git_made_does_no_harm_when_it_is_written(
    ledger: Ledger, base: str, tmp_path: Path
) -> None:
    def make(kind: str, content: bytes, *options: str) -> str:
        command = ["git", f"--git-dir={where(tmp_path)}", kind, *options]
        done = subprocess.run(command, input=content, check=True, capture_output=True)
        return done.stdout.decode().strip()

    blob = make("hash-object", b"evil", "-w", "--stdin")
    hooks = make("mktree", f"100755 blob {blob}\tpre-commit\n".encode())
    entries = (f"040000 tree {hooks}\t.git", f"100644 blob {blob}\t..", f"100644 blob {blob}\tok",
               f"160000 commit {base}\tmodule")  # fmt: skip
    tree = make("mktree", "\n".join(entries).encode(), "--missing")
    commit = git(
        where(tmp_path), "-c", "user.name=x", "-c", "user.email=x", "commit-tree", tree, "-m", "x"
    )
    skipped = ledger.checkout(TreeRef(base, commit.decode().strip(), 0, 0, 0), tmp_path / "out")
    assert sorted(s.partition(":")[0] for s in skipped) == ["..", ".git/pre-commit", "module"]
    assert set(tree_of(tmp_path / "out")) == {b"ok"}


def test_a_dropped_tree_is_gone_and_dropping_it_again_is_nothing(
    ledger: Ledger, base: str, tmp_path: Path
) -> None:
    ledger.commit(RUN, base, Changes((text("a"),)))
    for _ in range(2):
        ledger.drop(RUN)
        assert not git(where(tmp_path), "for-each-ref", "refs/runs/")


def test_pruning_drops_old_trees_of_runs_that_were_never_stored(
    ledger: Ledger, base: str, tmp_path: Path
) -> None:
    refs = where(tmp_path) / "refs" / "runs"
    old = time.time() - 3 * 24 * 3600
    for name in ("stored", "lost", "in_flight"):
        ledger.commit(RunId(name), base, Changes((text(name),)))
    (refs / "half.lock").touch()
    (where(tmp_path) / "fast_import_crash_1").touch()
    for path in (refs / "stored", refs / "lost", refs / "half.lock",
                 where(tmp_path) / "fast_import_crash_1"):  # fmt: skip
        os.utime(path, (old, old))
    before = datetime.now(UTC) - timedelta(days=1)
    assert ledger.prune({RunId("stored")}, before) == 1
    assert sorted(path.name for path in refs.iterdir()) == ["in_flight", "stored"]
    assert not list(where(tmp_path).glob("fast_import_*"))
    assert ledger.prune({RunId("stored")}, before) == 0
    tree = ledger.commit(RunId("later"), base, Changes((text("lost"),)))
    assert [c.path for c in ledger.changes(tree)] == [b"lost"]


def test_what_git_says_of_a_failure_is_handed_on(ledger: Ledger, base: str) -> None:
    with pytest.raises(StoreFault, match=r"git fast-import failed in .*ledger\.git: .*; see that"):
        ledger.commit(RUN, "0" * 39 + "1", Changes((text("a"),)))
    with pytest.raises(StoreFault, match="git diff-tree failed"):
        ledger.changes(TreeRef(base, "0" * 39 + "1", 0, 0, 0))


def test_lost_content_is_a_fault_that_names_the_file(
    ledger: Ledger, base: str, tmp_path: Path
) -> None:
    tree = ledger.commit(RUN, base, Changes((text("a", b"precious"),)))
    blob = git(where(tmp_path), "rev-parse", f"{tree.commit}:a").decode().strip()
    (where(tmp_path) / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(StoreFault, match="lost the content of a "):
        ledger.changes(tree)


def test_a_folder_that_is_no_ledger_is_a_fault(tmp_path: Path, fixture: Path) -> None:
    with pytest.raises(StoreFault, match="could not make the ledger"):
        Ledger.open(fixture)
    assert not (fixture / "HEAD").exists()
    assert list(tmp_path.iterdir()) == [fixture]


def test_processes_may_begin_and_use_a_ledger_at_once(tmp_path: Path, fixture: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from harness.domain.changes import Change, ChangeKind, Changes
        from harness.ledger import Ledger

        ledger = Ledger.open(Path(sys.argv[1]))
        base = ledger.base("d" * 64, Path(sys.argv[2]))
        for n in range(10):
            changes = Changes((Change(b"f", ChangeKind.FILE, data=b"%d" % n),))
            print(ledger.commit(f"run_{sys.argv[3]}_{n}", base, changes).commit)
        """
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "new.git"), str(fixture), str(n)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for n in range(3)
    ]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert said[0] == said[1] == said[2]
    refs = git(tmp_path / "new.git", "for-each-ref", "--format=%(refname)").split()
    assert len(refs) == 31
    git(tmp_path / "new.git", "fsck", "--strict")


def test_a_folder_becomes_a_repository_of_one_clean_commit(fixture: Path) -> None:
    (fixture / ".gitignore").write_text("*.log\n")
    (fixture / "kept.log").write_text("x")
    commit_everything(fixture)
    log = git(fixture / ".git", "log", "--format=%an %ad %s", "--date=unix").decode()
    assert log == "Developer 946684800 Initial commit\n"
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=fixture, capture_output=True, check=True
    )
    assert status.stdout == b""
    assert b"kept.log" in git(fixture / ".git", "ls-files")
    assert str(fixture) not in (fixture / ".git" / "config").read_text()
    assert not (fixture / ".git" / "hooks").exists()
