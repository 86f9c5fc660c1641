"""Volumes of the engine, fixtures kept in them, and the trusted boxes that see to both."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import docker.errors

from harness.domain.ids import LABEL, Digest, container_name, volume_name
from harness.domain.scenario import MIB, Limits, Network
from harness.errors import BoxClosed, SandboxFault
from harness.interrupts import shield
from harness.log import log
from harness.sandbox.base import WORKSPACE, BoxError, BoxSpec, Mount, PreparedImage, Purpose
from harness.sandbox.bases import build_lock
from harness.sandbox.box import DaemonBox
from harness.sandbox.building import add_bytes
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.engine import engine_faults
from harness.sandbox.owner import MARGIN, Marks
from harness.sandbox.scans import Manifest
from harness.sandbox.stale import note_volume

if TYPE_CHECKING:
    from docker import DockerClient

FIXTURE_LABEL = f"{LABEL}.fixture"
TREE = "tree"
MANIFEST = "manifest.json"
NO_SUCH_FILE = "not_found"

KEEPER_MEMORY_BYTES = 256 * MIB
KEEPER_FILE_BYTES = 64 * 1024 * MIB
KEEPER_PIDS = 64
COMMAND_S = 600.0
FIXTURE = "/fixture"
MAX_FIXTURE_FILES = 1_000_000

REFRESH = f"git -C {TREE} update-index -q --refresh || true"
"""git notes when and where every file was written, and looks again at all that have moved."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume, and where the engine has it on its own machine."""

    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Packed:
    """A fixture's tree as a tar file, and the room that it takes unpacked."""

    file: IO[bytes]
    size_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class FixtureVolume:
    """A fixture that the engine keeps, in the folder `tree` of a volume that nobody changes."""

    volume: Volume
    manifest: Manifest

    @property
    def tree(self) -> str:
        """The tree's folder on the engine's machine."""
        return f"{self.volume.place}/{TREE}"


@dataclass(frozen=True, slots=True)
class Volumes:
    """The volumes of one engine, as one process uses them."""

    client: DockerClient
    sandboxes: DockerSandboxes
    owner: str
    marks: Marks | None = None
    """Whose run the boxes and scratch volumes are for."""

    def of(self, marks: Marks | None) -> Volumes:
        """The same volumes, as one run uses them."""
        return replace(self, marks=marks)

    def _labels(self, kind: str) -> Mapping[str, str]:
        marks = self.marks or Marks(self.owner, datetime.now(UTC) + MARGIN)
        return marks.labels(kind)

    def find(self, name: str) -> Volume | None:
        """A volume by name."""
        with engine_faults(f"look at the volume {name}"), suppress(docker.errors.NotFound):
            return Volume(name, str(self.client.api.inspect_volume(name)["Mountpoint"]))
        return None

    def make(
        self, name: str, labels: Mapping[str, str], options: Mapping[str, str] | None = None
    ) -> Volume:
        """A new volume."""
        with engine_faults(f"make the volume {name}"):
            made = self.client.api.create_volume(
                name, driver="local", driver_opts=dict(options or {}), labels=dict(labels)
            )
        return Volume(name, str(made["Mountpoint"]))

    def remove(self, name: str) -> None:
        """Remove a volume that no container uses; one that has gone is fine."""
        removing = engine_faults(f"remove the volume {name}")
        with shield(), removing, suppress(docker.errors.NotFound):
            self.client.api.remove_volume(name)

    @contextmanager
    def scratch(self, kind: str, options: Mapping[str, str]) -> Iterator[Volume]:
        """A volume of this process; gone when the block ends."""
        name = volume_name(kind, uuid.uuid4().hex[:12])
        try:
            yield self.make(name, self._labels(kind), options)
        finally:
            self.remove(name)

    def memory(
        self, kind: str, size_bytes: int, files: int, uid: int
    ) -> AbstractContextManager[Volume]:
        """A scratch volume in the engine's memory; it is there while a container uses it."""
        size = f"size={size_bytes},nr_inodes={files},mode=0755,uid={uid},gid={uid},nosuid,nodev"
        return self.scratch(kind, {"type": "tmpfs", "device": LABEL, "o": size})

    def overlay(self, kind: str, lower: str, upper: Volume) -> AbstractContextManager[Volume]:
        """A scratch volume that shows `lower` and writes to the folders u and w of `upper`."""
        layers = f"lowerdir={lower},upperdir={upper.place}/u,workdir={upper.place}/w"
        how = f"{layers},redirect_dir=off,metacopy=off,index=off,nosuid,nodev"
        return self.scratch(kind, {"type": "overlay", "device": LABEL, "o": how})

    @contextmanager
    def keeper(
        self, image: PreparedImage, *mounts: Mount, extra_bytes: int = 0
    ) -> Iterator[DaemonBox]:
        """A trusted box; `extra_bytes` is the memory that it fills volumes with."""
        spec = BoxSpec(
            name=container_name(uuid.uuid4().hex[:12], Purpose.KEEP.value),
            image=image,
            purpose=Purpose.KEEP,
            limits=Limits(
                memory_bytes=KEEPER_MEMORY_BYTES + extra_bytes,
                pids=KEEPER_PIDS,
                disk_bytes=KEEPER_FILE_BYTES,
            ),
            network=Network.NONE,
            mounts=mounts,
            labels=self._labels(Purpose.KEEP.value),
        )
        with self.sandboxes.open(spec) as box:
            yield box

    def unpack(self, volume: Volume, image: PreparedImage, tar: IO[bytes]) -> None:
        """Unpack a tar file into a volume; by the engine, in a container that never starts."""
        api = self.client.api
        with engine_faults(f"fill the volume {volume.name}"):
            container: str = api.create_container(
                image.tag,
                "true",
                name=container_name(uuid.uuid4().hex[:12], Purpose.KEEP.value),
                labels=dict(self._labels(Purpose.KEEP.value)),
                host_config=api.create_host_config(
                    binds={volume.name: {"bind": WORKSPACE, "mode": "rw,nocopy"}},
                    network_mode="none",
                ),
            )["Id"]
            try:
                api.put_archive(container, WORKSPACE, tar)
            finally:
                with shield():
                    api.remove_container(container, force=True)


