"""What content is called: the same bytes have the same digest on every machine."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from harness.domain.ids import Digest
from harness.domain.scenario import ImageSource

NOT_CONTENT = b".git"
"""A repository's own bookkeeping differs between clones; it is left out at every depth."""


def bytes_digest(data: bytes) -> Digest:
    """SHA-256 in hexadecimal."""
    return Digest(hashlib.sha256(data).hexdigest())


def text_digest(*parts: str) -> Digest:
    """One digest for several texts; moving a character from one part to the next changes it."""
    return bytes_digest(json.dumps(parts).encode())


def tree_digest(folder: Path) -> Digest:
    """Names, kinds, the executable bit and content of everything below; links are not followed.

    Owners, times and the other mode bits are left out: they differ between checkouts.
    """
    whole = hashlib.sha256()
    for path, kind, content in _entries(os.fsencode(folder), b""):
        whole.update(b"%d:%s%s%s" % (len(path), path, kind, content))
    return Digest(whole.hexdigest())


def image_digest(source: ImageSource) -> Digest:
    """What an image is made from, as far as the scenario's files say; no engine is asked."""
    if source.dockerfile is not None:
        folder = source.dockerfile.parent
        return text_digest("dockerfile", source.dockerfile.name, tree_digest(folder))
    packages = sorted(set(source.packages))
    return text_digest("name", source.name, json.dumps(packages), json.dumps(source.setup))


def _entries(folder: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name == NOT_CONTENT:
            continue
        path = prefix + entry.name
        if entry.is_symlink():
            target = os.readlink(entry.path)  # noqa: PTH115  # names are bytes here
            yield path, b"l", hashlib.sha256(target).digest()
        elif entry.is_dir():
            yield path, b"d", b""
            yield from _entries(entry.path, path + b"/")
        elif entry.is_file():
            yield path, _file_kind(entry), _file_digest(entry.path)
        else:
            yield path, b"o", b""


def _file_kind(entry: os.DirEntry[bytes]) -> bytes:
    return b"x" if entry.stat(follow_symlinks=False).st_mode & stat.S_IXUSR else b"f"


def _file_digest(path: bytes) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  # names are bytes, which Path cannot hold
        return hashlib.file_digest(file, "sha256").digest()
