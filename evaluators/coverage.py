"""coverage: how many of the executable lines that the work changed its tests run.

Level A: the report is written by a process that imports the agent's code.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pathspec

from evaluators.coverage_reports import Covered, parse_coverage
from evaluators.junit import BadReportError
from evaluators.pinning import configured, pins
from evaluators.tampering.places import SOURCES, language_of, suffix_of
from evaluators.unmeasured import unmeasured
from harness.domain.artifact import Artifact
from harness.domain.changes import Change, ChangeKind
from harness.domain.patch import FilePatch
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec, Level
from harness.evaluate import Cost, Evidence, not_run, scored, transcript_of
from harness.sandbox.base import BoxError

REPORTS = (
    *("coverage.json", "coverage.xml", "lcov.info", "coverage/coverage-final.json"),
    *("coverage/lcov.info", "coverage/cobertura-coverage.xml"),
)
TESTS = (
    *("tests/", "test/", "__tests__/", "test_*.py", "*_test.*", "conftest.py"),
    *("*.test.*", "*.spec.*"),
)
"""Tests run their own lines; they would make any share look good."""
OUTPUT = "-"
"""In a report's place: the command prints it."""
REPORT_BYTES = 16 * 1024 * 1024
DEFAULT_TIMEOUT_S = 300.0
MAX_LISTED = 10
OWN_WORD = "level A: the report is written by a process that runs the agent's code"
_COMMENTS = ("#", "//", "/*", "*", "--")


@dataclass(frozen=True, slots=True)
class _Changed:
    """A file with new lines that reached grading."""

    file: FilePatch
    suffix: str
    """Of its language."""
    is_test: bool

    @property
    def is_code(self) -> bool:
        """A program is in it, and no test."""
        return self.suffix in SOURCES and not self.is_test


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    lines: int
    missed: tuple[int, ...]
    reported: bool


class CoverageEvaluator:
    """Score = changed executable lines that ran ÷ changed executable lines."""

    cost = Cost.SANDBOX

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Run the tests under coverage and look the changed lines up."""
        logs: list[Artifact] = []
        command = check.options.get("command")
        changed = _changed(evidence, check)
        if command is None:
            result = not_run(check, "options.command does not say how coverage is measured")
        elif not any(each.is_code for each in changed) and not evidence.untouched:
            result = not_run(check, "no line of code was changed outside of the tests")
            result = replace(result, details=unmeasured(each.file for each in changed))
        else:
            result = _measured(evidence, check, command, changed, logs)
        return replace(result, level=Level.A, artifacts=tuple(logs))


def _measured(
    evidence: Evidence,
    check: CheckSpec,
    command: str,
    changed: Sequence[_Changed],
    logs: list[Artifact],
) -> CheckResult:
    try:
        name, covered = _report(evidence, check, command, logs)
    except BadReportError as error:
        return _no_report(evidence, check, error)
    if evidence.untouched:
        nothing = not_run(check, "nothing is changed in the untouched fixture")
        return replace(nothing, details=(f"{name}: {len(covered)} files",))
    return _grade(check, name, covered, changed)


def _changed(evidence: Evidence, check: CheckSpec) -> list[_Changed]:
    """The files that lines came into; what the scenario excludes is none of them."""
    arrived = {c.path.decode("utf-8", "backslashreplace"): c.data for c in evidence.changes}
    given = check.options.get("exclude")
    left_out = pathspec.GitIgnoreSpec.from_lines(given or ())
    tests = pathspec.GitIgnoreSpec.from_lines(TESTS if given is None else ())
    return [
        _Changed(file, language_of(file.path, arrived[file.path]), tests.match_file(file.path))
        for file in evidence.work.patch.files
        if file.added and file.path in arrived and not left_out.match_file(file.path)
    ]


def _report(
    evidence: Evidence, check: CheckSpec, command: str, logs: list[Artifact]
) -> tuple[str, Covered]:
    names: Sequence[str] = REPORTS
    if "report" in check.options:
        names = (check.options["report"],)
    # a report that lies there already is the agent's word, not the tool's
    files = [name for name in (*names, ".coverage") if name != OUTPUT]
    stale = [Change(os.fsencode(name), ChangeKind.DELETE) for name in files]
    with configured(evidence, pins(evidence), *stale):
        limit_s = check.timeout_s or DEFAULT_TIMEOUT_S
        done = evidence.box.run(command, timeout_s=limit_s, output_bytes=REPORT_BYTES)
        logs.append(evidence.keep(f"{check.name}.log", transcript_of(done)))
        if OUTPUT in names:
            return "the output", parse_coverage(done.stdout.encode())
        found = next(_read(evidence, names), None)
    if found is None:
        code = "none, it was killed" if done.exit_code is None else done.exit_code
        raise BadReportError(f"no {' or '.join(names)} (exit code: {code})")
    return found


def _read(evidence: Evidence, names: Sequence[str]) -> Iterator[tuple[str, Covered]]:
    for name in names:
        try:
            data = evidence.box.read(name, limit=REPORT_BYTES)
        except BoxError:
            continue
        yield name, parse_coverage(data)


def _no_report(evidence: Evidence, check: CheckSpec, error: BadReportError) -> CheckResult:
    before = evidence.before(check)
    if evidence.untouched or before is None or not before.details:
        return not_run(check, f"the tests left no coverage report: {error}")
    why = f"no coverage report, but there is one of the untouched fixture: {error}"
    return scored(check, 0.0, why, OWN_WORD)


def _grade(
    check: CheckSpec, name: str, covered: Covered, changed: Sequence[_Changed]
) -> CheckResult:
    if not covered:
        return scored(check, 0.0, f"{name} speaks of no file", OWN_WORD)
    measured = {suffix_of(path) for path in covered}
    looked_at = [
        each
        for each in changed
        if not each.is_test
        if each.file.path in covered or (each.is_code and each.suffix in measured)
    ]
    paths = {each.file.path for each in looked_at}
    unread = unmeasured(each.file for each in changed if each.file.path not in paths)
    files = [_file(each.file, covered) for each in looked_at]
    total = sum(file.lines for file in files)
    if not total:
        nothing = not_run(check, f"no changed line is executable, says {name}")
        return replace(nothing, details=unread)
    missed = sum(len(file.missed) for file in files)
    details = [f"{total - missed} of {total} changed executable lines ran, says {name}", OWN_WORD]
    gaps = [_said(file) for file in files if file.missed]
    details += gaps[:MAX_LISTED]
    if len(gaps) > MAX_LISTED:
        details.append(f"… and {len(gaps) - MAX_LISTED} more files")
    return scored(check, (total - missed) / total, *details, *unread)


def _file(file: FilePatch, covered: Covered) -> _File:
    path, lines = file.path, covered.get(file.path)
    changed = {line.number: line.text for line in file.added}
    if lines is None:
        # tests that never load a file, or a configuration that leaves it out, cover none of it
        code = [number for number, text in changed.items() if _is_statement(text)]
        return _File(path, len(code), tuple(code), reported=False)
    executable = [number for number in sorted(changed) if number in lines]
    missed = tuple(number for number in executable if not lines[number])
    return _File(path, len(executable), missed, reported=True)


def _is_statement(text: str) -> bool:
    bare = text.strip()
    return any(c.isalnum() for c in bare) and not bare.startswith(_COMMENTS)


def _said(file: _File) -> str:
    numbers = ", ".join(map(str, file.missed[:MAX_LISTED]))
    more = ", …" if len(file.missed) > MAX_LISTED else ""
    why = "" if file.reported else " (the file is not in the report)"
    return f"did not run: {file.path}: {numbers}{more}{why}"
