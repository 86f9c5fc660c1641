"""Evidence of a project before and after, for evaluators that read manifests and lock files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.dependencies import DependencyRules
from harness.domain.ids import Digest
from harness.domain.record import CheckResult, CommandResult, Control
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evaluator, Evidence
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

Files = Mapping[str, str | bytes | None]


@dataclass(frozen=True, slots=True)
class Given:
    """A fixture, what the scenario says, and which commands pass before and after."""

    files: Mapping[str, str]
    rules: DependencyRules = field(default_factory=DependencyRules)
    passed: tuple[str, ...] = ()


def package(deps: Mapping[str, str] | None = None, **more: object) -> str:
    """A package.json."""
    return json.dumps({"dependencies": deps or {}, **more})


def judge(
    folder: Path,
    evaluator: Evaluator,
    given: Given,
    changed: Files | None = None,
    passing: tuple[str, ...] = (),
) -> CheckResult:
    """What an evaluator says of changed files; None deletes one."""
    scenario = replace(a_scenario(folder, files=given.files), rules=given.rules)
    changes = tuple(
        Change(path.encode(), ChangeKind.DELETE)
        if data is None
        else Change(
            path.encode(),
            ChangeKind.FILE,
            data=data.encode() if isinstance(data, str) else data,
        )
        for path, data in (changed or {}).items()
    )
    return evaluator.judge(
        Evidence(
            scenario=scenario,
            changes=Changes(changes),
            box=FakeBox({}, {}),
            commands=_commands(given.passed, passing),
            control=Control(Digest("1" * 64), _commands(given.passed, given.passed), ()),
            hidden={},
            keep=MemoryArtifacts().put,
        ),
        CheckSpec("check", "check", 1.0),
    )


def everything_deleted(given: Given) -> Files:
    """The work of who removes all."""
    return dict.fromkeys(given.files)


def _commands(names: tuple[str, ...], good: tuple[str, ...]) -> tuple[CommandResult, ...]:
    return tuple(CommandResult(name, name, 0 if name in good else 1, 0.0) for name in names)
