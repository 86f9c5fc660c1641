"""install, build, lint and typecheck: one command that ends well or does not."""

from __future__ import annotations

from harness.domain.record import CheckResult, CommandResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evidence, not_run, scored, transcript_of

NOT_FOUND = 127
CANNOT_EXECUTE = 126


class CommandEvaluator:
    """Scores 1 when the command ends with exit code 0, else 0.

    The validation command of the same name is not run again: its result is used.
    """

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """The command's exit code as a score."""
        result = self._result(evidence, check)
        if result is None:
            return not_run(check, f"the scenario has no {check.kind} command")
        before = _control_result(evidence, check)
        if result.exit_code in (NOT_FOUND, CANNOT_EXECUTE) and before == result.exit_code:
            return not_run(
                check, f"{result.run!r} is not in the image (exit code {result.exit_code})"
            )
        details = [_describe(result)]
        if before is not None:
            details.append(f"on the untouched fixture: exit code {before}")
        return scored(check, 1.0 if result.ok else 0.0, *details)

    def _result(self, evidence: Evidence, check: CheckSpec) -> CommandResult | None:
        if check.command is None:
            return next((c for c in evidence.commands if c.name == check.kind), None)
        limit_s = check.timeout_s or evidence.scenario.limits.command_s
        done = evidence.box.run(check.command, timeout_s=limit_s)
        output = evidence.keep(f"{check.name}.log", transcript_of(done))
        return CommandResult(check.name, check.command, done.exit_code, done.duration_s, output)


def _control_result(evidence: Evidence, check: CheckSpec) -> int | None:
    if evidence.control is None or check.command is not None:
        return None
    found = (c.exit_code for c in evidence.control.commands if c.name == check.kind)
    return next(found, None)


def _describe(result: CommandResult) -> str:
    how = "killed at its deadline" if result.exit_code is None else f"exit code {result.exit_code}"
    return f"{result.run}: {how}"
