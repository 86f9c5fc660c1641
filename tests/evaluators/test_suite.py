from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.suite import SuiteEvaluator
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest
from harness.domain.record import CheckResult, Control, TestOutcome, Verdict
from harness.domain.scenario import CheckSpec, Level
from harness.evaluate import Evidence
from harness.sandbox.base import Completed
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

HIDDEN = CheckSpec("test", "test", 1.0, required=True, level=Level.B)
VISIBLE = CheckSpec("visible", "test", 1.0, level=Level.A, command="run-tests", tests=("tests",))


def report(**cases: str) -> bytes:
    inner = "".join(
        f'<testcase classname="t.py" name="{name}">{_inner(verdict)}</testcase>'
        for name, verdict in cases.items()
    )
    return f"<testsuite>{inner}</testsuite>".encode()


def _inner(verdict: str) -> str:
    return {"pass": "", "fail": "<failure message='no'/>", "skip": "<skipped/>"}[verdict]


def runner(data: bytes) -> Callable[[FakeBox], Completed]:
    """A grading runner that writes its report where it is told to."""

    def run(box: FakeBox) -> Completed:
        words = box.asked[-1].split()
        box.files[words[words.index("--report") + 1]] = data
        return Completed(0, "", "", 0.1)

    return run


def control(check: str, **cases: str) -> Control:
    verdicts = {"pass": Verdict.PASSED, "fail": Verdict.FAILED, "skip": Verdict.SKIPPED}
    outcomes = tuple(TestOutcome(f"t.py::{n}", verdicts[v]) for n, v in cases.items())
    return Control(Digest("k"), (), (CheckResult(check, "test", None, 1.0, outcomes=outcomes),))


def judge(
    tmp_path: Path, check: CheckSpec, data: bytes, known: Control | None
) -> tuple[CheckResult, FakeBox]:
    answer = runner(data) if check is HIDDEN else Completed(0, data.decode(), "", 0.1)
    box = FakeBox({}, {"run-hidden": answer, "run-tests": answer})
    scenario = a_scenario(tmp_path, checks=(check,))
    evidence = Evidence(
        scenario, Changes(), box, (), known, {"test_t.py": b"x"}, MemoryArtifacts().put
    )
    return SuiteEvaluator().judge(evidence, check), box


@pytest.mark.parametrize(
    ("after", "score"),
    [
        ({"a": "fail", "b": "fail", "c": "pass"}, 0.0),
        ({"a": "pass", "b": "fail", "c": "pass"}, 0.5),
        ({"a": "pass", "b": "pass", "c": "pass"}, 1.0),
        ({"a": "pass", "b": "pass", "c": "fail"}, 0.0),
        ({"a": "pass", "b": "skip", "c": "pass"}, 0.5),
        ({"a": "pass", "b": "pass"}, 0.0),
        ({"a": "pass", "c": "pass"}, 0.5),
        ({"z": "pass"}, 0.0),
    ],
    ids=[
        "nothing-done",
        "half",
        "all",
        "broke-one",
        "skipped",
        "lost-a-guard",
        "lost-one",
        "other",
    ],
)
def test_the_score_is_what_came_to_pass_times_what_still_does(
    tmp_path: Path, after: dict[str, str], score: float
) -> None:
    known = control("test", a="fail", b="fail", c="pass")
    result, _ = judge(tmp_path, HIDDEN, report(**after), known)
    assert result.score == score
    assert result.level is Level.B


def test_without_a_control_there_is_no_score_but_the_outcomes_are_kept(tmp_path: Path) -> None:
    result, _ = judge(tmp_path, HIDDEN, report(a="fail"), None)
    assert result.score is None
    assert "could not run" in result.reason
    assert result.outcomes == (TestOutcome("t.py::a", Verdict.FAILED, "no"),)


def test_listed_tests_need_no_control(tmp_path: Path) -> None:
    check = replace(VISIBLE, fail_to_pass=("t.py::a",), pass_to_pass=())
    result, _ = judge(tmp_path, check, report(a="pass"), None)
    assert result.score == 1.0


