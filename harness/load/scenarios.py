"""Suites and scenarios: found by name, loaded whole or refused with everything that is wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.domain.scenario import TIERS, Level, Scenario
from harness.errors import BadFile, UsageError, nearest
from harness.load.draft import Draft, draft
from harness.load.folders import HIDDEN, SOLUTION, WRONG

SUITES = "suites"
SCENARIOS = "scenarios"

ENOUGH_WRONG = 3
WHY = "WHY.md"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CALLS: Mapping[str, str] = {
    ".py": "grading.call('module:function', …)",
    ".js": "grading.node(…)",
    ".mjs": "grading.node(…)",
    ".cjs": "grading.node(…)",
}
"""What can be called from another process, by the ending of its file, and how."""
_NO_CODE = frozenset({"node_modules", "tests", "test", "__tests__", "spec", "docs", ".github"})
_TEST_NAME = re.compile(
    r"^test_|_test\.py$|\.(test|spec|config)\.|^(conftest|setup|noxfile|__init__)\.py$|^\."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong with a scenario, and what its author might want to know."""

    suite: str
    scenario: str
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """All scenarios of a project; of those whose files are wrong just now only the keys."""

    scenarios: tuple[Scenario, ...]
    unreadable: frozenset[str] = frozenset()


def load_project(root: Path, kinds: Collection[str]) -> Project:
    """Every scenario of every suite, whatever state its files are in."""
    loaded: list[Scenario] = []
    unreadable: set[str] = set()
    for suite in find_suites(root):
        for name in find_scenarios(root, suite):
            try:
                loaded.append(load_scenario(root, suite, name, kinds))
            except UsageError:
                unreadable.add(f"{suite}/{name}")
    return Project(tuple(loaded), frozenset(unreadable))


def find_suites(root: Path) -> tuple[str, ...]:
    """The suites below `root`, by name."""
    suites = root / SUITES
    return tuple(suite for suite in _folders(suites) if (suites / suite / SCENARIOS).is_dir())


def find_scenarios(root: Path, suite: str) -> tuple[str, ...]:
    """The scenarios of a suite, by name; raises UsageError when there is no such suite."""
    suites = find_suites(root)
    if suite not in suites:
        raise UsageError(f"no suite {suite!r} in {root / SUITES}; {nearest(suite, suites)}")
    return _folders(root / SUITES / suite / SCENARIOS)


def load_scenario(root: Path, suite: str, scenario: str, kinds: Collection[str]) -> Scenario:
    """A scenario that can be run; raises UsageError, or BadFile with all that is wrong with it.

    `kinds` are the names of the evaluators that exist.
    """
    found = draft(_folder(root, suite, scenario), kinds)
    if found.scenario is None:
        raise BadFile(found.path, found.errors)
    return found.scenario


def validate_scenario(root: Path, suite: str, scenario: str, kinds: Collection[str]) -> Report:
    """What is wrong with a scenario's files and what is missing; UsageError for a wrong name."""
    folder = _folder(root, suite, scenario)
    found = draft(folder, kinds)
    errors = found.errors
    if found.is_unread:
        errors = tuple(f"{found.path.name}: {error.removeprefix('/: ')}" for error in errors)
    return Report(suite, scenario, errors, (*found.notes, *_gaps(folder, found)))


def _folders(parent: Path) -> tuple[str, ...]:
    if not parent.is_dir():
        return ()
    return tuple(sorted(f.name for f in parent.iterdir() if f.name[0] not in "._" and f.is_dir()))


def _folder(root: Path, suite: str, scenario: str) -> Path:
    scenarios = find_scenarios(root, suite)
    where = (root / SUITES / suite / SCENARIOS).absolute()
    if scenario not in scenarios:
        raise UsageError(f"no scenario {scenario!r} in {where}; {nearest(scenario, scenarios)}")
    for name in (suite, scenario):
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"the folder {name!r} of {where} cannot be used: its name must start with a letter"
                " or digit and hold only letters, digits, '.', '_' and '-'"
            )
    return where / scenario


def _gaps(folder: Path, found: Draft) -> Iterator[str]:
    if found.scenario is not None:
        yield from _could_be_b(found.scenario)
    missing = [tier for tier in TIERS if found.tiers is not None and tier not in found.tiers]
    if missing:
        yield f"no prompt for {', '.join(missing)}"
    if not (folder / SOLUTION).is_dir():
        yield f"no {SOLUTION}/: nothing shows that the task can be done"
    wrong = _folders(folder / WRONG)
    if len(wrong) < ENOUGH_WRONG:
        yield f"{len(wrong)} of {ENOUGH_WRONG} folders in {WRONG}/: careless work may pass"
    for name in wrong:
        if not (folder / WRONG / name / WHY).is_file():
            yield f"{WRONG}/{name}/{WHY} is missing: what is the mistake?"


def _could_be_b(scenario: Scenario) -> Iterator[str]:
    """Tests of level A alone, where a driver of level B could call the same code.

    It can call what Python or Node.js import; whether the behaviour shows in values is not known.
    """
    tests = [check for check in scenario.checks if check.kind == "test"]
    if any(check.level is Level.B for check in tests):
        return
    for check in tests:
        reached = next(_reachable(scenario, check.tests), None)
        if reached:
            path, how = reached
            yield (
                f"check {check.name!r} is of level A: its tests share a process with the agent's"
                f" code, which can fool them. {path} can be called from outside: write"
                f" {HIDDEN}/test_*.py with {how}, and say `level: B`"
            )


def _reachable(scenario: Scenario, tests: Collection[str]) -> Iterator[tuple[str, str]]:
    """Modules of the fixture that are no tests, and what calls them."""
    for folder, folders, files in os.walk(scenario.fixture):
        folders[:] = sorted(name for name in folders if name not in _NO_CODE)
        for name in sorted(files):
            path = Path(folder, name).relative_to(scenario.fixture)
            is_test = any(path.is_relative_to(test.rstrip("/")) for test in tests)
            if path.suffix in _CALLS and not is_test and not _TEST_NAME.search(name):
                yield str(path), _CALLS[path.suffix]
