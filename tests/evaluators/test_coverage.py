from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluators.coverage import CoverageEvaluator
from evaluators.coverage_reports import parse_coverage
from evaluators.junit import BadReportError
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest
from harness.domain.patch import FilePatch, Patch, PatchKind, PatchLine
from harness.domain.record import CheckResult, Control
from harness.domain.scenario import CheckSpec, Level
from harness.evaluate import Evidence, Work
from harness.load.schema import option_problems
from harness.sandbox.base import Completed
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

CHECK = CheckSpec("coverage", "coverage", 1.0, options={"command": "measure"})


def python(**files: tuple[list[int], list[int]]) -> str:
    table = {
        f"{name}.py": {"executed_lines": ran, "missing_lines": missed}
        for name, (ran, missed) in files.items()
    }
    return json.dumps({"meta": {}, "files": table})


FIXTURE = python(app=([1], []))


def judge(
    folder: Path,
    report: str | None,
    patch: Mapping[str, str],
    *,
    before: str | None = FIXTURE,
    check: CheckSpec = CHECK,
    files: Mapping[str, str] | None = None,
) -> tuple[CheckResult, FakeBox]:
    """The check of a work whose tests write `report`; on the fixture they write `before`."""
    scenario = a_scenario(folder, checks=(check,))
    evidence = Evidence(
        scenario, Changes(), box_of(before, {}), (), None, {}, MemoryArtifacts().put
    )
    first = CoverageEvaluator().judge(replace(evidence, untouched=True), check)
    changes = Changes(
        tuple(
            Change(name.encode(), ChangeKind.FILE, data=text.encode())
            for name, text in {**(files or {}), **patch}.items()
        )
    )
    box = box_of(report, {c.path.decode(): c.data for c in changes})
    later = replace(
        evidence,
        box=box,
        changes=changes,
        control=Control(Digest("k"), (), (first,)),
        work=Work(changes, Patch(tuple(_patch(n, t) for n, t in patch.items()))),
    )
    return CoverageEvaluator().judge(later, check), box


def box_of(report: str | None, files: Mapping[str, bytes]) -> FakeBox:
    def measure(box: FakeBox) -> Completed:
        if report is not None:
            box.files["coverage.json"] = report.encode()
        return Completed(0, "", "", 0.1)

    return FakeBox(dict(files), {"measure": measure})


def _patch(name: str, text: str) -> FilePatch:
    lines = enumerate(text.splitlines(), 1)
    return FilePatch(name, PatchKind.MODIFIED, added=tuple(PatchLine(n, t) for n, t in lines))


FOUR = "a = 1\nb = 2\n# c\nd = 4\n"


@pytest.mark.parametrize(
    ("report", "score"),
    [
        (python(app=([1, 2, 4], [])), 1.0),
        (python(app=([1], [2, 4])), 1 / 3),
        (python(app=([1, 2, 4, 80], [90, 91, 92])), 1.0),
        (python(app=([], [1, 2, 4])), 0.0),
        (python(other=([1], [])), 0.0),
        (python(), 0.0),
        (None, 0.0),
        ("{", 0.0),
        ("[" * 100_000, 0.0),
    ],
    ids=[
        *("all", "a-third", "only-changed-lines", "none", "file-left-out", "empty", "no-report"),
        *("cut", "deep"),
    ],
)
def test_the_score_is_the_share_of_changed_lines_that_ran(
    tmp_path: Path, report: str | None, score: float
) -> None:
    result, _ = judge(tmp_path, report, {"app.py": FOUR})
    assert result.score == score
    assert result.level is Level.A


def test_lines_that_code_excludes_from_the_count_did_not_run(tmp_path: Path) -> None:
    file = {"executed_lines": [1], "missing_lines": [], "excluded_lines": [2]}
    report = json.dumps({"files": {"app.py": file}})
    assert judge(tmp_path, report, {"app.py": FOUR})[0].score == 0.5


def test_details_name_the_lines_and_whose_word_it_is(tmp_path: Path) -> None:
    result, _ = judge(tmp_path, python(app=([1], [2, 4])), {"app.py": FOUR})
    assert "did not run: app.py: 2, 4" in result.details
    assert any(line.startswith("level A") for line in result.details)


@pytest.mark.parametrize(
    "patch",
    [{"README.md": "text\n"}, {"tests/test_app.py": FOUR}, {"src/app.test.js": "x()\n"}, {}],
    ids=["no-code", "tests", "tests-beside-code", "nothing"],
)
def test_without_changed_code_there_is_nothing_to_measure(
    tmp_path: Path, patch: Mapping[str, str]
) -> None:
    result, box = judge(tmp_path, FIXTURE, patch)
    assert result.score is None
    assert "no line of code was changed" in result.reason
    assert result.level is Level.A
    assert box.asked == []


def test_changed_comments_are_nothing_to_measure(tmp_path: Path) -> None:
    result, _ = judge(tmp_path, python(app=([3], [])), {"app.py": "\n# only words\n"})
    assert result.score is None
    assert "no changed line is executable" in result.reason


def test_what_never_reached_grading_is_not_measured(tmp_path: Path) -> None:
    scenario = a_scenario(tmp_path, checks=(CHECK,))
    work = Work(Changes(), Patch((_patch("app.py", FOUR),)))
    box = box_of(FIXTURE, {})
    evidence = Evidence(scenario, Changes(), box, (), None, {}, MemoryArtifacts().put, work)
    assert CoverageEvaluator().judge(evidence, CHECK).score is None


def test_a_report_that_the_work_brings_along_is_not_believed(tmp_path: Path) -> None:
    good = python(app=([1, 2, 4], []))
    result, _ = judge(tmp_path, None, {"app.py": FOUR}, files={"coverage.json": good})
    assert result.score == 0.0