def test_hidden_files_are_put_where_only_the_grader_reads(tmp_path: Path) -> None:
    _, box = judge(tmp_path, HIDDEN, report(a="pass"), control("test", a="fail"))
    assert box.hidden == {"test_t.py": b"x"}
    assert "test_t.py" not in box.files


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<testsuite>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><testsuite/>",
        b"\xff\xfe",
        "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE a [<!ENTITY x 'y'>]><a/>".encode(
            "utf-16"
        ),
        b"<?xml version='1.0' encoding='foo'?><a/>",
    ],
    ids=["empty", "cut", "entities", "noise", "entities-in-utf-16", "strange-encoding"],
)
def test_no_believable_report_scores_zero_when_the_untouched_fixture_gives_one(
    tmp_path: Path, data: bytes
) -> None:
    result, _ = judge(tmp_path, HIDDEN, data, control("test", a="fail"))
    assert result.score == 0.0


def test_no_report_even_from_the_untouched_fixture_is_no_score(tmp_path: Path) -> None:
    result, _ = judge(tmp_path, HIDDEN, b"", control("test"))
    assert result.score is None
    assert result.reason.startswith("could not run")


@pytest.mark.parametrize(("exit_code", "score"), [(0, 1.0), (1, 0.0)])
def test_a_command_without_a_report_counts_as_one_test(
    tmp_path: Path, exit_code: int, score: float
) -> None:
    box = FakeBox({}, {"run-tests": Completed(exit_code, "ok", "", 0.1)})
    scenario = a_scenario(tmp_path, checks=(VISIBLE,))
    keep = MemoryArtifacts().put
    evidence = Evidence(scenario, Changes(), box, (), None, {}, keep)
    before = SuiteEvaluator().judge(replace(evidence, box=FakeBox({}, {})), VISIBLE)
    known = Control(Digest("k"), (), (before,))
    assert SuiteEvaluator().judge(replace(evidence, control=known), VISIBLE).score == score


def test_a_report_that_the_agent_left_is_not_believed(tmp_path: Path) -> None:
    check = replace(VISIBLE, report="report.xml")
    box = FakeBox({"report.xml": report(a="pass")}, {"run-tests": Completed(1, "", "", 0.1)})
    scenario = a_scenario(tmp_path, checks=(check,))
    known = control("visible", a="fail")
    evidence = Evidence(scenario, Changes(), box, (), known, {}, MemoryArtifacts().put)
    assert SuiteEvaluator().judge(evidence, check).score == 0.0


def test_a_name_that_appears_twice_counts_at_its_worst(tmp_path: Path) -> None:
    data = report(a="fail").replace(b"</testsuite>", b"") + report(a="pass").replace(
        b"<testsuite>", b""
    )
    result, _ = judge(tmp_path, HIDDEN, data, control("test", a="fail"))
    assert result.score == 0.0


@pytest.mark.parametrize(
    "change",
    [
        Change(b"tests/test_t.py", ChangeKind.FILE, data=b"agent"),
        Change(b"tests/test_t.py", ChangeKind.DELETE),
        Change(b"tests", ChangeKind.DELETE),
        Change(b"tests/conftest.py", ChangeKind.FILE, data=b"agent"),
    ],
    ids=lambda change: f"{change.kind} {change.display}",
)
def test_level_a_sees_the_fixtures_tests_and_the_agents_come_back(
    tmp_path: Path, change: Change
) -> None:
    files = {"app.py": "x", "tests/test_t.py": "original"}
    scenario = a_scenario(tmp_path, files=files, checks=(VISIBLE,))
    seen: list[dict[str, bytes]] = []

    def run(box: FakeBox) -> Completed:
        seen.append(dict(box.files))
        return Completed(0, report(a="pass").decode(), "", 0.1)

    box = FakeBox({name: text.encode() for name, text in files.items()}, {"run-tests": run})
    box.apply([change])
    left = dict(box.files)
    evidence = Evidence(scenario, Changes((change,)), box, (), None, {}, MemoryArtifacts().put)
    SuiteEvaluator().judge(evidence, VISIBLE)
    assert seen == [{"app.py": b"x", "tests/test_t.py": b"original"}]
    assert box.files == left
