from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.domain.patch import PatchKind
from harness.domain.record import CheckResult, CommandResult
from harness.domain.rubric import Rubric
from harness.domain.scenario import Scenario
from harness.domain.session import Entry, Role
from harness.judging import last_words, make_case
from harness.judging.case import solution_patch
from harness.testing.builders import a_scenario
from tests.judging.works import CATEGORIES, added, patch


def with_solution(tmp_path: Path) -> Scenario:
    fixture = {"app.py": "x = 1\ny = 2\n", "old.py": "gone\n", "same.py": "same\n", "b.bin": "\0"}
    scenario = a_scenario(tmp_path, files=fixture)
    folder = tmp_path / "solution"
    folder.mkdir()
    for name, text in {
        "app.py": "x = 1\ny = 3\n",
        "new.py": "z = 4\n",
        "same.py": "same\n",
        "b.bin": "\0\0",
        ".deleted": "old.py\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return replace(scenario, solution=folder)


def test_a_solutions_files_become_a_patch_of_the_fixture(tmp_path: Path) -> None:
    found = solution_patch(with_solution(tmp_path))
    assert found is not None
    by_path = {file.path: file for file in found.files}
    assert sorted(by_path) == ["app.py", "b.bin", "new.py", "old.py"]
    assert [line.text for line in by_path["app.py"].added] == ["y = 3"]
    assert [line.text for line in by_path["app.py"].removed] == ["y = 2"]
    assert by_path["new.py"].kind is PatchKind.ADDED
    assert by_path["old.py"].kind is PatchKind.DELETED
    assert by_path["b.bin"].binary


def test_a_solution_may_be_a_patch_already(tmp_path: Path) -> None:
    scenario = with_solution(tmp_path)
    assert scenario.solution is not None
    (scenario.solution / "solution.patch").write_bytes(added({"more.py": "m = 5\n"}))
    found = solution_patch(scenario)
    assert found is not None
    assert found.files[0].path == "more.py"


def test_the_solution_is_read_only_where_the_rubric_shows_it(tmp_path: Path) -> None:
    scenario = replace(with_solution(tmp_path), rubric=Rubric(CATEGORIES))
    work = patch({"a.py": "a\n"})
    assert make_case(scenario, work, task="t").solution is None
    shown = replace(scenario, rubric=Rubric(CATEGORIES, with_solution=True))
    assert make_case(shown, work, task="t").solution == solution_patch(scenario)
    assert make_case(replace(shown, solution=None), work, task="t").solution is None


def test_what_grading_puts_back_is_not_judged(tmp_path: Path) -> None:
    scenario = replace(a_scenario(tmp_path), protected=("tests/**", "!tests/data"))
    work = patch({"tests/a.py": "1\n", "app.py": "2\n"})
    assert [f.path for f in make_case(scenario, work, task="t").patch.files] == ["app.py"]


def test_commands_and_earlier_checks_are_results_and_other_judges_are_not(tmp_path: Path) -> None:
    case = make_case(
        a_scenario(tmp_path),
        patch({"a.py": "a\n"}),
        task="t",
        commands=[
            CommandResult("build", "make", 0, 1.0),
            CommandResult("lint", "make lint", None, 9.0),
        ],
        checks=[
            CheckResult("scope", "scope", 0.5, 1.0, details=("outside: x",)),
            CheckResult("sec", "security", None, 1.0, reason="could not run: no tool"),
            CheckResult("other", "llm_judge", 1.0, 1.0),
        ],
    )
    assert case.results == (
        ("build", 1.0, ("make: exit code 0",)),
        ("lint", 0.0, ("make lint: killed at its deadline",)),
        ("scope", 0.5, ("outside: x",)),
        ("sec", None, ("could not run: no tool",)),
    )


def test_the_last_words_are_the_agents_own() -> None:
    entries = [
        Entry(Role.ASSISTANT, "first", 0.0),
        Entry(Role.ASSISTANT, "All done.", 1.0),
        Entry(Role.ASSISTANT, "  ", 2.0),
        Entry(Role.TOOL_RESULT, "ok", 3.0),
    ]
    assert last_words(entries) == "All done."
    assert last_words(()) == ""