def test_without_a_report_even_of_the_fixture_there_is_no_score(tmp_path: Path) -> None:
    result, _ = judge(tmp_path, None, {"app.py": FOUR}, before=None)
    assert result.score is None
    assert "left no coverage report" in result.reason


def test_the_scenario_says_what_is_no_code_of_interest(tmp_path: Path) -> None:
    options: Mapping[str, Any] = {**CHECK.options, "exclude": ["generated/"]}
    check = replace(CHECK, options=options)
    patch = {"generated/app.py": FOUR}
    assert judge(tmp_path, FIXTURE, patch, check=check)[0].score is None


def test_a_report_may_be_printed(tmp_path: Path) -> None:
    check = replace(CHECK, options={**CHECK.options, "report": "-"})
    box = FakeBox({}, {"measure": Completed(0, FIXTURE, "", 0.1)})
    changes = Changes((Change(b"app.py", ChangeKind.FILE, data=b"a = 1"),))
    work = Work(changes, Patch((_patch("app.py", "a = 1"),)))
    scenario = a_scenario(tmp_path, checks=(check,))
    evidence = Evidence(scenario, changes, box, (), None, {}, MemoryArtifacts().put, work)
    assert CoverageEvaluator().judge(evidence, check).score == 1.0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "'command' is missing"),
        ({"command": "x", "report": "../out.json"}, "is not a path within the workspace"),
        ({"command": "x", "report": "/tmp/out.json"}, "is not a path within the workspace"),
        ({"command": "x", "reports": "a"}, "unknown key"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: Mapping[str, Any], problem: str) -> None:
    assert any(problem in found.text for found in option_problems(options, "coverage"))


ISTANBUL = {
    "/workspace/src/a.js": {
        "path": "/workspace/src/a.js",
        "statementMap": {"0": {"start": {"line": 1}}, "1": {"start": {"line": 2}}},
        "s": {"0": 1, "1": 0},
    }
}
COBERTURA = """<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM 'http://cobertura.sourceforge.net/xml/coverage-04.dtd'>
<coverage><sources><source>/workspace/src</source></sources><packages><package><classes>
<class filename="a.js"><lines><line number="1" hits="3"/><line number="2" hits="0"/></lines></class>
</classes></package></packages></coverage>"""
LCOV = "TN:\nSF:/workspace/src/a.js\nDA:1,3\nDA:2,0\nend_of_record\n"
PYTHON = {"files": {"src/a.js": {"executed_lines": [1], "missing_lines": [2]}}}


@pytest.mark.parametrize(
    "report",
    [json.dumps(ISTANBUL), COBERTURA, LCOV, json.dumps(PYTHON)],
    ids=["istanbul", "cobertura", "lcov", "coverage.py"],
)
def test_every_format_says_the_same(report: str) -> None:
    assert parse_coverage(report.encode()) == {"src/a.js": {1: True, 2: False}}


@pytest.mark.parametrize(
    "report",
    [
        *("", "hello", "<html/>", '{"a": 1}', "<coverage>", '{"files": [1]}', "\xff\xfe"),
        "<!DOCTYPE coverage [<!ENTITY a 'b'>]><coverage>&a;</coverage>",
        *("<a>" * 200_000, '{"files":' * 50_000),
    ],
    ids=[
        *("empty", "words", "html", "other-json", "cut", "odd-json", "noise", "entities"),
        *("deep-xml", "deep-json"),
    ],
)
def test_what_is_no_report_is_refused(report: str) -> None:
    with pytest.raises(BadReportError):
        parse_coverage(report.encode("latin-1"))


@pytest.mark.parametrize("name", ["class", "a"])
def test_a_deep_report_does_not_take_long(name: str) -> None:
    # were every class searched to its depth, this would not come to an end
    deep = f"<{name}>" * 100_000 + f"</{name}>" * 100_000
    assert not parse_coverage(f"<coverage>{deep}</coverage>".encode()).get("x")


@pytest.mark.parametrize(
    "file",
    [{"executed_lines": "x"}, {"executed_lines": [None, "1", -3, 1e9]}, [], None],
    ids=["text", "odd-numbers", "list", "nothing"],
)
def test_odd_values_in_a_report_are_no_lines(file: object) -> None:
    report = json.dumps({"files": {"a.py": file}})
    assert parse_coverage(report.encode()).get("a.py", {}) == {}


def test_what_was_not_measured_is_named(tmp_path: Path) -> None:
    patch = {"app.py": FOUR, "test_more.py": "x = 1\ny = 2\n", "a.txt": "x\n", "a.rb": "p 1\n"}
    result, _ = judge(tmp_path, python(app=([1, 2, 4], [])), patch)
    said = "not measured: 4 changed lines of other files: test_more.py (2), a.rb (1), a.txt (1)"
    assert (result.score, result.details[-1]) == (1.0, said)


def test_what_is_no_code_by_its_name_is_named_when_there_is_no_other(tmp_path: Path) -> None:
    result, _ = judge(tmp_path, FIXTURE, {"app.txt": FOUR})
    assert result.score is None
    assert result.details == ("not measured: 4 changed lines of other files: app.txt (4)",)


def test_a_script_without_a_suffix_is_code(tmp_path: Path) -> None:
    script = "#!/usr/bin/env python3\na = 1\n"
    assert judge(tmp_path, FIXTURE, {"bin/tool": script})[0].score == 0.0


def test_a_file_that_the_report_speaks_of_is_measured_whatever_its_name(tmp_path: Path) -> None:
    table = {"a.py": {"executed_lines": [1]}, "code.dat": {"missing_lines": [1]}}
    patch = {"a.py": "x = 1\n", "code.dat": "y = 1\n"}
    assert judge(tmp_path, json.dumps({"files": table}), patch)[0].score == 0.5
