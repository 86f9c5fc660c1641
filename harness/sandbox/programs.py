"""Agents' programs: fetched once, kept in volumes that are named by their content."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from harness.domain.digests import text_digest
from harness.domain.ids import LABEL, volume_name
from harness.errors import SandboxFault, UsageError
from harness.sandbox.base import (
    PROGRAMS,
    WORKSPACE,
    Archive,
    BoxError,
    Mount,
    PreparedImage,
    Program,
)
from harness.sandbox.bases import Tell, build_lock
from harness.sandbox.building import add_bytes
from harness.sandbox.engine import engine_faults
from harness.sandbox.npm import Registry, expected, is_whole, label, repack
from harness.sandbox.stale import note_volume
from harness.sandbox.volumes import NO_SUCH_FILE, Volumes, keeper_faults

KIND = "program"
LAYOUT = "1"
"""Raised when a volume is laid out otherwise: older ones are then filled anew."""
WHOLE = "whole"
"""A file of the volume that is written last."""


def program_volume(program: Program, archive: Archive) -> str:
    """The volume that keeps a program as it came in one archive."""
    key = text_digest(LAYOUT, program.name, archive.program, archive.integrity)
    return volume_name(KIND, key[:32])


def archive_file(archive: Archive) -> str:
    """The file that an archive is kept in as it came."""
    return f"{expected(archive.integrity).hex()[:32]}.tgz"


@dataclass(frozen=True, slots=True)
class NpmPrograms:
    """Programs of an npm registry, on the engine that `volumes` are of.

    `state` is a folder for locks and for the archives as they came.
    """

    volumes: Volumes
    state: Path
    registry: Registry = field(default_factory=Registry)
    _known: dict[Program, Mount] = field(default_factory=dict)

    def mount(self, program: Program, image: PreparedImage, tell: Tell) -> Mount:
        """How a sandbox sees the program; raises SandboxFault and UsageError."""
        known = self._known.get(program)
        # the engine would make an empty volume where there is none
        if known is None or self.volumes.find(known.source) is None:
            archive = self.resolve(program)
            name, title = program_volume(program, archive), f"{program.name} {program.version}"
            with build_lock(self.state / "locks" / name, title, tell):
                if not self._is_filled(name, image):
                    self._fill(name, program, archive, image, tell)
            known = Mount(name, f"{PROGRAMS}/{program.name}", read_only=True)
            self._known[program] = known
        note_volume(self.state, known.source)
        return known

    def resolve(self, program: Program) -> Archive:
        """The archive for the engine's machine; one that is not pinned is looked up and kept."""
        with engine_faults("name its machine"):
            machine = str(self.volumes.client.info().get("Architecture", ""))
        archives = dict(program.archives)
        archive = archives.get(machine)
        if archive is None:
            raise UsageError(
                f"there is no {program.name} for the engine's machine, {machine!r}; there is one"
                f" for {', '.join(sorted(archives))}"
            )
        return archive if archive.integrity else self._looked_up(archive)

    def _looked_up(self, archive: Archive) -> Archive:
        """What the registry said first holds from then on."""
        path = self._folder() / f"{text_digest(label(archive))[:32]}.integrity"
        with _disk(path):
            if not path.is_file():
                path.write_text(self.registry.integrity(archive), encoding="ascii")
            integrity = path.read_text(encoding="ascii").strip()
        if not expected(integrity):
            raise SandboxFault(f"{path} holds no integrity; remove it")
        return replace(archive, integrity=integrity)

    def _is_filled(self, name: str, image: PreparedImage) -> bool:
        if self.volumes.find(name) is None:
            return False
        with keeper_faults(f"look into the volume {name}"):
            with self.volumes.keeper(image, Mount(name, read_only=True)) as box:
                try:
                    box.read(f"{WORKSPACE}/{WHOLE}", limit=1)
                except BoxError as error:
                    if error.kind != NO_SUCH_FILE:
                        raise
                else:
                    return True
            self.volumes.remove(name)
            return False

    def _fill(
        self, name: str, program: Program, archive: Archive, image: PreparedImage, tell: Tell
    ) -> None:
        title = f"{program.name} {program.version}"
        path = self.fetched(archive, title, tell)
        tell(f"{title}: unpacking")
        with _disk(path), self._scrap() as plain:
            with path.open("rb") as packed:
                repack(archive, packed, plain, program.name)
            plain.seek(0)
            labels = {LABEL: KIND, f"{LABEL}.{KIND}": f"{program.name}-{program.version}"}
            volume = self.volumes.make(name, labels)
            self.volumes.unpack(volume, image, plain)
        with io.BytesIO() as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                add_bytes(tar, WHOLE, archive.integrity.encode())
            file.seek(0)
            self.volumes.unpack(volume, image, file)

    def fetched(self, archive: Archive, title: str, tell: Tell) -> Path:
        """The archive as a file whose every byte was checked."""
        path = self._folder() / archive_file(archive)
        with _disk(path):
            if is_whole(path, archive):
                return path
            tell(f"{title}: fetching {label(archive)}")
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                self.registry.fetch(archive, file, tell)
            part.replace(path)
        return path

    def _folder(self) -> Path:
        folder = self.state / "programs"
        with _disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def _scrap(self) -> Iterator[IO[bytes]]:
        with tempfile.TemporaryFile(dir=self._folder()) as file:
            yield file


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SandboxFault(f"could not keep {path}: {error.strerror or error}") from error
