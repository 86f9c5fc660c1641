"""lint and typecheck: what the tool finds in the work and did not find in the untouched fixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evaluators.command import (
    described,
    exit_code_before,
    is_missing,
    not_in_the_image,
    validated,
)
from evaluators.findings import (
    MAX_FINDINGS,
    OUTPUT_BYTES,
    Report,
    compare,
    findings_of,
    listed,
    read_findings,
)
from evaluators.pinning import CONFIGURATION, configured, no_code_left, pins
from harness.domain.changes import Change
from harness.domain.record import CheckResult, CommandResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored, transcript_of

Ran = tuple[CommandResult, tuple[Report, ...] | None]


class AnalysisEvaluator:
    """Score = 1 with exit code 0 or nothing new, else 1 ÷ (1 + new findings).

    Output in which no finding can be read leaves it to the exit code. The tool runs with the
    fixture's configuration.
    """

    cost = Cost.SANDBOX

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Run the tool and compare what it finds."""
        known = None if check.command else validated(evidence, check)
        run = check.command or (known.run if known else None)
        if run is None:
            return not_run(check, f"the scenario has no {check.kind} command")
        pinned = pins(evidence, check.options.get("config", CONFIGURATION))
        first = bool(evidence.commands) and evidence.commands[0] is known
        if known and known.ok and first and not pinned and not evidence.untouched:
            # no code of the work's ran before it: the result is known already
            result, found = known, None
        else:
            result, found = _run(evidence, check, run, pinned)
        if is_missing(evidence, check, result):
            return not_in_the_image(check, result)
        details = [described(result)]
        details += [f"with the fixture's {pin.display}" for pin in pinned]
        return _grade(evidence, check, (result, found), details)


def _run(evidence: Evidence, check: CheckSpec, run: str, pinned: Sequence[Change]) -> Ran:
    with configured(evidence, pinned):
        limit_s = check.timeout_s or evidence.scenario.limits.command_s
        # a validation command's output is cut in its middle; findings need the whole of it
        done = evidence.box.run(run, timeout_s=limit_s, output_bytes=OUTPUT_BYTES)
    output = evidence.keep(f"{check.name}.log", transcript_of(done))
    result = CommandResult(check.name, run, done.exit_code, done.duration_s, output)
    return result, read_findings(done.stdout, done.stderr)


def _grade(evidence: Evidence, check: CheckSpec, ran: Ran, details: list[str]) -> CheckResult:
    result, found = ran
    artifacts = (result.output,) if result.output else ()
    graded = replace(
        _score(evidence, check, ran, details),
        findings=findings_of(found or ()),
        artifacts=artifacts,
    )
    if graded.score and no_code_left(evidence):
        return replace(graded, score=0.0, details=(*graded.details, "no code is left to look at"))
    return graded


def _score(evidence: Evidence, check: CheckSpec, ran: Ran, details: list[str]) -> CheckResult:
    result, found = ran
    if result.ok:
        return scored(check, 1.0, *details)
    if not found or result.exit_code is None:
        return scored(check, 0.0, *details, "no finding could be read: the exit code decides")
    if evidence.untouched:
        return scored(check, 1.0, *details, f"{len(found)} findings to compare with")
    before = evidence.before(check)
    if before is None:
        return not_run(check, "the untouched fixture was not graded (warm-up skipped)")
    compared = compare(found, before.findings, evidence.work.patch)
    details += listed(compared.new)
    details.append(f"{len(compared.new)} new, {compared.known} as in the untouched fixture")
    if compared.cut:
        details.append(f"only the first {MAX_FINDINGS} findings of the fixture are compared")
    code = exit_code_before(evidence, check)
    if not compared.new and code is not None and not 0 < result.exit_code <= code:
        # a tool that broke off has found nothing new either
        return scored(check, 0.0, *details, f"on the untouched fixture: exit code {code}")
    return scored(check, 1.0 / (1 + len(compared.new)), *details)
