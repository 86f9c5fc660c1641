"""Reads one file below a folder as data: no link is followed, no pipe is waited for."""

from __future__ import annotations

import errno
import os
import stat

MYPY = False
if MYPY:
    from collections.abc import Sequence

LINK = (errno.ELOOP, errno.ENOTDIR)
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Refused(Exception):
    """The path is not a plain file below the folder."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__("{} {}".format(kind, message))


def framed(root: str, path: str, limit: int) -> bytes:
    """A plus and the content, or a minus, a kind and a message."""
    try:
        return b"+" + read_below(root, path, limit)
    except Refused as error:
        return b"-" + str(error).encode("utf-8", "replace")
    except OSError as error:
        said = "{} {}: {}".format(type(error).__name__, path, os.strerror(error.errno or 0))
        return b"-" + said.encode("utf-8", "replace")


def read_below(root: str, path: str, limit: int) -> bytes:
    """The whole content of root/path."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or not parts:
        raise Refused("ValueError", "{!r} is not a path inside the workspace".format(path))
    fd = _walk(root, parts)
    try:
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            raise Refused("IsADirectoryError", path)
        if not stat.S_ISREG(status.st_mode):
            raise Refused("NotRegular", "{} is no regular file".format(path))
        if status.st_size > limit:
            raise Refused("TooLarge", "{} has {} bytes".format(path, status.st_size))
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(fd)


def _walk(root: str, parts: Sequence[str]) -> int:
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        try:
            below = os.open(part, FILE if last else FOLDER, dir_fd=here)
        except OSError as error:
            if error.errno in LINK and _is_link(part, here):
                raise Refused("SymbolicLink", "{} is a link".format("/".join(parts))) from None
            raise
        finally:
            os.close(here)
        here = below
    return here


def _is_link(name: str, folder: int) -> bool:
    return stat.S_ISLNK(os.lstat(name, dir_fd=folder).st_mode)
