"""A scenario's files put together: everything that is wrong at once, else the scenario."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.domain.dependencies import DependencyRules
from harness.domain.digests import bytes_digest, image_digest, tree_digest
from harness.domain.heuristics import Heuristic
from harness.domain.ids import Digest
from harness.domain.rubric import Rubric
from harness.domain.scenario import (
    DEFAULT_THRESHOLD,
    CheckSpec,
    Command,
    Digests,
    ImageSource,
    Level,
    Limits,
    Network,
    Oracle,
    Prompt,
    Scenario,
    TierProfile,
)
from harness.errors import BadFile
from harness.load import folders
from harness.load.checks import check_problems, read_checks, read_validation, spoiled_checks
from harness.load.dependencies import read_rules
from harness.load.evaluator_scripts import script_problems, scripts_digest
from harness.load.heuristics import read_heuristics
from harness.load.notes import notes
from harness.load.oracle import read_oracle
from harness.load.profiles import read_profiles
from harness.load.prompts import read_prompts
from harness.load.rubric import read_rubric
from harness.load.rules import rule_problems
from harness.load.source import FILE, Around, Source, read_source
from harness.load.units import seconds, size_bytes

UNGIVEN = ("git", "python3")
"""The packages of an image of which nothing is said: without Python nothing can be graded."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A scenario as far as its files allow: there is one exactly when there are no errors."""

    path: Path
    errors: tuple[str, ...]
    notes: tuple[str, ...] = ()
    tiers: frozenset[str] | None = None
    """The tiers with a prompt; None when scenario.yaml could not even be read."""
    scenario: Scenario | None = None
    is_unread: bool = False
    """The errors are of scenario.yaml as a whole and do not name it."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What was read from each file."""

    folder: Path
    source: Source
    checks: tuple[CheckSpec, ...]
    validation: tuple[Command, ...]
    image: ImageSource
    prompts: tuple[Prompt, ...]
    oracle: Oracle
    heuristics: tuple[Heuristic, ...]
    rubric: Rubric | None
    rules: DependencyRules
    profiles: tuple[TierProfile, ...]


def draft(folder: Path, kinds: Collection[str]) -> Draft:
    """Read a scenario's folder; files that cannot be used become errors, never exceptions."""
    path = folder / FILE
    if not path.is_file():
        return Draft(path, (f"there is no {FILE} in {folder}",))
    try:
        source = read_source(path)
    except BadFile as error:
        return Draft(path, error.problems, is_unread=True)
    if not isinstance(source.document.value, dict):
        return Draft(path, source.document.report(source.problems), is_unread=True)
    try:
        return _put_together(source, folder, kinds)
    except OSError as error:
        name = os.fsdecode(error.filename or folder)
        return Draft(path, (f"{name}: cannot be read: {error.strerror}",))


def _put_together(source: Source, folder: Path, kinds: Collection[str]) -> Draft:
    fixture = folders.find_fixture(folder)
    prompts = read_prompts(folder.parent.parent, folder)
    named = source.part("oracle").get("answers_file")
    oracle = read_oracle(folder, named, fixture)
    around = Around(
        kinds=kinds,
        has_hidden_tests=folders.has_hidden_tests(folder),
        has_expected=bool(oracle.oracle.expected or oracle.errors),
    )
    validation = read_validation(source)
    placed = read_checks(source, validation, around)
    checks = tuple(each.spec for each in placed)
    image = _image(source.raw.get("image", {"packages": UNGIVEN}), folder)
    heuristics, rubric = read_heuristics(source, folder), read_rubric(source)
    rules, profiles = read_rules(source), read_profiles(folder.parent.parent)
    said = (
        *rule_problems(source),
        *check_problems(source, placed, validation, around),
        *script_problems(folder, placed),
        *heuristics.problems,
        *rubric.problems,
        *rules.problems,
    )
    errors = (
        *source.document.report((*source.problems, *said)),
        *folders.fixture_errors(folder),
        *folders.hidden_errors(folder),
        *(folders.dockerfile_errors(folder, image.dockerfile) if image.dockerfile else ()),
        *prompts.errors,
        *oracle.errors,
        *profiles.errors,
    )
    parts = _Parts(
        folder=folder,
        source=source,
        checks=checks,
        validation=validation,
        image=image,
        prompts=prompts.prompts,
        oracle=oracle.oracle,
        heuristics=heuristics.items,
        rubric=rubric.rubric,
        rules=rules.rules,
        profiles=profiles.profiles,
    )
    idle = (*_notes(parts), *prompts.notes)
    tiers = frozenset(prompt.tier for prompt in prompts.prompts)
    scenario = None if errors or fixture is None else _scenario(parts, fixture, idle)
    return Draft(source.document.path, errors, idle, tiers, scenario)