@contextmanager
def keeper_faults(doing: str) -> Iterator[None]:
    """What goes wrong in a keeper is no doing of the agent's."""
    try:
        yield
    except (BoxError, BoxClosed) as error:
        raise SandboxFault(f"could not {doing}: {error}") from error


def must(box: DaemonBox, *command: str) -> None:
    """Run a command that has to succeed, as the owner of every workspace."""
    with keeper_faults("prepare a workspace"):
        done = box.run(command, timeout_s=COMMAND_S)
    if not done.ok:
        why = "it took too long" if done.timed_out else done.stderr.strip()
        raise SandboxFault(f"could not prepare a workspace: {command[0]}: {why}")


def fixture_volume(digest: Digest) -> str:
    """The volume that keeps a fixture."""
    return volume_name("fixture", digest[:32])


Pack = Callable[[], AbstractContextManager[Packed]]


@dataclass(frozen=True, slots=True)
class FixtureVolumes:
    """Fixtures on the engine, one volume per content, filled once and kept.

    A volume is whole when its manifest is there: that is written last.
    """

    volumes: Volumes
    state: Path
    _known: dict[Digest, FixtureVolume] = field(default_factory=dict)

    def get(self, digest: Digest, image: PreparedImage, pack: Pack) -> FixtureVolume:
        """The volume of a fixture, made from `pack()` if the engine does not have it."""
        name = fixture_volume(digest)
        note_volume(self.state, name)
        if digest not in self._known or self.volumes.find(name) is None:
            lock = self.state / "locks" / f"fixture-{digest[:16]}"
            with build_lock(lock, f"fixture {digest[:16]}", _tell):
                with keeper_faults(f"keep the fixture {digest[:16]} in the volume {name}"):
                    found = self._find(name, image) or self._make(name, digest, image, pack)
                self._known[digest] = found
        return self._known[digest]

    def _find(self, name: str, image: PreparedImage) -> FixtureVolume | None:
        volume = self.volumes.find(name)
        if volume is None:
            return None
        with self.volumes.keeper(image, Mount(name, read_only=True)) as box:
            manifest = _manifest(box)
        if manifest is None:
            self.volumes.remove(name)
            return None
        return FixtureVolume(volume, manifest)

    def _make(self, name: str, digest: Digest, image: PreparedImage, pack: Pack) -> FixtureVolume:
        with pack() as packed:
            volume = self.volumes.make(name, {LABEL: "fixture", FIXTURE_LABEL: digest})
            self.volumes.unpack(volume, image, packed.file)
        with self.volumes.keeper(image, Mount(name)) as box:
            must(box, "sh", "-c", REFRESH)
            scan = box.scan(
                TREE,
                skip=(".git",),
                max_entries=MAX_FIXTURE_FILES,
                max_hashed_bytes=packed.size_bytes,
            )
            entries = {entry.path: entry for entry in scan}
        manifest = Manifest(entries, packed.size_bytes, packed.files)
        with io.BytesIO() as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                add_bytes(tar, MANIFEST, manifest.to_json())
            file.seek(0)
            self.volumes.unpack(volume, image, file)
        return FixtureVolume(volume, manifest)


def _manifest(box: DaemonBox) -> Manifest | None:
    """None where whoever filled the volume did not finish."""
    try:
        return Manifest.from_json(box.fetch(MANIFEST))
    except ValueError:
        return None
    except BoxError as error:
        if error.kind != NO_SUCH_FILE:
            raise
        return None


def _tell(text: str) -> None:
    log().info("fixture_volume", note=text)
