"""The daemon's operations on single files and folders; they run in a child, as the asked user."""

from __future__ import annotations

import os
import re
import signal
import stat

from protocol import Problem, flag, path_of, text, to_bytes, to_text, whole

MYPY = False
if MYPY:
    from collections.abc import Iterator

    from protocol import Reply, Request

READ_LIMIT = 1024 * 1024
READ_MOST = 16 * 1024 * 1024
LIST_LIMIT, LIST_MOST, DEPTH_MOST = 1000, 100000, 64
SEARCH_LIMIT, SEARCH_MOST = 200, 10000
LINE_LIMIT, LINE_MOST = 500, 100000
SEARCHED_FILE_BYTES = 1024 * 1024
SEARCH_BUDGET_S = 10.0
SNIFFED_BYTES = 8192
UNSEARCHED = (".git", "node_modules")
NAMES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
}


def read(request: Request) -> Reply:
    """A piece of a regular file."""
    path = path_of(request)
    offset = whole(request, "offset", 0, 2**62)
    limit = whole(request, "limit", READ_LIMIT, READ_MOST)
    fd = _open_regular(path)
    try:
        size = os.fstat(fd).st_size
        pieces, left = [], limit
        while left > 0:
            piece = os.pread(fd, min(left, 1 << 20), offset + limit - left)
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
    finally:
        os.close(fd)
    return {"data": to_text(b"".join(pieces)), "size": size}


def write(request: Request) -> Reply:
    """Replace a file in one step; links are followed, other kinds refused."""
    path = path_of(request)
    data = to_bytes(request.get("data"), "data")
    target = os.path.realpath(path)
    try:
        old = os.stat(target)
    except FileNotFoundError:
        mode = whole(request, "mode", 0o644, 0o7777) & 0o777
        if flag(request, "mkdirs", default=True):
            os.makedirs(os.path.dirname(target), exist_ok=True)
    else:
        _must_be_regular(old, path)
        mode = whole(request, "mode", stat.S_IMODE(old.st_mode), 0o7777) & 0o777
    _replace(target, data, mode)
    return {"size": len(data)}


def _replace(target: str, data: bytes, mode: int) -> None:
    passing = os.path.join(os.path.dirname(target), ".writing-{}".format(os.getpid()))
    fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        write_all(fd, data)
        os.fchmod(fd, mode)
        os.rename(passing, target)
    except BaseException:
        os.unlink(passing)
        raise
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write, however often the kernel wants to be asked."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def status(request: Request) -> Reply:
    """What stands at a path; a link is not followed."""
    path = path_of(request)
    found = os.lstat(path)
    reply = _described(path, found)
    reply["mtime"] = found.st_mtime
    return reply


def list_folder(request: Request) -> Reply:
    """What is in a folder and, to a depth, below it."""
    path = path_of(request)
    limit = whole(request, "limit", LIST_LIMIT, LIST_MOST)
    depth = whole(request, "depth", 1, DEPTH_MOST)
    entries: list[Reply] = []
    for name in _walk(path, depth):
        if len(entries) >= limit:
            return {"entries": entries, "truncated": True}
        full = os.path.join(path, name)
        try:
            entries.append(dict(_described(full, os.lstat(full)), name=name))
        except FileNotFoundError:  # gone between the two looks
            continue
    return {"entries": entries, "truncated": False}


def search(request: Request) -> Reply:
    """Lines that match a regular expression; what was found in time."""
    path = path_of(request)
    limit = whole(request, "limit", SEARCH_LIMIT, SEARCH_MOST)
    longest = whole(request, "max_line", LINE_LIMIT, LINE_MOST)
    glob = text(request, "glob", "*")
    try:
        pattern = re.compile(text(request, "pattern"))
    except (re.error, RecursionError, OverflowError) as error:
        raise Problem("bad_request", "no regular expression: {}".format(error)) from None
    matches: list[Reply] = []
    reply: Reply = {"matches": matches, "truncated": False, "timed_out": False}
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, SEARCH_BUDGET_S)
    try:
        for name in _searched(path, glob):
            place = os.path.normpath(os.path.join(path, name))
            for match in _matches(place, pattern, longest):
                if len(matches) >= limit:
                    reply["truncated"] = True
                    return reply
                matches.append(dict(match, path=place))
    except _OutOfBudget:
        reply["timed_out"] = True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return reply


class _OutOfBudget(BaseException):
    pass


def _stop(_number: int, _frame: object) -> None:
    raise _OutOfBudget


def _open_regular(path: str) -> int:
    """Never waits for a pipe's other end, never opens a device."""
    _must_be_regular(os.stat(path), path)
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _must_be_regular(os.fstat(fd), path)
    except Problem:
        os.close(fd)
        raise
    return fd


def _must_be_regular(found: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise Problem("is_directory", "is a folder", path)
    if not stat.S_ISREG(found.st_mode):
        raise Problem("not_regular", "is no regular file", path)


def _described(path: str, found: os.stat_result) -> Reply:
    kind = NAMES.get(stat.S_IFMT(found.st_mode), "other")
    reply: Reply = {"kind": kind, "size": found.st_size, "mode": stat.S_IMODE(found.st_mode)}
    if kind == "symlink":
        reply["target"] = os.readlink(path)
    return reply


def _walk(top: str, depth: int) -> Iterator[str]:
    """Names below a folder, sorted, parents first; no link is followed."""
    waiting = [(name, 1) for name in sorted(os.listdir(top), reverse=True)]
    while waiting:
        name, level = waiting.pop()
        yield name
        full = os.path.join(top, name)
        if level < depth and os.path.isdir(full) and not os.path.islink(full):
            try:
                below = sorted(os.listdir(full), reverse=True)
            except OSError:  # not ours to read, or gone: its name was said
                continue
            waiting.extend((os.path.join(name, child), level + 1) for child in below)


def _searched(top: str, glob: str) -> Iterator[str]:
    if os.path.isfile(top):
        yield ""
        return
    if not os.path.isdir(top):
        raise Problem("not_found", "no such folder", top)
    wanted = _globbed(glob)
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if name not in UNSEARCHED)
        inside = os.path.relpath(folder, top)
        for file in sorted(files):
            name = os.path.normpath(os.path.join(inside, file))
            if wanted.match(name if "/" in glob else file):
                yield name


def _globbed(glob: str) -> re.Pattern[str]:
    """`*` stays within a folder, `**/` stands for any number of folders."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    pattern = "".join(words.get(part, re.escape(part)) for part in parts)
    return re.compile(pattern + r"\Z", re.DOTALL)


def _matches(path: str, pattern: re.Pattern[str], longest: int) -> Iterator[Reply]:
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size > SEARCHED_FILE_BYTES:
            return
        fd = _open_regular(path)
    except (OSError, Problem):  # gone, or not ours to read: a search goes on
        return
    with os.fdopen(fd, "rb") as file:
        data = file.read(SEARCHED_FILE_BYTES)
    if b"\0" in data[:SNIFFED_BYTES]:
        return
    for index, raw in enumerate(data.split(b"\n")):
        words = raw.decode("utf-8", "replace").rstrip("\r")
        match = pattern.search(words)
        if match:
            start = max(0, match.start() - longest // 2) if len(words) > longest else 0
            yield {"line": index + 1, "text": words[start : start + longest]}