def _image(given: Mapping[str, Any], folder: Path) -> ImageSource:
    if "dockerfile" in given:
        return ImageSource(dockerfile=folder / given["dockerfile"])
    return ImageSource(
        name=given.get("name", ImageSource().name),
        packages=tuple(sorted(given.get("packages", ()))),
        setup=tuple(given.get("setup", ())),
    )


def _limits(source: Source) -> Limits:
    given, usual = source.part("limits"), Limits()
    minutes = source.raw.get("timeout_minutes")
    wall_clock = given.get("wall_clock", usual.wall_clock_s if minutes is None else minutes * 60)
    return Limits(
        cpus=float(given.get("cpus", usual.cpus)),
        memory_bytes=size_bytes(given.get("memory", usual.memory_bytes)),
        pids=int(given.get("pids", usual.pids)),
        disk_bytes=size_bytes(given.get("disk", usual.disk_bytes)),
        wall_clock_s=seconds(wall_clock),
        command_s=seconds(given.get("command", usual.command_s)),
        output_bytes=size_bytes(given.get("output", usual.output_bytes)),
    )


def _notes(parts: _Parts) -> Iterator[str]:
    folder, source = parts.folder, parts.source
    suite = folder.parent.parent.name
    made = {check.kind for check in parts.checks}
    made.update(kind for _, kind in spoiled_checks(source))
    yield from notes(source, suite=suite, scenario=folder.name, made=made)
    if "image" not in source.raw and source.is_whole("image"):
        packages = " and ".join(parts.image.packages)
        yield f"image: not given; it is {parts.image.name} with {packages}, and nothing else"
    if all((folder / name).is_dir() for name in folders.FIXTURES):
        yield f"{folders.FIXTURES[1]}/: not used, because {folders.FIXTURES[0]}/ is there"
    if parts.oracle.expected and "oracle" not in made:
        yield "expected values are given, but no evaluator `oracle` looks at them"
    yield from folders.caches(folder)
    if folders.has_hidden_tests(folder) and not any(c.level is Level.B for c in parts.checks):
        yield "hidden/test_*.py are there, but no test of level B runs them"


def _scenario(parts: _Parts, fixture: Path, idle: tuple[str, ...]) -> Scenario:
    folder, source, raw = parts.folder, parts.source, parts.source.raw
    limits = _limits(source)
    settings: dict[str, Any] = {
        "threshold": float(raw.get("threshold", DEFAULT_THRESHOLD)),
        "network": Network(raw.get("network", Network.NONE)),
        "protected": tuple(raw.get("protected", ())),
    }
    hidden, solution = folder / folders.HIDDEN, folder / folders.SOLUTION
    return Scenario(
        suite=folder.parent.parent.name,
        id=folder.name,
        title=raw.get("name", raw.get("title")),
        description=raw.get("description", ""),
        folder=folder,
        fixture=fixture,
        image=parts.image,
        limits=limits,
        checks=parts.checks,
        validation=parts.validation,
        prompts=parts.prompts,
        oracle=parts.oracle,
        heuristics=parts.heuristics,
        rubric=parts.rubric,
        rules=parts.rules,
        profiles=parts.profiles,
        digests=Digests(
            fixture=tree_digest(fixture),
            hidden=tree_digest(hidden) if hidden.is_dir() else bytes_digest(b""),
            image=image_digest(parts.image),
            definition=_definition(parts, limits, settings),
        ),
        hidden=hidden if hidden.is_dir() else None,
        solution=solution if solution.is_dir() else None,
        tags=tuple(raw.get("tags", ())),
        difficulty=raw.get("difficulty"),
        notes=idle,
        **settings,
    )


def _definition(parts: _Parts, limits: Limits, settings: Mapping[str, object]) -> Digest:
    """Everything in the scenario's words that can change a grade; not its title or its prompts."""
    meaning = {
        "checks": [asdict(check) for check in parts.checks],
        "validation": [asdict(command) for command in parts.validation],
        "limits": asdict(limits),
        "oracle": asdict(parts.oracle),
        "heuristics": [asdict(each) for each in parts.heuristics],
        "rubric": asdict(parts.rubric) if parts.rubric else None,
        "rules": asdict(parts.rules),
        "profiles": [asdict(each) for each in parts.profiles],
        "scripts": scripts_digest(parts.folder, parts.checks),
        **settings,
    }
    return bytes_digest(json.dumps(meaning, sort_keys=True, separators=(",", ":")).encode())
