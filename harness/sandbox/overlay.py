"""Mounting and unmounting workspaces by mount(2): a process for each would cost ten times more."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.domain.ids import LABEL
from harness.errors import SandboxFault
from harness.interrupts import shield

OWNER_FILE = "owner"
SAFE = 0x2 | 0x4
"""MS_NOSUID and MS_NODEV."""
DETACH = 0x2
"""MNT_DETACH."""


def mount_tmpfs(target: Path, options: str) -> None:
    """A memory file system; raises SandboxFault."""
    _mount("tmpfs", target, options)


def mount_overlay(target: Path, *, lower: Path, upper: Path, work: Path) -> None:
    """An overlay of three folders; raises SandboxFault."""
    with _opened(lower) as low, _opened(upper) as up, _opened(work) as spare:
        # by descriptor: the container sees these options in its mount table, and they must not
        # tell it where on the host it is
        layers = f"lowerdir={_place(low)},upperdir={_place(up)},workdir={_place(spare)}"
        _mount("overlay", target, f"{layers},redirect_dir=off,metacopy=off,index=off")


def remove_workspace(folder: Path) -> None:
    """Unmount and remove a workspace, whatever state it is in; no signal interrupts it."""
    with shield():
        for place in (folder / "m", folder / "t"):
            # a container that is being removed may hold it a moment longer: it is detached now,
            # and the kernel lets go when the last user does
            if place.is_mount() and _libc().umount2(os.fsencode(place), 0):
                _libc().umount2(os.fsencode(place), DETACH)
        shutil.rmtree(folder, ignore_errors=True)


def _mount(kind: str, target: Path, options: str) -> None:
    name = kind.encode()
    if _libc().mount(LABEL.encode(), os.fsencode(target), name, SAFE, options.encode()):
        why = os.strerror(ctypes.get_errno())
        raise SandboxFault(f"could not mount a workspace ({kind}): {why}")


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _place(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
