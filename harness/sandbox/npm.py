"""Packages of an npm registry: fetched, held to their integrity, and looked through as data."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import ssl
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import quote

from harness.domain.scenario import MIB
from harness.errors import SandboxFault, UsageError
from harness.sandbox.base import Archive
from harness.sandbox.bases import Tell

REGISTRY = "https://registry.npmjs.org"
ALGORITHM = "sha512"
SILENCE_S = 60.0
PROGRESS_S = 3.0
CHUNK = 1 * MIB
METADATA_BYTES = 4 * MIB
MAX_ARCHIVE_BYTES = 1024 * MIB
MAX_UNPACKED_BYTES = 2048 * MIB
MAX_FILES = 20_000
NOT_FOUND = 404

_FAILURES = (OSError, HTTPException, ValueError)
"""What a request throws: urllib's own errors are the first."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Where packages come from."""

    url: str = REGISTRY
    ca_bundle: Path | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    """By variable, as in an environment."""

    def integrity(self, archive: Archive) -> str:
        """What the registry says that a package has to be; raises UsageError and SandboxFault."""
        path = f"{quote(archive.package, safe='@')}/{quote(archive.version)}"
        with self._faults(archive), self._open(path) as response:
            metadata = json.loads(response.read(METADATA_BYTES))
        dist = metadata.get("dist") if isinstance(metadata, dict) else None
        found = dist.get("integrity") if isinstance(dist, dict) else None
        if not isinstance(found, str) or not expected(found):
            raise SandboxFault(f"{self.url} names no {ALGORITHM} of {label(archive)}")
        return found

    def fetch(self, archive: Archive, file: IO[bytes], tell: Tell) -> None:
        """Write the package's archive; raises UsageError and SandboxFault, also for other bytes."""
        name = archive.package.rpartition("/")[2]
        path = f"{archive.package}/-/{quote(name)}-{quote(archive.version)}.tgz"
        digest = hashlib.new(ALGORITHM)
        told_at, size = time.monotonic(), 0
        with self._faults(archive), self._open(path) as response:
            whole = int(response.headers.get("content-length") or 0)
            while piece := response.read(CHUNK):
                size += len(piece)
                if size > MAX_ARCHIVE_BYTES:
                    raise SandboxFault(f"{label(archive)} is larger than any agent's program")
                digest.update(piece)
                file.write(piece)
                if time.monotonic() - told_at > PROGRESS_S:
                    told_at = time.monotonic()
                    tell(f"{label(archive)}: {size // MIB} of {whole // MIB} MiB")
        if size < whole:
            raise SandboxFault(f"{self.url} broke off after {size} of {whole} bytes; try again")
        if digest.digest() != expected(archive.integrity):
            raise UsageError(
                f"{self.url} gave for {label(archive)} something else than what is pinned"
                f" ({archive.integrity[:24]}…), which was not used; ask the registry's owner, or"
                " name another one with npm_config_registry"
            )

    @contextmanager
    def _open(self, path: str) -> Iterator[HTTPResponse]:
        proxies = {name.lower().removesuffix("_proxy"): url for name, url in self.proxies.items()}
        context = ssl.create_default_context(cafile=self.ca_bundle)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(f"{self.url.rstrip('/')}/{path}", timeout=SILENCE_S) as response:
            yield response

    @contextmanager
    def _faults(self, archive: Archive) -> Iterator[None]:
        try:
            yield
        except urllib.error.HTTPError as error:
            with error:
                if error.code == NOT_FOUND:
                    raise UsageError(f"{self.url} has no {label(archive)}") from error
            raise SandboxFault(f"{self.url} answered {error.code} for {label(archive)}") from error
        except _FAILURES as error:
            reason = getattr(error, "reason", None) or error
            raise SandboxFault(
                f"could not fetch {label(archive)} from {self.url}: {reason}; see to the network"
                " (HTTPS_PROXY, BENCH_CA_BUNDLE), or name a mirror with npm_config_registry"
            ) from error


def label(archive: Archive) -> str:
    """A package as people write it."""
    return f"{archive.package}@{archive.version}"


def expected(integrity: str) -> bytes:
    """The digest of `sha512-…`; nothing when it is another one or none."""
    kind, _, text = integrity.partition("-")
    with suppress(binascii.Error, ValueError):
        found = base64.b64decode(text, validate=True)
        if kind == ALGORITHM and len(found) == hashlib.new(ALGORITHM).digest_size:
            return found
    return b""


def is_whole(path: Path, archive: Archive) -> bool:
    """The file is there and holds the very bytes that are pinned."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, ALGORITHM).digest() == expected(archive.integrity)
    except FileNotFoundError:
        return False


def repack(archive: Archive, source: IO[bytes], target: IO[bytes], program: str) -> None:
    """The package's files below `package/` of a plain tar, and a link to the executable.

    Raises SandboxFault for anything but regular files: packages have no others.
    """
    size, found = 0, False
    try:
        with (
            tarfile.open(fileobj=source, mode="r|gz") as packed,
            tarfile.open(fileobj=target, mode="w") as plain,
        ):
            for count, member in enumerate(packed):
                if member.isdir():
                    continue
                size += member.size
                if count > MAX_FILES or size > MAX_UNPACKED_BYTES:
                    raise SandboxFault(f"{label(archive)} unpacks to more than any program is")
                entry = _entry(member, archive)
                found = found or entry.name == f"package/{archive.program}"
                plain.addfile(entry, packed.extractfile(member))
            plain.addfile(_link(program, archive.program))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise SandboxFault(f"could not unpack {label(archive)}: {error}") from error
    if not found:
        raise SandboxFault(f"{label(archive)} holds no {archive.program!r}")


def _entry(member: tarfile.TarInfo, archive: Archive) -> tarfile.TarInfo:
    parts = PurePosixPath(member.name).parts
    if not member.isreg() or member.name.startswith("/") or ".." in parts or len(parts) <= 1:
        raise SandboxFault(f"{label(archive)} holds {member.name!r}, which is no plain file")
    entry = tarfile.TarInfo(os.fspath(PurePosixPath("package", *parts[1:])))
    entry.size = member.size
    entry.mode = 0o755 if member.mode & 0o111 else 0o644
    return entry


def _link(program: str, executable: str) -> tarfile.TarInfo:
    link = tarfile.TarInfo(f"bin/{program}")
    link.type = tarfile.SYMTYPE
    link.linkname = f"../package/{executable}"
    return link
