"""What a scenario asks of dependencies: targets, what must stay, companions, new names."""

from __future__ import annotations

from dataclasses import dataclass

MAJOR = "major must match"
"""The rule of companions that give none."""
MINOR = "minor must match"
"""The first two numbers are the same."""
EXACT = "exact"
"""The versions are the same."""
RULES = (MAJOR, MINOR, EXACT)
"""Rules that are words; any other is a range that the companion's version has to lie in."""

MANAGERS = ("npm", "pnpm", "yarn", "bun", "pip", "poetry", "uv", "pdm", "pipenv")
"""Package managers by the names that scenarios give them."""

ENGINES = ("node", "python")
"""Mains of companions that are no dependency but what runs the project."""


@dataclass(frozen=True, slots=True)
class Target:
    """A dependency and the range that its version has to lie in."""

    name: str
    to: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Blocked:
    """A dependency that must not move, or versions that must not be used."""

    name: str
    versions: tuple[str, ...] = ()
    """Ranges; none means that it stays as the fixture has it."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """A package that goes on under another name."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Companion:
    """A dependency whose version follows another's."""

    main: str
    name: str
    rule: str = MAJOR


@dataclass(frozen=True, slots=True)
class DependencyRules:
    """Everything that a scenario says of dependencies."""

    targets: tuple[Target, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    migrations: tuple[Migration, ...] = ()
    companions: tuple[Companion, ...] = ()
    managers: tuple[str, ...] = ()
    """The package managers that may be used; empty: the one of the fixture."""
    node: str = ""
    """The range of Node's versions that the scenario names; empty: the files say."""
