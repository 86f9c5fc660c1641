"""Scripts that evaluate: found beside a scenario or its suite, never in the workspace."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from harness.domain.digests import bytes_digest, text_digest
from harness.domain.ids import Digest
from harness.domain.scenario import MIB, CheckSpec
from harness.load.checks import Placed
from harness.load.folders import CACHES, FIXTURES, SOLUTION, WRONG
from harness.load.places import Problem

KIND = "script"
OF_THE_SUITE = "suite:"
MOST_BYTES = 8 * MIB
MOST_FILES = 500

_NOT_SCRIPTS = frozenset({*FIXTURES, SOLUTION, WRONG})
_SHEBANG = b"#!"


class ScriptError(Exception):
    """Why a script cannot be run, as a sentence without its subject."""


@dataclass(frozen=True, slots=True)
class EvaluatorScript:
    """A script, and all that is copied beside it."""

    name: str
    interpreter: tuple[str, ...]
    files: Mapping[str, bytes]
    """By path below the script's folder; the script itself is among them."""

    @property
    def digest(self) -> Digest:
        """Names and content; moving either changes it."""
        return text_digest(
            self.name,
            *self.interpreter,
            *(part for name, data in self.files.items() for part in (name, bytes_digest(data))),
        )


def read_script(folder: Path, options: Mapping[str, Any]) -> EvaluatorScript:
    """The script that `options.run` names for the scenario in `folder`; raises ScriptError.

    What stands beside it comes along, unless that is the whole scenario or the whole suite.
    """
    run = str(options["run"])
    of_suite = run.startswith(OF_THE_SUITE)
    top = folder.parent.parent if of_suite else folder
    path = _within(top, PurePosixPath(run.removeprefix(OF_THE_SUITE)))
    found = [path] if path.parent == top else sorted(path.parent.rglob("*"))
    files = dict(_contents(found, path.parent))
    return EvaluatorScript(path.name, _interpreter(files[path.name], options), files)


def script_problems(folder: Path, checks: Iterable[Placed]) -> Iterator[Problem]:
    """What keeps the scripts of a scenario's checks from being run."""
    for placed in checks:
        options = placed.spec.options
        if placed.spec.kind != KIND or not isinstance(options.get("run"), str):
            continue
        try:
            read_script(folder, options)
        except ScriptError as error:
            yield Problem((*placed.place, "options", "run"), f"{options['run']!r} {error}")


def scripts_digest(folder: Path, checks: Iterable[CheckSpec]) -> Digest:
    """What the scripts of a scenario's checks are: part of what its grade depends on."""
    made = [check for check in checks if check.kind == KIND]
    return text_digest(
        *(part for c in made for part in (c.name, read_script(folder, c.options).digest))
    )


def _within(top: Path, inside: PurePosixPath) -> Path:
    if inside.is_absolute() or ".." in inside.parts or "\0" in str(inside):
        raise ScriptError("must be a path within the scenario's folder, or suite:PATH")
    barred = sorted(_NOT_SCRIPTS.intersection(inside.parts))
    if barred:
        raise ScriptError(f"is in {barred[0]}/: scripts that grade stand in a folder of their own")
    path = top / inside
    if not path.is_file():
        raise ScriptError(f"is not there: no file {inside} in {top}")
    if not path.resolve().is_relative_to(top.resolve()):
        raise ScriptError("leads out of its folder")
    return path


def _contents(found: Iterable[Path], base: Path) -> Iterator[tuple[str, bytes]]:
    left, count = MOST_BYTES, 0
    for path in found:
        if CACHES.intersection(path.relative_to(base).parts):
            continue
        name = os.fsencode(path.relative_to(base)).decode("utf-8", "backslashreplace")
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise ScriptError(f"has {name} beside it, which is no regular file")
        if path.is_dir():
            continue
        data = path.read_bytes()
        left, count = left - len(data), count + 1
        if left < 0 or count > MOST_FILES:
            raise ScriptError(
                f"has too much beside it: at most {MOST_FILES} files of {MOST_BYTES} bytes"
            )
        yield name, data


def _interpreter(data: bytes, options: Mapping[str, Any]) -> tuple[str, ...]:
    """What runs it: the kernel cannot, for nothing is executable where the script is put."""
    if "interpreter" in options:
        try:
            words = tuple(shlex.split(str(options["interpreter"])))
        except ValueError as error:
            raise ScriptError(f"has an interpreter that is no command line: {error}") from error
    else:
        first = data.split(b"\n", 1)[0]
        line = first.removeprefix(_SHEBANG) if first.startswith(_SHEBANG) else b""
        # as the kernel does it: everything behind the program is one argument
        words = tuple(line.decode("utf-8", "replace").strip().split(None, 1))
    if not words:
        raise ScriptError("does not begin with #!, so say what runs it: `interpreter: python3`")
    return words
