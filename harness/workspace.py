"""Fixtures into sandboxes: a content-addressed store, and three kinds of workspace over it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tarfile
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.domain.changes import Changes
from harness.domain.digests import tree_digest
from harness.domain.scenario import Scenario
from harness.errors import SandboxFault
from harness.git import commit_everything
from harness.sandbox.base import AGENT_UID, WORKSPACE, Mount, PreparedImage, Workspace
from harness.sandbox.box import DaemonBox
from harness.sandbox.overlay import (
    OWNER_FILE,
    mount_overlay,
    mount_tmpfs,
    remove_workspace,
)
from harness.sandbox.owner import Marks, owned_name, this_process
from harness.sandbox.scans import Comparison, Manifest
from harness.sandbox.upperdir import UpperDir
from harness.sandbox.volumes import (
    FIXTURE,
    TREE,
    FixtureVolume,
    FixtureVolumes,
    Packed,
    Volume,
    Volumes,
    keeper_faults,
    must,
)

BYTES_PER_INODE = 4096
PAGE_BYTES = 4096
UNFINISHED = "unfinished"


class FixtureStore:
    """Copies of fixtures for sandboxes, owned by their user, each one commit old."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def tree(self, scenario: Scenario) -> Path:
        """A copy that stays, made if it is not there yet; needs root."""
        home = self._folder / copy_name(scenario)
        if not home.exists():
            with _disk_faults(scenario), self._unfinished() as folder:
                if not home.exists():
                    tree = _copy(scenario, folder)
                    # owners first: git's index remembers them, and would look at every file again
                    _hand_over(tree)
                    commit_everything(tree)
                    _hand_over(tree / ".git")
                    folder.rename(home)
        with suppress(OSError):
            # its age is the time since somebody used it
            os.utime(home)
        return home / TREE

    def unused(self, needed: Collection[str], before: datetime) -> Iterator[Path]:
        """Copies that are not needed and that nobody used since then."""
        for home in sorted(self._folder.glob("*/")):
            is_copy = home.name != UNFINISHED and home.name not in needed
            with suppress(FileNotFoundError):
                if is_copy and home.stat().st_mtime < before.timestamp():
                    yield home

    def drop(self, name: str) -> bool:
        """Remove a copy; whoever wants it again makes it again."""
        with self._unfinished() as folder, suppress(FileNotFoundError):
            (self._folder / name).rename(folder / "gone")
            return True
        return False

    @contextmanager
    def packed(self, scenario: Scenario) -> Iterator[Packed]:
        """A copy in a tar file, where owners can be written down without being root."""
        with _disk_faults(scenario), self._unfinished() as folder:
            tree = _copy(scenario, folder)
            commit_everything(tree)
            members: list[tarfile.TarInfo] = []

            def hand_over(member: tarfile.TarInfo) -> tarfile.TarInfo:
                members.append(member)
                return _owned(member)

            with (folder / "tar").open("w+b") as file:
                with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
                    tar.add(tree, TREE, filter=hand_over)
                file.seek(0)
                size_bytes = sum(-(-m.size // PAGE_BYTES) * PAGE_BYTES for m in members)
                yield Packed(file, size_bytes, len(members))

    @contextmanager
    def _unfinished(self) -> Iterator[Path]:
        """An empty folder of one process at a time, for what is not to be found half made."""
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = self._folder / UNFINISHED
        with _locked(self._folder / "lock"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _disk_faults(scenario: Scenario) -> Iterator[None]:
    try:
        yield
    except shutil.Error as error:
        # it lists every file that could not be copied, with the reason for each
        why = str(error.args[0][0][2]) if error.args[0] else str(error)
        raise _no_copy(scenario, why) from error
    except OSError as error:
        raise _no_copy(scenario, error.strerror or str(error)) from error


def _no_copy(scenario: Scenario, why: str) -> SandboxFault:
    return SandboxFault(
        f"could not bring a copy of {scenario.fixture} into a workspace: {why};"
        " see that the disk has room, then resume"
    )


def copy_name(scenario: Scenario) -> str:
    """The folder that holds the copy of a scenario's fixture."""
    return scenario.digests.fixture[:32]


def _copy(scenario: Scenario, folder: Path) -> Path:
    tree = folder / TREE
    without = shutil.ignore_patterns(".git")
    shutil.copytree(scenario.fixture, tree, symlinks=True, ignore=without)
    if tree_digest(tree) != scenario.digests.fixture:
        raise SandboxFault(f"{scenario.fixture} was changed after it was read; start again")
    return tree


def _owned(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = AGENT_UID
    member.uname = member.gname = ""
    if not member.issym():
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


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
    def open(
        self, scenario: Scenario, image: PreparedImage, marks: Marks | None = None
    ) -> Iterator[Workspace]:
        """A fresh workspace; unmounted and gone when the block ends."""
        del image, marks
        tree = self._fixtures.tree(scenario)
        folder = self._state / "run" / owned_name(uuid.uuid4().hex[:12])
        try:
            with _disk_faults(scenario):
                self._mount(folder, tree, scenario.limits.disk_bytes)
            yield OverlayWorkspace(folder, tree, scenario.limits.disk_bytes)
        finally:
            remove_workspace(folder)

    def _mount(self, folder: Path, tree: Path, disk_bytes: int) -> None:
        for name in ("t", "m"):
            (folder / name).mkdir(parents=True)
        (folder / OWNER_FILE).write_text(this_process(), encoding="utf-8")
        size = f"size={disk_bytes},nr_inodes={_inodes(disk_bytes)},mode=0755"
        mount_tmpfs(folder / "t", size)
        upper, work = folder / "t" / "u", folder / "t" / "w"
        upper.mkdir()
        work.mkdir()
        os.chown(upper, AGENT_UID, AGENT_UID)
        mount_overlay(folder / "m", lower=tree, upper=upper, work=work)


@dataclass(frozen=True, slots=True)
class VolumeWorkspace:
    """A volume of the engine; trusted boxes fill it and look through it."""

    volume: Volume
    fixture: Manifest
    max_bytes: int
    keeper: Callable[[], AbstractContextManager[DaemonBox]]

    @property
    def mount(self) -> Mount:
        """The volume, by name."""
        return Mount(self.volume.name)

    def capture(self) -> Changes:
        """What a scan of all of it finds."""
        with keeper_faults("capture the work"), self.keeper() as box:

            def fetch(path: bytes) -> bytes:
                return box.fetch(path.decode("utf-8", "surrogateescape"))

            scan = box.scan(
                WORKSPACE,
                skip=self.fixture.skip,
                max_entries=self.fixture.max_entries,
                max_hashed_bytes=self.fixture.max_hashed_bytes(self.max_bytes),
            )
            return Comparison(self.fixture.entries, fetch, self.max_bytes).changes(scan)


class VolumeWorkspaces:
    """Copy-on-write volumes that the engine mounts: for a harness that is not root."""

    def __init__(self, volumes: Volumes, state: Path) -> None:
        self._volumes = volumes
        self._fixture = _FixturesByVolume(volumes, state)

    @contextmanager
    def open(
        self, scenario: Scenario, image: PreparedImage, marks: Marks | None = None
    ) -> Iterator[Workspace]:
        """A fresh workspace; a box holds its memory file system until the block ends."""
        fixture, volumes = self._fixture(scenario, image), self._volumes.of(marks)
        disk_bytes = scenario.limits.disk_bytes
        with (
            volumes.memory("upper", disk_bytes, _inodes(disk_bytes), AGENT_UID) as upper,
            volumes.keeper(image, Mount(upper.name)) as holder,
        ):
            must(holder, "mkdir", "u", "w")
            with volumes.overlay("workspace", fixture.tree, upper) as merged:
                yield VolumeWorkspace(
                    merged,
                    fixture.manifest,
                    disk_bytes,
                    lambda: volumes.keeper(image, Mount(merged.name, read_only=True)),
                )


class CopyWorkspaces:
    """Whole copies in the engine's memory: for an engine that cannot mount overlays."""

    def __init__(self, volumes: Volumes, state: Path) -> None:
        self._volumes = volumes
        self._fixture = _FixturesByVolume(volumes, state)

    @contextmanager
    def open(
        self, scenario: Scenario, image: PreparedImage, marks: Marks | None = None
    ) -> Iterator[Workspace]:
        """A fresh workspace; the box that made the copy also captures it."""
        fixture, volumes = self._fixture(scenario, image), self._volumes.of(marks)
        disk_bytes = scenario.limits.disk_bytes
        room = fixture.manifest.size_bytes + disk_bytes
        files = fixture.manifest.files + _inodes(disk_bytes)
        source = Mount(fixture.volume.name, FIXTURE, read_only=True)
        with (
            volumes.memory("workspace", room, files, AGENT_UID) as copy,
            volumes.keeper(image, Mount(copy.name), source, extra_bytes=room) as keeper,
        ):
            must(keeper, "cp", "-a", f"{FIXTURE}/{TREE}/.", ".")
            yield VolumeWorkspace(copy, fixture.manifest, disk_bytes, lambda: nullcontext(keeper))


class _FixturesByVolume:
    def __init__(self, volumes: Volumes, state: Path) -> None:
        self._store = FixtureStore(state / "fixtures")
        self._kept = FixtureVolumes(volumes, state)

    def __call__(self, scenario: Scenario, image: PreparedImage) -> FixtureVolume:
        digest = scenario.digests.fixture
        return self._kept.get(digest, image, lambda: self._store.packed(scenario))


def _inodes(disk_bytes: int) -> int:
    return max(disk_bytes // BYTES_PER_INODE, 1024)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
