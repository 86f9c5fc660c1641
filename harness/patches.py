"""Git's unified diff into a Patch; it was made of hostile files, so nothing in it is trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from harness.domain.patch import FilePatch, Patch, PatchKind, PatchLine

MOST_BYTES = 32 * 1024 * 1024
MOST_LINES = 400_000
"""Of a longer patch the later files have a heading and no lines."""
MOST_FILE_BYTES = 4 * 1024 * 1024
MOST_FILE_LINES = 100_000
"""Of a longer file only so much is read: it must not push the others out of sight."""
HEAD_BYTES = 64 * 1024
"""No heading is longer: git refuses longer names."""

_START = re.compile(rb"^diff --git ", re.MULTILINE)
_HUNK = re.compile(rb"@@ -(\d{1,12})(?:,(\d{1,12}))? \+(\d{1,12})(?:,(\d{1,12}))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_PLAIN = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_KEPT_MODES = (b"120000", b"160000")
"""A link or a submodule whose content changed has its mode on the index line only."""


def parse_patch(data: bytes) -> Patch:
    """What `Ledger.diff` wrote, by file."""
    # within hunks every line has a mark, so no content starts a file
    data = data if data.endswith(b"\n") else data + b"\n"
    begins = [found.start() for found in _START.finditer(data)]
    files, bytes_left, lines_left = [], MOST_BYTES, MOST_LINES
    for begin, end in pairwise([*begins, len(data)]):
        part = data[begin : min(end, begin + MOST_FILE_BYTES, begin + max(bytes_left, 0))]
        lines = list(_lines(part, min(MOST_FILE_LINES, lines_left)))
        whole = sum(map(len, lines)) + len(lines) >= end - begin
        if len(lines) < 2 and not whole:  # noqa: PLR2004  # not even a heading
            lines = list(_heading_lines(data[begin : min(end, begin + HEAD_BYTES)]))
        file = _file(lines, cut=not whole)
        files.append(file)
        bytes_left -= len(part)
        lines_left -= len(file.added) + len(file.removed)
    return Patch(tuple(files), cut=any(file.cut for file in files))


def _lines(part: bytes, most: int) -> Iterator[bytes]:
    """The whole lines, found one by one: a list of millions of empty ones has no room."""
    begin = 0
    for _ in range(most):
        end = part.find(b"\n", begin)
        if end < 0:
            return
        yield part[begin:end]
        begin = end + 1


def _heading_lines(part: bytes) -> Iterator[bytes]:
    for line in _lines(part, 16):
        if line.startswith(b"@@"):
            return
        yield line


@dataclass(slots=True)
class _Reading:
    path: str = ""
    was: str | None = None
    kind: PatchKind = PatchKind.MODIFIED
    mode: str | None = None
    binary: bool = False
    added: list[PatchLine] = field(default_factory=list)
    removed: list[PatchLine] = field(default_factory=list)


def _file(lines: Sequence[bytes], *, cut: bool) -> FilePatch:
    found = _Reading(path=_both(lines[0].removeprefix(b"diff --git ")) if lines else "")
    in_hunks = False
    old = new = 0
    for raw in lines[1:]:
        hunk = _HUNK.match(raw) if raw.startswith(b"@@") else None
        if hunk:
            in_hunks, old, new = True, int(hunk[1]), int(hunk[3])
        elif not in_hunks:
            _heading(found, raw)
        elif raw.startswith(b"+"):
            found.added.append(PatchLine(new, _text(raw[1:])))
            new += 1
        elif raw.startswith(b"-"):
            found.removed.append(PatchLine(old, _text(raw[1:])))
            old += 1
        elif raw.startswith(b" "):
            old, new = old + 1, new + 1
    return FilePatch(
        path=found.path,
        kind=found.kind,
        was=found.was,
        added=tuple(found.added),
        removed=tuple(found.removed),
        binary=found.binary,
        mode=found.mode,
        cut=cut,
        text="\n".join(map(_text, lines)) + "\n",
    )


def _heading(found: _Reading, raw: bytes) -> None:
    word, _, rest = raw.partition(b" ")
    if raw.startswith(b"new file mode "):
        found.kind, found.mode = PatchKind.ADDED, _text(raw.rpartition(b" ")[2])
    elif raw.startswith(b"deleted file mode "):
        found.kind = PatchKind.DELETED
    elif raw.startswith(b"new mode "):
        found.mode = _text(rest.removeprefix(b"mode "))
    elif raw.startswith(b"index "):
        mode = raw.rpartition(b" ")[2]
        found.mode = found.mode or (_text(mode) if mode in _KEPT_MODES else None)
    elif raw.startswith(b"rename from "):
        found.kind, found.was = PatchKind.RENAMED, _name(rest.removeprefix(b"from "))
    elif raw.startswith(b"rename to "):
        found.path = _name(rest.removeprefix(b"to "))
    elif raw.startswith((b"Binary files ", b"GIT binary patch")):
        found.binary = True
    elif word == b"+++" and rest != b"/dev/null":
        found.path = _name(rest, b"b/")
    elif word == b"---" and rest != b"/dev/null" and found.kind is PatchKind.DELETED:
        found.path = _name(rest, b"a/")


def _both(names: bytes) -> str:
    """The name in `a/name b/name`, which nothing but its length tells from a space in a name."""
    if names.startswith(b'"'):
        half = names[: (len(names) - 1) // 2]
        return _name(half, b"a/")
    return _name(names[: (len(names) - 1) // 2], b"a/")


def _name(raw: bytes, prefix: bytes = b"") -> str:
    raw = raw.removesuffix(b"\t")
    if raw.startswith(b'"') and raw.endswith(b'"'):
        raw = _ESCAPE.sub(_unescaped, raw[1:-1])
    return _text(raw.removeprefix(prefix))


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _PLAIN.get(code, code)  # noqa: PLR2004  # octal digits


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
