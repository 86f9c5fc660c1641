from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.analysis import AnalysisEvaluator
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest
from harness.domain.record import CheckResult, CommandResult, Control
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evidence
from harness.sandbox.base import Completed
from harness.testing.builders import a_scenario
from harness.testing.sandbox import Answer, FakeBox
from harness.testing.store import MemoryArtifacts

LINT = CheckSpec("lint", "lint", 1.0, command="pyflakes src")
ONE = "a.py:1:1: 'os' imported but unused\n"
TWO = ONE + "a.py:9:1: undefined name 'x'\n"
EDIT = Change(b"a.py", ChangeKind.FILE, data=b"edited\n")


def said(exit_code: int | None, stdout: str = "") -> Completed:
    return Completed(exit_code, stdout, "", 0.1)


def untouched(
    folder: Path, answer: Answer, check: CheckSpec = LINT, files: Mapping[str, str] | None = None
) -> Evidence:
    scenario = a_scenario(folder, files=files or {"a.py": "import os\n"}, checks=(check,))
    inside = {name: text.encode() for name, text in (files or {"a.py": "import os\n"}).items()}
    box = FakeBox(inside, {"pyflakes": answer})
    keep = MemoryArtifacts().put
    return Evidence(scenario, Changes(), box, (), None, {}, keep, untouched=True)


def worked(
    evidence: Evidence, answer: Answer, *changes: Change, check: CheckSpec = LINT
) -> tuple[CheckResult, FakeBox]:
    """The check of a work whose control is what `evidence` gives."""
    known = Control(Digest("k"), evidence.commands, (AnalysisEvaluator().judge(evidence, check),))
    assert isinstance(evidence.box, FakeBox)
    box = FakeBox(dict(evidence.box.files), {"pyflakes": answer})
    made = Changes(changes or (EDIT,))
    box.apply(made.items)
    later = replace(evidence, box=box, changes=made, control=known, untouched=False)
    return AnalysisEvaluator().judge(later, check), box


@pytest.mark.parametrize(
    ("before", "after", "score"),
    [
        (said(0), said(0), 1.0),
        (said(1, ONE), said(1, ONE), 1.0),
        (said(1, ONE), said(1, "\n" + ONE.replace(":1:", ":7:")), 1.0),
        (said(1, ONE), said(1, TWO), 0.5),
        (said(0), said(1, TWO), 1 / 3),
        (said(1, TWO), said(1, ONE), 1.0),
        (said(1, ONE), said(0), 1.0),
        (said(1, "gibberish"), said(1, "gibberish"), 0.0),
        (said(1, ONE), said(1, "gibberish"), 0.0),
        (said(1, TWO), said(2, ONE), 0.0),
        (said(1, ONE), said(127), 0.0),
        (said(1, ONE), said(None), 0.0),
    ],
    ids=[
        *("clean", "as-before", "moved", "one-new", "two-new", "one-less", "all-mended"),
        *("no-findings-ever", "no-findings-now", "broke-off", "lost-the-tool", "endless"),
    ],
)
def test_only_what_is_new_counts(
    tmp_path: Path, before: Completed, after: Completed, score: float
) -> None:
    result, _ = worked(untouched(tmp_path, before), after)
    assert result.score == score


def test_new_findings_are_named_and_all_are_kept(tmp_path: Path) -> None:
    result, _ = worked(untouched(tmp_path, said(1, ONE)), said(1, TWO))
    assert any(line.startswith("new: a.py:9") for line in result.details)
    assert len(result.findings) == 2


def test_a_tool_that_the_image_lacks_could_not_run(tmp_path: Path) -> None:
    result, _ = worked(untouched(tmp_path, said(127)), said(127))
    assert result.score is None
    assert "not in the image" in result.reason


def test_without_a_control_findings_cannot_be_new(tmp_path: Path) -> None:
    evidence = replace(untouched(tmp_path, said(1, ONE)), untouched=False)
    assert AnalysisEvaluator().judge(evidence, LINT).score is None
    clean = replace(evidence, box=FakeBox({}, {"pyflakes": said(0)}))
    assert AnalysisEvaluator().judge(clean, LINT).score == 1.0


def validation(folder: Path, exit_code: int) -> Evidence:
    check = replace(LINT, command=None)
    result = CommandResult("lint", "pyflakes src", exit_code, 0.1)
    return replace(untouched(folder, said(1, ONE), check), commands=(result,))


