"""The words of the tool daemon: how errors are named and how bytes travel in JSON."""

from __future__ import annotations

import binascii
import errno
import json

MYPY = False
if MYPY:
    from collections.abc import Mapping

    Request = Mapping[str, object]
    Reply = dict[str, object]

LONGEST_QUOTE = 80
KINDS = {
    errno.ENOENT: "not_found",
    errno.EISDIR: "is_directory",
    errno.ENOTDIR: "not_directory",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.EROFS: "denied",
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.EFBIG: "too_large",
    errno.E2BIG: "too_large",
    errno.ELOOP: "link_loop",
    errno.ENAMETOOLONG: "bad_request",
    errno.EAGAIN: "no_process",
    errno.ENOMEM: "no_process",
}


class Problem(Exception):
    """A request that is answered with an error."""

    def __init__(self, kind: str, message: str, path: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.path = path

    def reply(self) -> Reply:
        """Its answer."""
        said: Reply = {"kind": self.kind, "message": str(self)}
        if self.path is not None:
            said["path"] = self.path
        return {"error": said}


def from_os(error: OSError, path: str | None) -> Problem:
    """What the kernel said, in the daemon's words."""
    kind = KINDS.get(error.errno or 0, "io")
    return Problem(kind, error.strerror or type(error).__name__, path)


def text(request: Request, name: str, default: str | None = None) -> str:
    """A string without NUL; raises Problem."""
    value = request.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or "\0" in value:
        raise _wrong(name, "a string", value)
    return value


def path_of(request: Request, name: str = "path") -> str:
    """A path; raises Problem."""
    path = text(request, name)
    if not path:
        raise _wrong(name, "a path", path)
    return path


def whole(request: Request, name: str, default: int, most: int) -> int:
    """A whole number from 0 to `most`; raises Problem."""
    value = request.get(name)
    if value is None:
        return default
    if type(value) is not int or not 0 <= value <= most:
        raise _wrong(name, "a number from 0 to {}".format(most), value)
    return value


def seconds(request: Request, name: str, most: float) -> float:
    """A duration above 0; raises Problem."""
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most:
        raise _wrong(name, "seconds, up to {:g}".format(most), value)
    return float(value)


def flag(request: Request, name: str, *, default: bool) -> bool:
    """Yes or no; raises Problem."""
    value = request.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


def items(request: Request, name: str, *, optional: bool = False) -> list[object]:
    """A list; raises Problem."""
    value = request.get(name)
    if value is None and optional:
        return []
    if not isinstance(value, list):
        raise _wrong(name, "a list", value)
    return value


def table(value: object, name: str) -> Request:
    """An object; raises Problem."""
    if not isinstance(value, dict):
        raise _wrong(name, "an object", value)
    return value


def identity(request: Request) -> tuple[int, int] | None:
    """Whom to be while doing it; raises Problem."""
    value = request.get("as")
    if value is None:
        return None
    if isinstance(value, list) and all(type(number) is int and number >= 0 for number in value):
        uid, *gids = value
        if len(gids) == 1:
            return uid, gids[0]
    raise _wrong("as", "null or [uid, gid]", value)


def to_bytes(value: object, name: str) -> bytes:
    """Decode base64; raises Problem."""
    try:
        if isinstance(value, str):
            return binascii.a2b_base64(value.encode("ascii"))
    except ValueError:
        raise _wrong(name, "base64", value) from None
    raise _wrong(name, "base64", value)


def to_text(data: bytes) -> str:
    """Encode as base64."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def line(reply: Reply) -> bytes:
    """One reply, with its newline."""
    return json.dumps(reply, separators=(",", ":")).encode("ascii") + b"\n"


def _wrong(name: str, wanted: str, value: object) -> Problem:
    quoted = repr(value)[:LONGEST_QUOTE]
    return Problem("bad_request", "{!r} must be {}, not {}".format(name, wanted, quoted))
