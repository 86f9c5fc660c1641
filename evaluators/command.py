"""install and build: one command that ends well or does not."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.domain.record import CheckResult, CommandResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored, transcript_of

NOT_FOUND = 127
CANNOT_EXECUTE = 126
_OF_THE_WORK = re.compile(r"\s*(?:[A-Za-z_]\w*=\S*\s+)*(?![~/])[^\s/;&|()'\"]+/")
"""A program at a path of the workspace, where no image has anything."""
_EXIT_CODE = re.compile(r": exit code (-?\d{1,6})\Z")


class CommandEvaluator:
    """Scores 1 when the command ends with exit code 0, else 0.

    The validation command of the same name is not run again: its result is used.
    """

    cost = Cost.SANDBOX

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """The command's exit code as a score."""
        result = self._result(evidence, check)
        if result is None:
            return not_run(check, f"the scenario has no {check.kind} command")
        if is_missing(evidence, check, result):
            return not_in_the_image(check, result)
        before = exit_code_before(evidence, check)
        details = [described(result)]
        if before is not None:
            details.append(f"on the untouched fixture: exit code {before}")
        return scored(check, 1.0 if result.ok else 0.0, *details)

    def _result(self, evidence: Evidence, check: CheckSpec) -> CommandResult | None:
        if check.command is None:
            return validated(evidence, check)
        limit_s = check.timeout_s or evidence.scenario.limits.command_s
        done = evidence.box.run(check.command, timeout_s=limit_s)
        output = evidence.keep(f"{check.name}.log", transcript_of(done))
        return CommandResult(check.name, check.command, done.exit_code, done.duration_s, output)


def validated(evidence: Evidence, check: CheckSpec) -> CommandResult | None:
    """The validation command of the check's kind, as it ran."""
    return next((c for c in evidence.commands if c.name == check.kind), None)


def is_missing(evidence: Evidence, check: CheckSpec, result: CommandResult) -> bool:
    """The image lacks the program, which the untouched fixture says as well.

    A program of the workspace is not missed: that it is not there, or not yet, is the work's doing.
    """
    if result.exit_code not in (NOT_FOUND, CANNOT_EXECUTE) or _OF_THE_WORK.match(result.run):
        return False
    return evidence.untouched or exit_code_before(evidence, check) == result.exit_code


def not_in_the_image(check: CheckSpec, result: CommandResult) -> CheckResult:
    """The reason names the command; the exit code is kept for runs to compare with."""
    reason = f"{result.run!r} is not in the image (exit code {result.exit_code})"
    return replace(not_run(check, reason), details=(described(result),))


def exit_code_before(evidence: Evidence, check: CheckSpec) -> int | None:
    """How the command ended on the untouched fixture; None when nobody knows."""
    if evidence.control is None:
        return None
    if check.command is None:
        found = (c.exit_code for c in evidence.control.commands if c.name == check.kind)
        return next(found, None)
    known = evidence.before(check)
    said = _EXIT_CODE.search(known.details[0]) if known and known.details else None
    return int(said[1]) if said else None


def described(result: CommandResult) -> str:
    """A command and how it ended, in a line."""
    how = "killed at its deadline" if result.exit_code is None else f"exit code {result.exit_code}"
    return f"{result.run}: {how}"
