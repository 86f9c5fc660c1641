"""Mounting and unmounting workspaces with mount(8)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from harness.errors import SandboxFault

MOUNT_TIMEOUT_S = 30
OWNER_FILE = "owner"


def run_mount(arguments: list[str], cwd: Path) -> None:
    """mount(8); raises SandboxFault with what it said."""
    done = subprocess.run(
        ["mount", *arguments], cwd=cwd, capture_output=True, timeout=MOUNT_TIMEOUT_S, check=False
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise SandboxFault(f"could not mount a workspace: {said}")


def remove_workspace(folder: Path) -> None:
    """Unmount and remove a workspace, whatever state it is in."""
    for name in ("m", "t"):
        if os.path.ismount(folder / name):
            done = subprocess.run(
                ["umount", str(folder / name)],
                capture_output=True,
                timeout=MOUNT_TIMEOUT_S,
                check=False,
            )
            if done.returncode:
                # a container that is being removed may hold it a moment longer: detach it now,
                # the kernel lets go when the last user does
                subprocess.run(
                    ["umount", "-l", str(folder / name)],
                    capture_output=True,
                    timeout=MOUNT_TIMEOUT_S,
                    check=False,
                )
    shutil.rmtree(folder, ignore_errors=True)
