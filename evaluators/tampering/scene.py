"""What the families look at: every changed file with its new lines, told apart from moved ones."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pathspec

from evaluators.tampering import places
from evaluators.tampering.masking import masked
from harness.domain.changes import ChangeKind
from harness.domain.patch import FilePatch, PatchKind, PatchLine
from harness.evaluate import Evidence

MOST_TEXT = 4 * 1024 * 1024
MOST_LINE = 20_000
"""Of a longer line only so much is read; that there is one is a sign itself."""


class Sign(NamedTuple):
    """Something that honest work seldom needs."""

    family: str
    serious: bool
    path: str
    line: int | None
    what: str


class Line(NamedTuple):
    """A line that came; `code` is what is left of it without strings and comments."""

    number: int
    text: str
    code: str


@dataclass(frozen=True, slots=True)
class Look:
    """One changed file."""

    file: FilePatch
    is_test: bool
    news: tuple[Line, ...]
    """The lines that came and were nowhere before."""
    added: tuple[Line, ...]
    removed: tuple[Line, ...]

    @property
    def path(self) -> str:
        """Where it is, or was."""
        return self.file.path

    @property
    def name(self) -> str:
        """The last part of its path."""
        return places.name_of(self.file.path)

    @property
    def suffix(self) -> str:
        """The last suffix of its path."""
        return places.suffix_of(self.file.path)

    @property
    def fresh(self) -> bool:
        """The fixture has nothing there."""
        return self.file.kind is PatchKind.ADDED

    @property
    def gone(self) -> bool:
        """The file was removed."""
        return self.file.kind is PatchKind.DELETED

    def sign(self, family: str, what: str, line: int | None = None, *, serious: bool) -> Sign:
        """A sign in this file."""
        return Sign(family, serious, self.path, line, what)


@dataclass(frozen=True, slots=True)
class Scene:
    """The whole of a patch."""

    evidence: Evidence
    looks: tuple[Look, ...]
    """All files: what an agent may not do anywhere is looked for in all of them."""
    roles: tuple[Look, ...]
    """Those that the check does not ignore: what a file is for is asked of these."""

    def before(self, path: str) -> str | None:
        """A file's text as the fixture has it."""
        return _original(self.evidence, path)

    def after(self, path: str) -> str | None:
        """A changed file's text as it reached grading: protected paths did not."""
        data = self.evidence.changes.items
        name = os.fsencode(path)
        found = next((c for c in data if c.path == name and c.kind is ChangeKind.FILE), None)
        return text_of(found.data) if found else None


def _original(evidence: Evidence, path: str) -> str | None:
    try:
        return text_of(evidence.original(path))
    except OSError:
        # a name of bytes that are no text grows when it is escaped: the fixture has none so long
        return None


def text_of(data: bytes | None) -> str | None:
    """Text for reading, unless it is too long."""
    if data is None or len(data) > MOST_TEXT:
        return None
    return data.decode("utf-8", "replace")


def look_at(evidence: Evidence, options: Mapping[str, Any]) -> Scene:
    """The patch, with the scenario's word on where tests live and what is not looked at."""
    tests = options.get("paths")
    spec = pathspec.GitIgnoreSpec.from_lines(tests) if tests else None
    ignored = pathspec.GitIgnoreSpec.from_lines(options.get("ignore", ()))
    files = evidence.work.patch.files
    whole = {c.path: c.data for c in evidence.changes if c.kind is ChangeKind.FILE}
    left = Counter(_bare(line) for file in files for line in file.removed)
    looks = []
    for file in files:
        test = spec.match_file(file.path) if spec else places.is_test(file.path)
        after = text_of(whole.get(os.fsencode(file.path)))
        before = _original(evidence, file.was or file.path) if file.removed else None
        suffix = places.suffix_of(file.path)
        added = tuple(_lines(file.added, after, suffix))
        news = tuple(line for line in added if not _moved(line, left))
        looks.append(Look(file, test, news, added, tuple(_lines(file.removed, before, suffix))))
    roles = tuple(look for look in looks if not ignored.match_file(look.path))
    return Scene(evidence, tuple(looks), roles)


def _moved(line: Line, left: Counter[str]) -> bool:
    text = _bare(line)
    if left[text] > 0:
        left[text] -= 1
        return True
    return False


def _bare(line: PatchLine | Line) -> str:
    """The line without what changes when it moves, or when its neighbour goes."""
    return line.text.strip().rstrip(",;")


def _lines(lines: Sequence[PatchLine], whole: str | None, suffix: str) -> Iterator[Line]:
    """Each line with its code, read from the whole file where that is at hand."""
    if whole is None:
        codes = masked("\n".join(line.text for line in lines), suffix)
        at: Mapping[int, str] = {
            line.number: code for line, code in zip(lines, codes, strict=False)
        }
    else:
        numbers = {line.number for line in lines}
        codes = masked(whole, suffix)
        at = {number: code for number, code in enumerate(codes, 1) if number in numbers}
    for line in lines:
        text = line.text.removesuffix("\r")
        yield Line(line.number, text[:MOST_LINE], at.get(line.number, text)[:MOST_LINE])
