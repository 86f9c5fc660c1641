"""Fixtures into sandboxes: a content-addressed store and copy-on-write workspaces over it."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.domain.changes import Changes
from harness.domain.ids import LABEL
from harness.domain.scenario import Scenario
from harness.ledger import commit_everything
from harness.sandbox.base import AGENT_UID, Mount, Workspace
from harness.sandbox.overlay import OWNER_FILE, remove_workspace, run_mount
from harness.sandbox.owner import this_process
from harness.sandbox.upperdir import UpperDir

BYTES_PER_INODE = 4096


class FixtureStore:
    """Read-only copies of fixtures, owned by the sandbox's user, each one commit old."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def tree(self, scenario: Scenario) -> Path:
        """The stored copy of a scenario's fixture, made if it is not there yet."""
        home = self._folder / scenario.digests.fixture[:32]
        if not home.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            with _locked(self._folder / "lock"):
                if not home.exists():
                    self._make(scenario.fixture, home)
        return home / "tree"

    def _make(self, fixture: Path, home: Path) -> None:
        shutil.rmtree(self._folder / "unfinished", ignore_errors=True)
        tree = self._folder / "unfinished" / "tree"
        shutil.copytree(fixture, tree, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        # owners first: git's index remembers them, and would look at every file again
        _hand_over(tree)
        commit_everything(tree)
        _hand_over(tree / ".git")
        tree.parent.rename(home)


def _hand_over(folder: Path) -> None:
    """Give files to the sandbox's user, with the two modes that git knows."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, AGENT_UID, AGENT_UID, follow_symlinks=False)
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)


@dataclass(frozen=True, slots=True)
class OverlayWorkspace:
    """An overlay whose upper folder lies on a memory file system of a fixed size."""

    folder: Path
    tree: Path
    max_bytes: int

    @property
    def mount(self) -> Mount:
        """The merged folder."""
        return Mount(str(self.folder / "m"))

    def capture(self) -> Changes:
        """What the upper folder holds."""
        return UpperDir(self.folder / "t" / "u", self.tree, self.max_bytes).changes()


class OverlayWorkspaces:
    """Workspaces by mount(8): for a harness that runs as root beside its engine."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._fixtures = FixtureStore(state / "fixtures")

    @contextmanager
    def open(self, scenario: Scenario) -> Iterator[Workspace]:
        """A fresh workspace; unmounted and gone when the block ends."""
        tree = self._fixtures.tree(scenario)
        folder = self._state / "run" / uuid.uuid4().hex[:12]
        try:
            self._mount(folder, tree, scenario.limits.disk_bytes)
            yield OverlayWorkspace(folder, tree, scenario.limits.disk_bytes)
        finally:
            remove_workspace(folder)

    def _mount(self, folder: Path, tree: Path, disk_bytes: int) -> None:
        for name in ("t", "m"):
            (folder / name).mkdir(parents=True)
        (folder / OWNER_FILE).write_text(this_process(), encoding="utf-8")
        inodes = max(disk_bytes // BYTES_PER_INODE, 1024)
        size = f"size={disk_bytes},nr_inodes={inodes},nosuid,nodev,mode=0755"
        run_mount(["-t", "tmpfs", "-o", size, LABEL, str(folder / "t")], cwd=self._state)
        for name in ("u", "w"):
            (folder / "t" / name).mkdir()
        os.chown(folder / "t" / "u", AGENT_UID, AGENT_UID)
        here = folder.relative_to(self._state)
        # relative paths: the container sees these options in its mount table, and they must not
        # tell it where on the host it is
        layers = f"lowerdir={tree.relative_to(self._state)},upperdir={here}/t/u,workdir={here}/t/w"
        options = f"{layers},redirect_dir=off,metacopy=off,index=off,nosuid,nodev"
        run_mount(["-t", "overlay", "-o", options, LABEL, str(folder / "m")], cwd=self._state)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
