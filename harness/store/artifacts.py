"""Artefacts as files of a folder, named by what they hold."""

from __future__ import annotations

import os
import secrets
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.domain.artifact import Artifact
from harness.domain.digests import bytes_digest
from harness.errors import StoreFault
from harness.interrupts import shield

LEVEL = 6
"""Of zlib. Over program text: 46 MB/s down to 28 %; lzma reaches 27 % at 4 MB/s."""

UNFINISHED = "unfinished"


def place(artifact: Artifact) -> str:
    """Where it lies below whatever keeps it: equal everywhere, so that one can be copied over."""
    return f"artifacts/{artifact.digest[:2]}/{artifact.digest[2:]}"


def pack(data: bytes) -> bytes:
    """Content as it is kept."""
    return zlib.compress(data, LEVEL)


def unpack(packed: bytes, artifact: Artifact, where: str) -> bytes:
    """What was packed; raises StoreFault when it is no longer what it was."""
    try:
        # one byte more than announced is enough to see that it is not what it was
        data = zlib.decompressobj().decompress(packed, artifact.size_bytes + 1)
    except zlib.error:
        data = None
    if data is None or bytes_digest(data) != artifact.digest:
        raise StoreFault(
            f"the artefact {artifact.name!r} is no longer what was kept: {where} is damaged;"
            " restore it from a copy, or repeat the run"
        )
    return data


@dataclass(frozen=True, slots=True)
class FileArtifacts:
    """`<root>/artifacts/ab/cdef…`, zlib-compressed.

    Nothing is flushed to the disk by force: a power cut may cost the last seconds' artefacts,
    `get` says so, and keeping the same content again repairs it.
    """

    root: Path

    def put(self, name: str, data: bytes) -> Artifact:
        """Keep `data`; the same bytes are kept once."""
        artifact = Artifact(name, bytes_digest(data), len(data))
        path = self._path(artifact)
        with _faults("keep", path):
            packed = pack(data)
            if not _still_holds(path, packed):
                self._write(path, packed)
        return artifact

    def get(self, artifact: Artifact) -> bytes:
        """What was kept; raises StoreFault when it is gone or no longer what it was."""
        path = self._path(artifact)
        with _faults("read", path):
            packed = path.read_bytes()
        return unpack(packed, artifact, str(path))

    def sweep(self, before: datetime) -> int:
        """Remove what a killed process was still writing before then; how many files it was."""
        halves = self.unfinished(before)
        with _faults("sweep", self.root):
            for path in halves:
                path.unlink(missing_ok=True)
        return len(halves)

    def unfinished(self, before: datetime) -> Sequence[Path]:
        """What a killed process was still writing before then."""
        folder = self.root / "artifacts" / UNFINISHED
        with _faults("look through", folder):
            paths = sorted(folder.iterdir()) if folder.exists() else []
            return [path for path in paths if _is_older(path, before)]

    def unreferenced(self, referenced: Collection[str], before: datetime) -> Iterator[Path]:
        """Artefacts that nothing refers to, and that nobody kept, or kept again, since then.

        A run writes its artefacts before its record: `before` has to spare those.
        """
        folder = self.root / "artifacts"
        with _faults("look through", folder):
            for home in sorted(folder.glob("[0-9a-f][0-9a-f]")):
                for path in sorted(home.iterdir()):
                    if home.name + path.name not in referenced and _is_older(path, before):
                        yield path

    def remove(self, path: Path, before: datetime) -> bool:
        """Remove an artefact, unless somebody kept the same again meanwhile."""
        aside = self.root / "artifacts" / UNFINISHED / secrets.token_hex(16)
        with shield(), _faults("remove", path), suppress(FileNotFoundError):
            if not _is_older(path, before):
                return False
            aside.parent.mkdir(exist_ok=True)
            # from here on whoever keeps the same finds nothing, and writes it anew
            path.rename(aside)
            if _is_older(aside, before):
                aside.unlink()
                return True
            aside.rename(path)
        return False

    def _path(self, artifact: Artifact) -> Path:
        return self.root / place(artifact)

    def _write(self, path: Path, packed: bytes) -> None:
        unfinished = self.root / "artifacts" / UNFINISHED / secrets.token_hex(16)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(exist_ok=True)
        try:
            with unfinished.open("xb") as file:
                file.write(packed)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def _still_holds(path: Path, packed: bytes) -> bool:
    """Whether it is kept already; its age is then the time since now."""
    try:
        if path.stat().st_size != len(packed) or path.read_bytes() != packed:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _is_older(path: Path, than: datetime) -> bool:
    """False for what somebody has just removed."""
    try:
        return path.stat().st_mtime < than.timestamp()
    except FileNotFoundError:
        return False


@contextmanager
def _faults(doing: str, path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StoreFault(
            f"could not {doing} the artefact {path}: it is gone; restore it from a copy, or repeat"
            " the run"
        ) from error
    except OSError as error:
        raise StoreFault(
            f"could not {doing} the artefact {path}: {error.strerror or error}; see that the disk"
            " has room and that the folder may be written, then resume"
        ) from error
