"""test: fail-to-pass and pass-to-pass, with proof that the tests ran.

Level B: the hidden tests run in a trusted process under another uid; the agent's code only answers
with values. Level A: a test suite imports the agent's code; the fixture's own test files are put
back first, the runner is isolated, and canaries must come out as they should.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import replace

from evaluators.junit import BadReportError, parse
from evaluators.verdicts import compare
from harness.carrying import originals
from harness.domain.artifact import Artifact
from harness.domain.changes import Change, ChangeKind
from harness.domain.record import CheckResult, TestOutcome, Verdict
from harness.domain.scenario import CheckSpec, Level
from harness.evaluate import Cost, Evidence, not_run, scored, transcript_of
from harness.sandbox.base import AGENT_UID, GRADING, WORKSPACE, BoxError, User

RUNNER = ("python3", "-I", "/mintmark/grading.py", "run-hidden")
REPORT_BYTES = 16 * 1024 * 1024
DEFAULT_TIMEOUT_S = 300.0
BUDGET_SHARE = 0.9
"""The runner ends by itself before its deadline, and reports what it did not get to."""
MESSAGE_CHARS = 400


class SuiteEvaluator:
    """Score = share of fail-to-pass tests that pass × share of pass-to-pass tests that still do."""

    cost = Cost.SANDBOX

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Run the tests and compare them with the untouched fixture's."""
        level = check.level or (Level.A if check.tests or check.command else Level.B)
        check = replace(check, level=level)
        logs: list[Artifact] = []
        ask = _hidden_outcomes if level is Level.B else _suite_outcomes
        try:
            times = int(check.options.get("repeat", 1))
            runs = [ask(evidence, check, logs) for _ in range(times)]
            result = compare(evidence, check, runs)
        except (BoxError, BadReportError, TamperedError) as error:
            result = _no_report(evidence, check, error)
        return replace(result, artifacts=tuple(logs))


class TamperedError(Exception):
    """The canaries did not come out as they should."""


def _hidden_outcomes(
    evidence: Evidence, check: CheckSpec, logs: list[Artifact]
) -> tuple[TestOutcome, ...]:
    box = evidence.box
    box.put_hidden(evidence.hidden)
    report = f"{GRADING}/report-{secrets.token_hex(8)}.xml"
    limit_s = check.timeout_s or DEFAULT_TIMEOUT_S
    options = (
        *("--tests", GRADING, "--workspace", WORKSPACE, "--report", report),
        *("--uid", str(AGENT_UID), "--gid", str(AGENT_UID)),
        *("--budget-s", f"{limit_s * BUDGET_SHARE:g}"),
    )
    done = box.run([*RUNNER, *options], user=User.GRADER, timeout_s=limit_s)
    logs.append(evidence.keep(f"{check.name}.log", transcript_of(done)))
    return parse(box.read(report, limit=REPORT_BYTES, user=User.GRADER))


def _suite_outcomes(
    evidence: Evidence, check: CheckSpec, logs: list[Artifact]
) -> tuple[TestOutcome, ...]:
    # all of the tests, not only what the agent changed: code of the agent's has run since
    touched = [c for c in evidence.changes if _is_test_file(c, check.tests)]
    places = [Change(t.rstrip("/").encode(), ChangeKind.DELETE) for t in check.tests]
    as_before = [o for place in places for o in originals(evidence.scenario, place)]
    evidence.box.apply([*places, *as_before])
    try:
        if check.command is not None:
            return _run_command(evidence, check, logs)
        return _run_pytest(evidence, check, logs)
    finally:
        evidence.box.apply(touched)


def _run_command(
    evidence: Evidence, check: CheckSpec, logs: list[Artifact]
) -> tuple[TestOutcome, ...]:
    """The command's JUnit report; without one its exit code counts as a single test."""
    if check.report is not None:
        # a report that the agent left lying there must not outlive a runner that writes none
        evidence.box.apply([Change(os.fsencode(check.report), ChangeKind.DELETE)])
    done = evidence.box.run(
        str(check.command),
        timeout_s=check.timeout_s or DEFAULT_TIMEOUT_S,
        output_bytes=REPORT_BYTES,
    )
    logs.append(evidence.keep(f"{check.name}.log", transcript_of(done)))
    if check.report is not None:
        return parse(evidence.box.read(check.report, limit=REPORT_BYTES))
    begin, end = done.stdout.find("<testsuite"), done.stdout.rfind(">")
    if begin >= 0:
        # package managers print lines of their own around it
        return parse(done.stdout[begin : end + 1].encode())
    verdict = Verdict.PASSED if done.ok else Verdict.FAILED
    return (TestOutcome(f"$ {check.command}", verdict, done.stderr[-MESSAGE_CHARS:]),)


def _run_pytest(
    evidence: Evidence, check: CheckSpec, logs: list[Artifact]
) -> tuple[TestOutcome, ...]:
    """The pytest of the image, isolated from every configuration that the agent can write."""
    box, nonce = evidence.box, secrets.token_hex(8)
    folder = f"/tmp/{nonce}"  # noqa: S108  # inside the sandbox
    report, canary = f"{folder}/report.xml", f"{folder}/test_{nonce}.py"
    box.write(canary, _canaries(nonce).encode())
    options = (
        *("-q", "--tb=short", "--continue-on-collection-errors", "--import-mode=importlib"),
        *("-c", "/dev/null", "--rootdir", WORKSPACE, "-p", "no:cacheprovider"),
        *("--confcutdir", f"{WORKSPACE}/{check.tests[0]}"),
        *("-o", f"pythonpath={WORKSPACE}/src {WORKSPACE}"),
        f"--junitxml={report}",
    )
    done = box.run(
        ["python3", "-I", "-m", "pytest", *options, *check.tests, canary],
        timeout_s=check.timeout_s or DEFAULT_TIMEOUT_S,
    )
    note = f"test_dies_{nonce} below is a canary that has to fail: its FAILED line is expected.\n\n"
    logs.append(evidence.keep(f"{check.name}.log", note.encode() + transcript_of(done)))
    outcomes = parse(box.read(report, limit=REPORT_BYTES))
    verdicts = {o.id.rpartition("::")[2]: o.verdict for o in outcomes}
    if (
        verdicts.get(f"test_dies_{nonce}") is not Verdict.FAILED
        or verdicts.get(f"test_lives_{nonce}") is not Verdict.PASSED
    ):
        raise TamperedError("the runner's canaries did not come out as they should")
    return tuple(o for o in outcomes if nonce not in o.id)


def _canaries(nonce: str) -> str:
    return f"def test_dies_{nonce}():\n    assert 0\n\n\ndef test_lives_{nonce}():\n    assert 1\n"


def _no_report(evidence: Evidence, check: CheckSpec, error: Exception) -> CheckResult:
    """No believable report: the agent's doing, unless the untouched fixture gives none either."""
    listed = check.fail_to_pass is not None or check.pass_to_pass is not None
    known = evidence.control is not None and bool(evidence.control.outcomes(check.name))
    # what is wanted of listed tests needs no control, and a suite that gives none has not passed
    if evidence.untouched or not (known or listed):
        return not_run(check, f"the tests gave no report: {error}")
    return scored(check, 0.0, f"the tests gave no report, but do on the untouched fixture: {error}")


def _is_test_file(change: Change, tests: Sequence[str]) -> bool:
    path = os.fsdecode(change.path)
    return any(path == t.rstrip("/") or path.startswith(t.rstrip("/") + "/") for t in tests)
