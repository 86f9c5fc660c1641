"""The agents' own programs: which versions, and what their archives have to be."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources

from harness.errors import UsageError
from harness.sandbox.base import Archive, Program

PINS = "programs.json"
_VERSION = re.compile(r"\d+\.\d+\.\d+([-+.][0-9A-Za-z.+-]+)?")


def pinned(name: str) -> Program:
    """The version that this Mintmark was tested with."""
    text = resources.files("harness.agents").joinpath(PINS).read_text(encoding="utf-8")
    pin = json.loads(text)[name]
    archives = tuple((machine, Archive(**raw)) for machine, raw in pin["archives"].items())
    return Program(name, pin["version"], archives)


def every() -> tuple[Program, ...]:
    """Every program whose version is pinned."""
    text = resources.files("harness.agents").joinpath(PINS).read_text(encoding="utf-8")
    return tuple(pinned(name) for name in json.loads(text))


def of_version(name: str, version: str | None) -> Program:
    """A version that somebody asked for; what its archives have to be is not known yet."""
    program = pinned(name)
    if version is None or version == program.version:
        return program
    if not _VERSION.fullmatch(version):
        raise UsageError(f"no version {version!r}; write {name}:{program.version}, or another one")
    archives = (
        (
            machine,
            replace(
                archive,
                version=archive.version.replace(program.version, version),
                integrity="",
            ),
        )
        for machine, archive in program.archives
    )
    return Program(name, version, tuple(archives))
