"""Versions and ranges as npm and Python write them; home of `nodesemver` and `packaging`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import nodesemver
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

MAX_CHARS = 256
"""npm reads no longer ranges either; digits and blanks without end would cost minutes."""

_BARE = re.compile(r"v?[0-9]")
_OR = re.compile(r"\|\|?")


class Ecosystem(StrEnum):
    """Whose rules a version follows."""

    NPM = "npm"
    PYTHON = "python"


@dataclass(frozen=True, slots=True)
class Version:
    """One version; `release` is padded to three numbers, `pre` means that it is not final."""

    text: str
    ecosystem: Ecosystem
    release: tuple[int, int, int]
    pre: bool
    native: Any
    """What the library made of it."""

    @property
    def major(self) -> int:
        """The first number."""
        return self.release[0]

    def __lt__(self, other: Version) -> bool:
        if self.ecosystem is not other.ecosystem:
            return self.release < other.release
        if self.ecosystem is Ecosystem.NPM:
            return bool(self.native.compare(other.native) < 0)
        return bool(self.native < other.native)


@dataclass(frozen=True, slots=True)
class Range:
    """Versions that somebody allows."""

    text: str
    ecosystem: Ecosystem
    alternatives: tuple[Any, ...]
    """One of npm's ranges, or specifiers of Python's of which one has to hold."""
    lowest: Version
    """The lowest final version that it may hold; 0.0.0 when nothing bounds it below."""

    def holds(self, version: Version) -> bool:
        """It is one of them."""
        if version.ecosystem is not self.ecosystem:
            return False
        if self.ecosystem is Ecosystem.NPM:
            return any(each.test(version.native) for each in self.alternatives)
        return any(each.contains(version.native, prereleases=True) for each in self.alternatives)


@lru_cache(maxsize=65536)
def read_version(text: str, ecosystem: Ecosystem) -> Version | None:
    """A version, else None."""
    text = text.strip()
    if not text or len(text) > MAX_CHARS:
        return None
    if ecosystem is Ecosystem.PYTHON:
        try:
            found = PythonVersion(text)
        except InvalidVersion:
            return None
        release = (found.major, found.minor, found.micro)
        return Version(text, ecosystem, release, found.is_prerelease, found)
    try:
        semver = nodesemver.make_semver(text, loose=True)
    except ValueError:
        return None
    three = (int(semver.major), int(semver.minor), int(semver.patch))
    return Version(text, ecosystem, three, bool(semver.prerelease), semver)


@lru_cache(maxsize=65536)
def read_range(text: str, ecosystem: Ecosystem) -> Range | None:
    """A range in the grammar of the ecosystem, or else in the other's; None when it is none.

    An empty one holds everything. npm's carets, tildes and `1.x` work on Python's versions too;
    Poetry writes them so.
    """
    text = " ".join(text.split())
    if len(text) > MAX_CHARS:
        return None
    try:
        if ecosystem is Ecosystem.NPM:
            return _npm(text) or _npm(text.replace(",", " "))
        return _python(text)
    except (ValueError, AttributeError, TypeError):  # an odd text, which nodesemver trips over
        return None


def is_range(text: str) -> bool:
    """It is a range to either."""
    return any(read_range(text, ecosystem) is not None for ecosystem in Ecosystem)


def pinned(text: str) -> str:
    """Poetry's and pip's plain version as a specifier: `1.2` is `==1.2`."""
    return f"=={text.strip().removeprefix('v')}" if _BARE.match(text.strip()) else text


def _npm(text: str) -> Range | None:
    try:
        found = nodesemver.make_range(text, loose=False)
    except ValueError:
        return None
    lows = [low for each in found.set if (low := _low(each)) is not None]
    if not lows:
        return None
    # a final version first: nothing but a range that names a prerelease allows one
    return Range(text, Ecosystem.NPM, (found,), min(lows))


def _low(comparators: list[Any]) -> Version | None:
    low = read_version("0.0.0", Ecosystem.NPM)
    for each in comparators:
        if each.operator is None or each.operator.startswith("<"):
            continue
        found = read_version(str(each.semver), Ecosystem.NPM)
        if found and each.operator == ">":
            found = _after(found)
        if found and low and low < found:
            low = found
    return low


def _after(version: Version) -> Version | None:
    major, minor, patch = version.release
    return read_version(f"{major}.{minor}.{patch + (not version.pre)}", version.ecosystem)


def _python(text: str) -> Range | None:
    alternatives = [_specifiers(part.strip()) for part in _OR.split(text)]
    found = [each for each in alternatives if each is not None]
    if len(found) != len(alternatives):
        return None
    lows = [low for each in found if (low := _lowest(each)) is not None]
    return Range(text, Ecosystem.PYTHON, tuple(found), min(lows)) if lows else None


def _specifiers(text: str) -> SpecifierSet | None:
    parts = []
    for part in text.split(",") if "," in text else [text]:
        if not part.strip() and "," in text:
            continue
        one = _pep440(part) or _pep440(_from_npm(part))
        if one is None:
            return None
        parts.append(str(one))
    return _pep440(",".join(each for each in parts if each))


def _pep440(text: str | None) -> SpecifierSet | None:
    if text is None:
        return None
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None


def _from_npm(text: str) -> str | None:
    found = _npm(text.strip())
    if found is None:
        return None
    bounds = [
        f"{each.operator or '=='}{each.semver!s}".removesuffix("-0")
        for each in found.alternatives[0].set[0]
        if each.operator is not None
    ]
    return ",".join(bounds)


def _lowest(specifiers: SpecifierSet) -> Version | None:
    low = read_version("0", Ecosystem.PYTHON)
    for each in specifiers:
        if each.operator.startswith("<") or each.operator == "!=":
            continue
        found = read_version(each.version.removesuffix(".*"), Ecosystem.PYTHON)
        if found and each.operator == ">":
            found = _after(found)
        if found and low and low < found:
            low = found
    return low


def python_name(name: str) -> str:
    """A distribution's name, as it is compared."""
    return str(canonicalize_name(name[:MAX_CHARS]))


@lru_cache(maxsize=65536)
def read_requirement(text: str) -> tuple[str, str, str] | None:
    """Name, specifier and address of a line such as `requests[socks]>=2; python_version<"4"`."""
    try:
        found = Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None
    return python_name(found.name), str(found.specifier), found.url or ""
