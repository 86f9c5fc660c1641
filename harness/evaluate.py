"""What evaluators may see, what they promise, and the loop that asks each one."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import NoReturn, Protocol

from harness.carrying import original, protected_files
from harness.domain.artifact import Artifact
from harness.domain.changes import ChangeKind, Changes
from harness.domain.model import ModelRef, ModelSettings, ModelUse
from harness.domain.patch import Patch
from harness.domain.record import CheckResult, CommandResult, Control
from harness.domain.scenario import CheckSpec, Scenario
from harness.domain.session import Entry, Session
from harness.errors import MintmarkError, SandboxFault, UsageError, nearest
from harness.llm.base import Chat
from harness.log import log
from harness.sandbox.base import Box, BoxError, Completed

CANNOT_START = 126
OF_THE_WORLD = frozenset({"io", "internal", "no_process", "timed_out"})
"""Refusals of a fresh sandbox that no file can be the cause of."""


class Cost(StrEnum):
    """What a check is made with; the cheap ones come first."""

    DATA = "data"
    """Files, patch and telemetry, read on the host as data."""
    SANDBOX = "sandbox"
    """Commands in the grading sandbox: one after the other."""
    MODEL = "model"
    """A judge's model: all at the same time."""


class Seat(Protocol):
    """A judge's model, ready to be asked."""

    @property
    def chat(self) -> Chat:
        """Who answers."""
        ...

    def use(self) -> ModelUse:
        """What was metered so far: no part of the agent's."""
        ...


class Judges(Protocol):
    """The way to judges' models."""

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """Those that the command line names; empty leaves it to the rubric."""
        ...

    def seat(self, model: ModelRef, settings: ModelSettings) -> AbstractContextManager[Seat]:
        """A line to one of them; raises UsageError without a key."""
        ...

    def cut(self) -> None:
        """Nobody waits any more for what they would have said."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """What an agent leaves to be graded."""

    changes: Changes = field(default_factory=Changes)
    patch: Patch = field(default_factory=Patch)
    """Everything that it changed, protected or not."""
    session: Session | None = None
    """What it did; tool calls are its own word when it works on its own."""
    transcript: tuple[Entry, ...] = ()
    task: str = ""
    """The prompt."""


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
    work: Work = field(default_factory=Work)
    untouched: bool = False
    """It is the fixture itself that is graded, so that runs can be compared with it."""
    judges: Judges = field(default_factory=lambda: NOBODY)
    earlier: Mapping[str, CheckResult] = field(default_factory=dict)
    """The checks that were made before this one, by name."""

    def original(self, path: str) -> bytes | None:
        """A file as the fixture has it."""
        found = original(self.scenario, os.fsencode(path))
        return found.data if found.kind is ChangeKind.FILE else None

    def before(self, check: CheckSpec) -> CheckResult | None:
        """What the check came to on the untouched fixture; None when nobody knows."""
        return self.control.check(check.name) if self.control else None


class Evaluator(Protocol):
    """One kind of check."""

    @property
    def cost(self) -> Cost:
        """What it is made with."""
        ...

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """A score in 0..1, or None with the reason; BoxClosed and SandboxFault fly."""
        ...


class _Nobody:
    """No judge is at hand."""

    models: tuple[ModelRef, ...] = ()

    def seat(self, model: ModelRef, settings: ModelSettings) -> NoReturn:
        """There is none."""
        del settings
        raise UsageError(f"there is no way to {model.label} here")

    def cut(self) -> None:
        """Nobody was asked."""


NOBODY: Judges = _Nobody()


def evaluate(
    evidence: Evidence, evaluators: Mapping[str, Evaluator], tell: Callable[[str], None]
) -> tuple[CheckResult, ...]:
    """Every check of the scenario, cheap ones first; the results stand in the scenario's order."""
    results: dict[str, CheckResult] = {}
    for cost, checks in _in_order(evidence.scenario.checks, evaluators):
        if cost is Cost.MODEL and not evidence.untouched:
            tell(", ".join(check.name for check in checks))
            seen = replace(evidence, earlier=dict(results))
            done = _at_once(partial(_timed, seen, evaluators), checks, evidence.judges)
            results |= {result.name: result for result in done}
            continue
        for check in checks:
            tell(check.name)
            seen = replace(evidence, earlier=dict(results))
            results[check.name] = _timed(seen, evaluators, check)
    return tuple(results[check.name] for check in evidence.scenario.checks)


