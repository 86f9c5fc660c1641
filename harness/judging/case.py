"""What is judged: the work as it was graded, and what is known about it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import pathspec

from harness.domain.artifact import Artifact
from harness.domain.changes import Change, ChangeKind
from harness.domain.grading import JUDGE
from harness.domain.model import ModelUse
from harness.domain.patch import Patch
from harness.domain.record import CheckResult, CommandResult
from harness.domain.scenario import Scenario
from harness.domain.session import Entry, Role
from harness.load.overlays import SOLUTION_PATCH, read_overlay
from harness.patches import parse_patch


class Result(NamedTuple):
    """What a command or another check came to."""

    name: str
    score: float | None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """What judges may see; the rubric says which of it they do."""

    task: str
    """The prompt that the agent was given."""
    patch: Patch
    """What reached grading; what the agent did to protected files is not in it."""
    statement: str = ""
    """What the agent said last; shown only when the rubric asks for it."""
    results: tuple[Result, ...] = ()
    """Commands and earlier checks."""
    solution: Patch | None = None
    """The author's own; shown only when the rubric asks for it."""
    about: str = ""
    """What the author says of the scenario: a vague or misleading task is judged by it too."""


class JudgeFailed(Exception):
    """Nobody gave a verdict; the message says why."""

    def __init__(
        self, reason: str, use: ModelUse | None = None, artifacts: tuple[Artifact, ...] = ()
    ) -> None:
        super().__init__(reason)
        self.use = use
        """What it cost all the same."""
        self.artifacts = artifacts


def make_case(
    scenario: Scenario,
    patch: Patch,
    *,
    task: str,
    transcript: Sequence[Entry] = (),
    commands: Iterable[CommandResult] = (),
    checks: Iterable[CheckResult] = (),
) -> Case:
    """The case of a run: now, or later from what is stored of it."""
    rubric = scenario.rubric
    with_solution = rubric is not None and rubric.with_solution
    ran = (Result(each.name, float(each.ok), (_ended(each),)) for each in commands)
    made = (_result(each) for each in checks if each.kind != JUDGE)
    return Case(
        task=task,
        patch=graded_part(patch, scenario.protected),
        statement=last_words(transcript),
        results=(*ran, *made),
        solution=solution_patch(scenario) if with_solution else None,
        about=f"{scenario.title}\n{scenario.description}".strip(),
    )


def graded_part(patch: Patch, protected: Sequence[str]) -> Patch:
    """The patch without the files that grading puts back as the fixture has them."""
    if not protected:
        return patch
    spec = pathspec.GitIgnoreSpec.from_lines(protected)
    return replace(patch, files=tuple(f for f in patch.files if not spec.match_file(f.path)))


def last_words(transcript: Sequence[Entry]) -> str:
    """What the agent says of its own work at the end."""
    said = (each.text for each in reversed(transcript) if each.role is Role.ASSISTANT)
    return next((text for text in said if text.strip()), "")


def solution_patch(scenario: Scenario) -> Patch | None:
    """The reference solution as a patch of the fixture."""
    if scenario.solution is None:
        return None
    given = scenario.solution / SOLUTION_PATCH
    diffs = [given.read_bytes()] if given.is_file() else []
    changes = read_overlay(scenario.solution)
    diffs += ["".join(_diff(scenario, change)).encode() for change in changes]
    return parse_patch(b"".join(diffs))


def _diff(scenario: Scenario, change: Change) -> Iterator[str]:
    """A change as git would write it, as far as a reader needs it."""
    path = os.fsdecode(change.path)
    there = scenario.fixture / path
    before = there.read_bytes() if there.is_file() else b""
    after = change.data if change.kind is ChangeKind.FILE else b""
    if before == after:
        return
    yield f"diff --git a/{change.display} b/{change.display}\n"
    if change.kind is ChangeKind.DELETE:
        yield "deleted file mode 100644\n"
    elif not there.exists():
        yield "new file mode 100644\n"
    if b"\0" in before + after:
        yield "Binary files differ\n"
        return
    old, new = (data.decode("utf-8", "replace").split("\n") for data in (before, after))
    lines = difflib.unified_diff(
        old, new, f"a/{change.display}", f"b/{change.display}", lineterm=""
    )
    yield from (f"{line}\n" for line in lines)


def _ended(command: CommandResult) -> str:
    code = command.exit_code
    how = "killed at its deadline" if code is None else f"exit code {code}"
    return f"{command.run}: {how}"


def _result(check: CheckResult) -> Result:
    said = (check.reason,) if check.reason else ()
    return Result(check.name, check.score, (*said, *check.details))
