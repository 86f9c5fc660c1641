"""security: what a scanner finds in the work and did not find in the untouched fixture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from evaluators.command import CANNOT_EXECUTE, NOT_FOUND
from evaluators.findings import (
    MAX_FINDINGS,
    OUTPUT_BYTES,
    Comparison,
    Report,
    compare,
    findings_of,
    listed,
    read_findings,
)
from evaluators.pinning import configured, fresh_home, no_code_left, pins
from harness.domain.artifact import Artifact
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored, transcript_of
from harness.sandbox.base import Completed

DEFAULT_TIMEOUT_S = 300.0
WEIGHTS: Mapping[str, float] = {"low": 1.0, "medium": 2.0, "high": 4.0}
SKIPPED = ".git,.venv,venv,node_modules,.tox,.mypy_cache,__pycache__"

# bandit takes what is excluded for a part of any path as well: no path holds two slashes together
# neither believes a configuration, a comment or an ignore file of the work's; B101 and S101 are
# the plain `assert`, which every test has
BANDIT = "bandit -q -r . -f json --ignore-nosec --ini /dev/null -s B101 -x " + ",".join(
    f"'./{name}[//]*'" for name in SKIPPED.split(",")
)
RUFF = (
    "ruff check --isolated --ignore-noqa --no-respect-gitignore --no-cache"
    " --select S --ignore S101 --output-format json --exit-zero ."
)
ABSENT = "there is no scanner in the image: add `bandit` to the scenario's image packages"


@dataclass(frozen=True, slots=True)
class _Scan:
    command: str
    done: Completed
    found: tuple[Report, ...] | None
    log: Artifact


class SecurityEvaluator:
    """Score = 1 ÷ (1 + Σ weight of the new findings), by severity."""

    cost = Cost.SANDBOX

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Scan and compare."""
        scan = _scan(evidence, check)
        result = _grade(evidence, check, scan)
        return replace(result, findings=findings_of(scan.found or ()), artifacts=(scan.log,))


def _scan(evidence: Evidence, check: CheckSpec) -> _Scan:
    own = check.options.get("command")
    with configured(evidence, pins(evidence)):
        scans = _scans(evidence, check, (own,) if own else (BANDIT, RUFF))
        scan = next((s for s in scans if not _is_absent(s.done)), None)
        return scan or next(_scans(evidence, check, (own or BANDIT,)))


def _scans(evidence: Evidence, check: CheckSpec, commands: Sequence[str]) -> Iterator[_Scan]:
    for command in commands:
        limit_s = check.timeout_s or DEFAULT_TIMEOUT_S
        with fresh_home(evidence.box) as env:
            done = evidence.box.run(command, timeout_s=limit_s, env=env, output_bytes=OUTPUT_BYTES)
        found = read_findings(done.stdout, done.stderr)
        if found is None and done.ok:
            found = ()
        if found is not None:
            ignored = frozenset(check.options.get("ignore", ()))
            found = tuple(r for r in found if r.finding.rule not in ignored)
        log = evidence.keep(f"{check.name}.log", transcript_of(done))
        yield _Scan(command, done, found, log)


def _is_absent(done: Completed) -> bool:
    return done.exit_code in (NOT_FOUND, CANNOT_EXECUTE)


def _grade(evidence: Evidence, check: CheckSpec, scan: _Scan) -> CheckResult:
    before = evidence.before(check)
    if scan.found is None:
        return _no_findings(evidence, check, scan, before)
    if evidence.untouched:
        return scored(check, 1.0, f"{len(scan.found)} findings to compare with: {scan.command}")
    if before is None or before.score is None:
        if scan.found:
            return not_run(check, "there is no scan of the untouched fixture to compare with")
        return scored(check, 1.0, f"nothing found: {scan.command}")
    compared = compare(scan.found, before.findings, evidence.work.patch)
    return _weighed(evidence, check, compared)


def _no_findings(
    evidence: Evidence, check: CheckSpec, scan: _Scan, before: CheckResult | None
) -> CheckResult:
    """The scanner said nothing: the work's doing, unless it does so on the fixture as well."""
    if before is None or before.score is None:
        own = "command" in check.options
        if _is_absent(scan.done):
            why = f"{scan.command!r} is not in the image" if own else ABSENT
        else:
            why = f"the scanner gave no report (exit code {scan.done.exit_code})"
        if evidence.untouched or before is not None or _is_absent(scan.done):
            return not_run(check, why)
        return not_run(check, f"{why}, and the untouched fixture was not graded")
    why = f"{scan.command}: no report, but there is one of the untouched fixture"
    return scored(check, 0.0, f"{why} (exit code {scan.done.exit_code})")


def _weighed(evidence: Evidence, check: CheckSpec, compared: Comparison) -> CheckResult:
    weights = {**WEIGHTS, **check.options.get("weights", {})}
    total = sum(weights[report.severity] for report in compared.new)
    ordered = sorted(compared.new, key=lambda report: -weights[report.severity])
    counts = ", ".join(
        f"{sum(r.severity == severity for r in compared.new)} {severity}" for severity in weights
    )
    details = [f"new: {counts}; {compared.known} as in the untouched fixture", *listed(ordered)]
    if compared.cut:
        details.append(f"only the first {MAX_FINDINGS} findings of the fixture are compared")
    if no_code_left(evidence):
        return scored(check, 0.0, *details, "no code is left to look at")
    return scored(check, 1.0 / (1 + total), *details)