def test_a_validation_command_that_ended_well_is_not_run_again(tmp_path: Path) -> None:
    evidence = replace(validation(tmp_path, 0), untouched=False)
    assert AnalysisEvaluator().judge(evidence, replace(LINT, command=None)).score == 1.0
    assert isinstance(evidence.box, FakeBox)
    assert not any("pyflakes" in line for line in evidence.box.asked)


def test_a_validation_command_after_others_is_run_again(tmp_path: Path) -> None:
    # code of the work's ran before it, and may have hidden what it planted for the linter
    evidence = replace(validation(tmp_path, 0), untouched=False)
    before = CommandResult("build", "make", 0, 0.1)
    evidence = replace(evidence, commands=(before, *evidence.commands))
    AnalysisEvaluator().judge(evidence, replace(LINT, command=None))
    assert isinstance(evidence.box, FakeBox)
    assert any("pyflakes" in line for line in evidence.box.asked)


def test_a_validation_command_that_did_not_is_read_whole(tmp_path: Path) -> None:
    result, box = worked(validation(tmp_path, 1), said(1, TWO), check=replace(LINT, command=None))
    assert result.score == 0.5
    assert [line for line in box.asked if "pyflakes" in line] == ["pyflakes src"]


@pytest.mark.parametrize(
    ("name", "before"),
    [
        *(("pyproject.toml", "[tool.ruff]\n"), ("src/.eslintrc.json", None)),
        *(("setup.cfg", None), ("tsconfig.json", "{}"), ("Makefile", "lint:\n\tpyflakes\n")),
    ],
)
def test_the_tool_sees_the_fixtures_configuration_and_the_works_comes_back(
    tmp_path: Path, name: str, before: str | None
) -> None:
    files = {"a.py": "import os\n", **({name: before} if before is not None else {})}
    evidence = untouched(tmp_path, said(1, ONE), files=files)
    seen: list[bytes | None] = []

    def look(box: FakeBox) -> Completed:
        seen.append(box.files.get(name))
        return said(1, ONE)

    silenced = Change(name.encode(), ChangeKind.FILE, data=b"ignore everything")
    result, box = worked(evidence, look, silenced)
    assert seen == [before.encode() if before is not None else None]
    assert box.files[name] == b"ignore everything"
    assert f"with the fixture's {name}" in result.details


def test_an_author_may_leave_the_configuration_to_the_work(tmp_path: Path) -> None:
    check = replace(LINT, options={"config": []})
    change = Change(b"setup.cfg", ChangeKind.FILE, data=b"theirs")
    answer = lambda box: said(0 if box.files.get("setup.cfg") else 1, TWO)  # noqa: E731  # one look
    result, _ = worked(untouched(tmp_path, said(1, ONE), check), answer, change, check=check)
    assert result.score == 1.0


def test_scripts_of_a_package_are_the_fixtures_and_its_dependencies_the_works(
    tmp_path: Path,
) -> None:
    before = {"scripts": {"lint": "eslint ."}, "dependencies": {"a": "1"}}
    after = {"scripts": {"lint": "true"}, "dependencies": {"a": "2"}, "eslintConfig": {}}
    files = {"a.js": "x", "package.json": json.dumps(before)}
    evidence = untouched(tmp_path, said(0), files=files)
    seen: list[object] = []

    def look(box: FakeBox) -> Completed:
        seen.append(json.loads(box.files["package.json"]))
        return said(0)

    data = json.dumps(after).encode()
    _, box = worked(evidence, look, Change(b"package.json", ChangeKind.FILE, data=data))
    assert seen == [{"scripts": {"lint": "eslint ."}, "dependencies": {"a": "2"}}]
    assert box.files["package.json"] == data


@pytest.mark.parametrize(
    "change",
    [Change(b"a.py", ChangeKind.DELETE), Change(b"a.py", ChangeKind.FILE, data=b" \n")],
    ids=["deleted", "emptied"],
)
def test_no_code_at_all_scores_nothing(tmp_path: Path, change: Change) -> None:
    result, _ = worked(untouched(tmp_path, said(0)), said(0), change)
    assert result.score == 0.0


def test_what_earlier_commands_did_to_the_work_is_undone(tmp_path: Path) -> None:
    evidence = untouched(tmp_path, said(1, ONE))
    seen: list[bytes] = []

    def look(box: FakeBox) -> Completed:
        seen.append(box.files["a.py"])
        return said(1, ONE)

    worked(evidence, look)
    box = FakeBox({"a.py": b"made clean by the work's own tests"}, {"pyflakes": look})
    later = replace(evidence, box=box, changes=Changes((EDIT,)), untouched=False)
    AnalysisEvaluator().judge(later, LINT)
    assert seen == [EDIT.data, EDIT.data]