def _in_order(
    checks: Sequence[CheckSpec], evaluators: Mapping[str, Evaluator]
) -> Iterator[tuple[Cost, Sequence[CheckSpec]]]:
    """The checks in groups of one cost; each waits only for checks of groups before it."""
    left = list(checks)
    while left:
        names = {check.name for check in left}
        free = [c for c in left if not names & {name for name, _ in c.after}] or left
        cheapest = next(cost for cost in Cost if any(_cost(c, evaluators) is cost for c in free))
        group = [check for check in free if _cost(check, evaluators) is cheapest]
        yield cheapest, group
        left = [check for check in left if check not in group]


def _cost(check: CheckSpec, evaluators: Mapping[str, Evaluator]) -> Cost:
    evaluator = evaluators.get(check.kind)
    return evaluator.cost if evaluator else Cost.DATA


def _at_once(
    ask: Callable[[CheckSpec], CheckResult], checks: Sequence[CheckSpec], judges: Judges
) -> list[CheckResult]:
    with ThreadPoolExecutor(len(checks)) as pool:
        try:
            return list(pool.map(lambda check: copy_context().run(ask, check), checks))
        except BaseException:
            # the pool waits for its threads, and those for a model
            judges.cut()
            raise


def _timed(
    evidence: Evidence, evaluators: Mapping[str, Evaluator], check: CheckSpec
) -> CheckResult:
    began = time.monotonic()
    result = _gated(evidence, check) or _judge(evidence, evaluators, check)
    return replace(result, duration_s=time.monotonic() - began, threshold=check.threshold)


def _gated(evidence: Evidence, check: CheckSpec) -> CheckResult | None:
    """Why a check is not made, when it waits for others.

    A gate that is not reached scores 0: were the check left out, failing the gate could raise the
    total.
    """
    if evidence.untouched:
        return None
    for name, least in check.after:
        before = evidence.earlier.get(name)
        if before is None or before.score is None:
            return not_run(check, f"it is made after {name}, which has no score")
        if before.score < least:
            why = f"not made: it is made after {name} scores {least:g}, which has {before.score:g}"
            return scored(check, 0.0, why)
    return None


def _judge(
    evidence: Evidence, evaluators: Mapping[str, Evaluator], check: CheckSpec
) -> CheckResult:
    evaluator = evaluators.get(check.kind)
    if evaluator is None:
        return not_run(
            check, f"no evaluator {check.kind!r} here; {nearest(check.kind, evaluators)}"
        )
    if evaluator.cost is Cost.MODEL and evidence.untouched:
        return not_run(check, "the untouched fixture is not judged")
    result = _answer(evaluator, evidence, check)
    before = evidence.before(check)
    if result.score is None and before and before.crashed:
        # what is compared with a breakdown is none the better for it
        return replace(result, crashed=True)
    return result


def _answer(evaluator: Evaluator, evidence: Evidence, check: CheckSpec) -> CheckResult:
    try:
        result = evaluator.judge(evidence, check)
        problem = _no_result(result, check)
    except BoxError as error:
        why = f"the sandbox refused: {error}"
        # with the untouched fixture this does not happen: what the agent left is the cause
        return not_run(check, why) if evidence.untouched else scored(check, 0.0, why)
    except (Exception, SystemExit) as error:
        if isinstance(error, MintmarkError) and not isinstance(error, UsageError):
            raise
        if isinstance(error, UsageError) and evidence.untouched:
            # nobody has worked yet: the user can still put it right
            raise UsageError(f"{evidence.scenario.key}, check {check.name!r}: {error}") from error
        problem = f"raised {type(error).__name__}: {error!s:.200}"
        return _broke_down(evidence, check, problem, traceback.format_exc())
    return _broke_down(evidence, check, problem) if problem else result


def _no_result(result: object, check: CheckSpec) -> str:
    """Why an evaluator's answer is none; it may be another package's."""
    if not isinstance(result, CheckResult):
        return f"answered {type(result).__name__} and not a CheckResult"
    if result.name != check.name:
        return f"answered for {result.name!r}"
    if result.score is not None and not 0.0 <= result.score <= 1.0:
        return f"scored {result.score!r}, which is not between 0 and 1"
    return ""


def _broke_down(evidence: Evidence, check: CheckSpec, why: str, trace: str = "") -> CheckResult:
    log().warning("evaluator_broke_down", check=check.name, why=why)
    kept = (evidence.keep(f"{check.name}.traceback", trace.encode()),) if trace else ()
    return replace(not_run(check, f"the evaluator {why}"), crashed=True, artifacts=kept)


def scored(check: CheckSpec, score: float, *details: str) -> CheckResult:
    """A check that ran."""
    return CheckResult(
        check.name,
        check.kind,
        score,
        check.weight,
        required=check.required,
        details=details,
        level=check.level,
        threshold=check.threshold,
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
        level=check.level,
        threshold=check.threshold,
    )


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
