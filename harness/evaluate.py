"""What evaluators may see, what they promise, and the loop that asks each one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import pathspec

from harness.domain.artifact import Artifact
from harness.domain.changes import (
    EXECUTABLE_MODE,
    FILE_MODE,
    LINK_MODE,
    Change,
    ChangeKind,
    Changes,
)
from harness.domain.record import CheckResult, CommandResult, Control
from harness.domain.scenario import CheckSpec, Scenario
from harness.errors import MintmarkError, SandboxFault, nearest
from harness.log import log
from harness.sandbox.base import Box, BoxError, Completed

CANNOT_START = 126
OF_THE_WORLD = frozenset({"io", "internal", "no_process", "timed_out"})
"""Refusals of a fresh sandbox that no file can be the cause of."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The graded workspace and what is known about it; nothing that the agent claims."""

    scenario: Scenario
    changes: Changes
    """What the graded workspace differs from the fixture by: protected paths are not in it."""
    box: Box
    commands: tuple[CommandResult, ...]
    control: Control | None
    """None when the untouched fixture itself is being graded, or was not."""
    hidden: Mapping[str, bytes]
    keep: Callable[[str, bytes], Artifact]


class Evaluator(Protocol):
    """One kind of check."""

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """A score in 0..1, or None with the reason; BoxClosed and SandboxFault fly."""
        ...


def evaluate(
    evidence: Evidence, evaluators: Mapping[str, Evaluator], tell: Callable[[str], None]
) -> tuple[CheckResult, ...]:
    """Every check of the scenario, in its order."""
    results = []
    for check in evidence.scenario.checks:
        tell(check.name)
        began = time.monotonic()
        result = _judge(evidence, evaluators, check)
        results.append(replace(result, duration_s=time.monotonic() - began))
    return tuple(results)


def _judge(
    evidence: Evidence, evaluators: Mapping[str, Evaluator], check: CheckSpec
) -> CheckResult:
    evaluator = evaluators.get(check.kind)
    if evaluator is None:
        return not_run(
            check, f"no evaluator {check.kind!r} here; {nearest(check.kind, evaluators)}"
        )
    try:
        return evaluator.judge(evidence, check)
    except BoxError as error:
        why = f"the sandbox refused: {error}"
    except MintmarkError:
        raise
    except Exception as error:  # noqa: BLE001  # one hostile file must not end the batch
        log().exception("evaluator_raised", check=check.name)
        why = f"the evaluator raised {type(error).__name__}: {error!s:.200}"
    # with the untouched fixture this does not happen: what the agent left is the cause
    return not_run(check, why) if evidence.control is None else scored(check, 0.0, why)


def scored(check: CheckSpec, score: float, *details: str) -> CheckResult:
    """A check that ran."""
    return CheckResult(
        check.name, check.kind, score, check.weight, required=check.required, details=details
    )


def not_run(check: CheckSpec, reason: str) -> CheckResult:
    """A check that could not run: it has no score and says why."""
    log().info("check_not_run", check=check.name, reason=reason)
    return CheckResult(
        check.name,
        check.kind,
        None,
        check.weight,
        required=check.required,
        reason=f"could not run: {reason}",
    )


def carried(scenario: Scenario, changes: Changes) -> tuple[Change, ...]:
    """The changes that reach grading: what is protected stays as the fixture has it."""
    if not scenario.protected:
        return changes.items
    protected = pathspec.GitIgnoreSpec.from_lines(scenario.protected)
    kept, restored = [], []
    for change in changes:
        path = os.fsdecode(change.path)
        below = [c for c in originals(scenario, change) if protected.match_file(c.display)]
        if protected.match_file(path) or (below and change.kind is not ChangeKind.DELETE):
            continue
        kept.append(change)
        restored += below
    return (*kept, *restored)


def protected_files(scenario: Scenario) -> tuple[Change, ...]:
    """Every protected file as the fixture has it."""
    protected = pathspec.GitIgnoreSpec.from_lines(scenario.protected)
    names = protected.match_tree_files(scenario.fixture) if scenario.protected else ()
    return tuple(_original(scenario, os.fsencode(name)) for name in sorted(names))


def with_room(scenario: Scenario) -> Scenario:
    """The scenario with a disk on which a full workspace can be rebuilt and built."""
    limits = replace(scenario.limits, disk_bytes=2 * scenario.limits.disk_bytes)
    return replace(scenario, limits=limits)


def not_rebuilt(scenario: Scenario, error: BoxError) -> tuple[CheckResult, ...]:
    """Work that a fresh workspace refuses is worth nothing; raises SandboxFault when it is not so.

    Were it a fault of the world, an agent could leave files that erase its failures.
    """
    if error.kind in OF_THE_WORLD:
        raise SandboxFault(f"the work could not be rebuilt: {error}") from error
    return worthless(scenario, f"the work could not be rebuilt: {error}")


def worthless(scenario: Scenario, why: str) -> tuple[CheckResult, ...]:
    """Every check at 0, and why."""
    return tuple(scored(check, 0.0, why) for check in scenario.checks)


def hidden_files(scenario: Scenario) -> Mapping[str, bytes]:
    """What exists only while grading, by path below `hidden/`."""
    if scenario.hidden is None:
        return {}
    return {
        str(path.relative_to(scenario.hidden)): path.read_bytes()
        for path in sorted(scenario.hidden.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def validate(
    scenario: Scenario,
    box: Box,
    keep: Callable[[str, bytes], Artifact],
    tell: Callable[[str], None],
) -> tuple[CommandResult, ...]:
    """The scenario's validation commands, all of them, in order."""
    results = []
    guard = protected_files(scenario)
    for command in scenario.validation:
        tell(command.name)
        try:
            # the command before may have run the agent's code over what is protected
            box.apply(guard)
            done = box.run(command.run, timeout_s=scenario.limits.command_s)
        except BoxError as error:
            done = Completed(CANNOT_START, "", f"could not be started: {error}", 0.0)
        results.append(
            CommandResult(
                name=command.name,
                run=command.run,
                exit_code=done.exit_code,
                duration_s=done.duration_s,
                output=keep(f"{command.name}.log", transcript_of(done)),
            )
        )
    return tuple(results)


def transcript_of(done: Completed) -> bytes:
    """A command's output as it is kept."""
    parts = [done.stdout]
    if done.stderr:
        parts.append(f"--- stderr ---\n{done.stderr}")
    return "\n".join(parts).encode("utf-8", "surrogateescape")


def originals(scenario: Scenario, change: Change) -> tuple[Change, ...]:
    """What stood at a changed path in the fixture: a file, a folder's files, or nothing."""
    path = scenario.fixture / os.fsdecode(change.path)
    if path.is_symlink() or not path.is_dir():
        return (_original(scenario, change.path),)
    files = (p for p in sorted(path.rglob("*")) if p.is_symlink() or not p.is_dir())
    return tuple(_original(scenario, os.fsencode(p.relative_to(scenario.fixture))) for p in files)


def _original(scenario: Scenario, name: bytes) -> Change:
    path = scenario.fixture / os.fsdecode(name)
    if path.is_symlink():
        return Change(name, ChangeKind.SYMLINK, LINK_MODE, os.fsencode(path.readlink()))
    if not path.is_file():
        return Change(name, ChangeKind.DELETE)
    mode = EXECUTABLE_MODE if path.stat().st_mode & 0o100 else FILE_MODE
    return Change(name, ChangeKind.FILE, mode, path.read_bytes())
