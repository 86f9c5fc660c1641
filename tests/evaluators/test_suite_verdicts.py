from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.suite import SuiteEvaluator
from harness.domain.changes import Changes
from harness.domain.ids import Digest
from harness.domain.record import CheckResult, Control, Verdict
from harness.domain.scenario import CheckSpec, Level
from harness.evaluate import Evidence
from harness.sandbox.base import Completed
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

CHECK = CheckSpec("test", "test", 1.0, level=Level.A, command="run-tests")
INNER = {"p": "", "f": "<failure message='no'/>", "s": "<skipped/>"}


def report(run: str) -> str:
    """`a:p b:f` as JUnit XML."""
    cases = (each.split(":") for each in run.split())
    inner = "".join(f'<testcase name="{name}">{INNER[v]}</testcase>' for name, v in cases)
    return f"<testsuite>{inner}</testsuite>"


def box_of(runs: Sequence[str]) -> FakeBox:
    reports: Iterator[str] = iter(report(run) for run in runs)
    return FakeBox({}, {"run-tests": lambda _box: Completed(0, next(reports), "", 0.1)})


def judge(
    folder: Path, before: Sequence[str], after: Sequence[str], check: CheckSpec = CHECK
) -> CheckResult:
    """The check of a work; each text is what one run of the suite says."""
    check = replace(check, options={"repeat": len(after)} if len(after) > 1 else {})
    scenario = a_scenario(folder, checks=(check,))
    keep = MemoryArtifacts().put
    evidence = Evidence(scenario, Changes(), box_of(before), (), None, {}, keep, untouched=True)
    known = Control(Digest("k"), (), (SuiteEvaluator().judge(evidence, check),))
    later = replace(evidence, box=box_of(after), control=known, untouched=False)
    return SuiteEvaluator().judge(later, check)


@pytest.mark.parametrize(
    ("after", "line"),
    [
        ("fix:f keep:p", "still failing: fix"),
        ("fix:p keep:p", "newly passing: fix"),
        ("fix:p keep:f", "newly failing: keep"),
        ("fix:p keep:s", "skipped: keep"),
        ("fix:s keep:p", "skipped: fix"),
        ("fix:p", "gone: keep"),
        ("keep:p", "gone: fix"),
    ],
)
def test_details_say_what_became_of_each_test(tmp_path: Path, after: str, line: str) -> None:
    result = judge(tmp_path, ["fix:f keep:p"], [after])
    assert line in result.details
    others = ("still failing", "newly failing", "skipped", "gone", "flaky")
    bad = [each for each in result.details if each.startswith(others)]
    assert bad == ([] if line.startswith("newly passing") else [line])


@pytest.mark.parametrize(
    ("before", "after", "score", "line"),
    [
        (["fix:f", "fix:f"], ["fix:p", "fix:p"], 1.0, "newly passing: fix"),
        (
            *(["fix:f", "fix:f"], ["fix:p", "fix:f"], 0.0),
            "flaky, so not passed: fix (passed 1 of 2 runs)",
        ),
        (
            *(["keep:p", "keep:p"], ["keep:p", "keep:f"], 0.0),
            "flaky, so not passed: keep (passed 1 of 2 runs)",
        ),
        (
            *(["keep:p", "keep:p"], ["keep:p", "other:p"], 0.0),
            "flaky, so not passed: keep (passed 1 of 2 runs)",
        ),
        (
            *(["fix:f odd:p", "fix:f odd:f"], ["fix:p odd:f", "fix:p odd:f"], 1.0),
            "left out, flaky on the untouched fixture: odd",
        ),
        (
            *(["fix:f odd:f", "fix:f odd:p"], ["fix:f odd:p", "fix:f odd:p"], 0.0),
            "still failing: fix",
        ),
    ],
    ids=["steady", "flaky-fix", "flaky-guard", "comes-and-goes", "was-flaky", "was-flaky-passes"],
)
def test_a_test_counts_as_passed_only_when_every_run_says_so(
    tmp_path: Path, before: Sequence[str], after: Sequence[str], score: float, line: str
) -> None:
    result = judge(tmp_path, before, after)
    assert result.score == score
    assert line in result.details


def test_a_listed_guard_that_is_flaky_on_the_fixture_is_left_out(tmp_path: Path) -> None:
    check = replace(CHECK, fail_to_pass=("fix",), pass_to_pass=("odd",))
    runs = ["fix:f odd:p", "fix:f odd:f"]
    assert judge(tmp_path, runs, ["fix:p odd:p", "fix:p odd:f"], check).score == 1.0


def test_a_listed_fix_has_to_pass_every_time_however_it_was_before(tmp_path: Path) -> None:
    check = replace(CHECK, fail_to_pass=("fix",), pass_to_pass=())
    assert judge(tmp_path, ["fix:p", "fix:f"], ["fix:p", "fix:f"], check).score == 0.0


def test_a_flaky_test_is_kept_as_failed_with_its_reason(tmp_path: Path) -> None:
    result = judge(tmp_path, ["a:p", "a:p"], ["a:p", "a:f"])
    assert [(o.id, o.verdict, o.message) for o in result.outcomes] == [
        ("a", Verdict.FAILED, "flaky: passed 1 of 2 runs no")
    ]


def test_the_log_of_every_run_is_kept(tmp_path: Path) -> None:
    assert len(judge(tmp_path, ["a:p"] * 3, ["a:p"] * 3).artifacts) == 3


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    before = " ".join(f"t{n}:p" for n in range(9))
    result = judge(tmp_path, [before], [before.replace(":p", ":f")])
    assert "… and 4 more newly failing: bench show RUN --tests" in result.details


@pytest.mark.parametrize("level", list(Level))
def test_a_check_says_its_level_even_when_it_could_not_run(tmp_path: Path, level: Level) -> None:
    check = replace(CHECK, level=level)
    scenario = a_scenario(tmp_path, checks=(check,))
    nothing = FakeBox({}, {"run-tests": Completed(0, "<testsuite>", "", 0.1)})
    evidence = Evidence(scenario, Changes(), nothing, (), None, {}, MemoryArtifacts().put)
    result = SuiteEvaluator().judge(evidence, check)
    assert result.score is None
    assert result.level is level
