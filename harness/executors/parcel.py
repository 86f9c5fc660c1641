"""A project's files as one piece of bytes, named by content, for machines that do not have them."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.domain.digests import NOT_CONTENT, bytes_digest
from harness.domain.ids import Digest
from harness.errors import StoreFault
from harness.load.agents import FOLDER as AGENTS
from harness.load.prices import FILE as PRICES
from harness.load.scenarios import SUITES


@dataclass(frozen=True, slots=True)
class Parcel:
    """What runs read of a project: suites, agents' command lines, prices; no results, no keys."""

    digest: Digest
    data: bytes


def packed(root: Path, suites: Iterable[str]) -> Parcel:
    """The same files make the same bytes, whoever owns them and whenever they were written."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in (*sorted(f"{SUITES}/{suite}" for suite in set(suites)), AGENTS, PRICES):
            if (root / name).exists():
                _add(archive, root, name)
    data = whole.getvalue()
    return Parcel(bytes_digest(data), data)


def unpacked(parcel: Parcel, folder: Path) -> Path:
    """The project below `folder`, once for all who ask; raises StoreFault for damaged bytes."""
    if bytes_digest(parcel.data) != parcel.digest:
        raise StoreFault("the project's files did not arrive as they were sent; try again")
    whole = folder / parcel.digest
    if whole.is_dir():
        return whole
    folder.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder))
    try:
        with tarfile.open(fileobj=io.BytesIO(parcel.data)) as archive:
            archive.extractall(fresh, filter="data")
        os.rename(fresh, whole)  # noqa: PTH104  # into place as a whole, or not at all
    except OSError:
        # a process beside this one was quicker
        shutil.rmtree(fresh, ignore_errors=True)
        if not whole.is_dir():
            raise
    return whole


def _add(archive: tarfile.TarFile, root: Path, name: str) -> None:
    path = root / name
    info = archive.gettarinfo(path, name)
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    if info.isreg():
        # two names of one file would arrive as a link
        info.type, info.linkname = tarfile.REGTYPE, ""
        info.size = path.stat().st_size
        with path.open("rb") as file:
            archive.addfile(info, file)
        return
    archive.addfile(info)
    if info.isdir():
        for inner in sorted(os.listdir(path)):  # noqa: PTH208  # names, not paths
            if os.fsencode(inner) != NOT_CONTENT:
                _add(archive, root, f"{name}/{inner}")
