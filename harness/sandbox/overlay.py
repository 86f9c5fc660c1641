"""Mounting and unmounting workspaces with mount(8)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from harness.errors import SandboxFault
from harness.interrupts import shield

MOUNT_TIMEOUT_S = 30
OWNER_FILE = "owner"


def run_mount(arguments: list[str], cwd: Path) -> None:
    """mount(8); raises SandboxFault with what it said."""
    done = _run("mount", *arguments, cwd=cwd)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise SandboxFault(f"could not mount a workspace: {said}")


def remove_workspace(folder: Path) -> None:
    """Unmount and remove a workspace, whatever state it is in; no signal interrupts it."""
    with shield():
        for place in (folder / "m", folder / "t"):
            if os.path.ismount(place) and _run("umount", str(place)).returncode:
                # a container that is being removed may hold it a moment longer: detach it now,
                # the kernel lets go when the last user does
                _run("umount", "-l", str(place))
        shutil.rmtree(folder, ignore_errors=True)


def _run(*argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    # a session of its own: Ctrl-C is for us, a mount that dies of it is left half done
    return subprocess.run(
        argv,
        cwd=cwd,
        capture_output=True,
        timeout=MOUNT_TIMEOUT_S,
        check=False,
        start_new_session=True,
    )
