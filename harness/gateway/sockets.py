"""Unix sockets in a folder that only this user can enter."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from harness.errors import SandboxFault, UsageError

MAX_PATH = 107
"""Of a unix socket's address."""
OWNER_FILE = "owner"


def sockets_folder() -> Path:
    """Where this user's gateways listen: a short path, because a socket's address is short."""
    return Path(tempfile.gettempdir()) / f"mintmark-{os.getuid()}"


@contextmanager
def open_socket(owner: str) -> Iterator[tuple[Path, socket.socket]]:
    """A bound unix socket in a folder of its own; both are gone when the block ends."""
    parent = sockets_folder()
    folder = parent / secrets.token_hex(6)
    path = folder / "gateway.sock"
    if len(os.fsencode(path)) > MAX_PATH:
        raise UsageError(f"{parent} is too long a path for a socket; set TMPDIR to a shorter one")
    with ExitStack() as stack:
        try:
            _make_private(parent)
            folder.mkdir()
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            (folder / OWNER_FILE).write_text(owner, encoding="utf-8")
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(str(path))
            # a sandbox's user has to connect; on this machine the folder keeps others out
            path.chmod(0o666)
        except OSError as error:
            raise SandboxFault(f"could not open the gateway's socket {path}: {error}") from error
        yield path, listening


def _make_private(folder: Path) -> None:
    """A folder of this user's that nobody else can enter."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise UsageError(f"{folder} belongs to somebody else; set TMPDIR to a folder of yours")
    folder.chmod(0o700)
