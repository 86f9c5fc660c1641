from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import harness
from harness.load.evaluator_scripts import read_script
from harness.load.scenarios import validate_scenario
from harness.load.yaml_text import parse_yaml
from harness.wiring import evaluator_kinds

Cli = Callable[..., Result]

TEXT = "--- a/a.py\n+++ b/a.py TODO\n+x = 1  # TODO: y\n-TODO\n"


def evidence(*files: tuple[str, int], text: str = "") -> dict[str, object]:
    """What a script is told of files: what happened to each, and how many lines it got."""
    shown = [{"path": "a.py", "kind": kind, "added": added} for kind, added in files]
    return {"changes": [{"path": "a.py"}] * len(files), "patch": {"text": text, "files": shown}}


EVIDENCE = (
    (evidence(("modified", 1), text=TEXT), 0.5),
    (evidence(), 0),
    (evidence(("deleted", 0), ("modified", 0), text="-x = 1\n"), 0),
    (evidence(("added", 1), text="+stray\n"), 0),
)


def test_the_script_answers_from_where_the_line_says_it_is(cli: Cli, project: Path) -> None:
    result = cli("new", "evaluator", "no-todo", "--script", "--suite", "sample")
    assert result.exit_code == 0, result.output
    (check,) = parse_yaml(result.output.splitlines()[-1]).value  # type: ignore[misc]  # a list of one
    assert (check["name"], check["uses"]) == ("no-todo", "script")
    folder = project / "suites" / "sample" / "scenarios" / "greet"
    script = read_script(folder, check["options"])
    for told, score in EVIDENCE:
        done = subprocess.run(
            [sys.executable, folder.parents[1] / "checks" / script.name],
            input=json.dumps(told), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert json.loads(done.stdout)["score"] == score


def test_the_package_s_own_tests_pass_and_its_entry_point_names_its_class(
    cli: Cli, project: Path
) -> None:
    result = cli("new", "evaluator", "no-todo")
    assert result.exit_code == 0, result.output
    folder = project / "mintmark-no-todo"
    told = tomllib.loads((folder / "pyproject.toml").read_text())
    assert told["project"]["entry-points"]["mintmark.evaluators"] == {
        "no-todo": "mintmark_no_todo:NoTodoEvaluator"
    }
    path = os.pathsep.join([str(folder / "src"), str(Path(harness.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "5 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [(), ("--script", "--suite", "sample")])
def test_nothing_is_overwritten(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("new", "evaluator", "mine", *arguments).exit_code == 0
    again = cli("new", "evaluator", "mine", *arguments)
    assert again.exit_code == 2
    assert "exists" in again.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("No Todo",), "is no name for this"),
        (("test",), "there is an evaluator 'test' already"),
        (("mine", "--script"), "give both --script and --suite"),
        (("mine", "--suite", "sample"), "give both --script and --suite"),
        (("mine", "--script", "--suite", "smaple"), "did you mean 'sample'"),
        (("../up", "--script", "--suite", "sample"), "is no name for this"),
    ],
)
def test_what_cannot_be_begun_is_refused(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    result = cli("new", "evaluator", *arguments)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("code", "how"), [("src/greeting.py", "grading.call"), ("lib/index.mjs", "grading.node")]
)
def test_a_test_that_could_be_of_level_b_is_named(project: Path, code: str, how: str) -> None:
    folder = project / "suites" / "sample" / "scenarios" / "greet"
    assert not any("level" in line for line in warnings(project))
    text = (folder / "scenario.yaml").read_text()
    changed = text.replace("required: true, level: B", "tests: [tests], command: make")
    (folder / "scenario.yaml").write_text(changed)
    (folder / "hidden" / "test_greeting.py").unlink()
    fixture = folder / "repo-fixture"
    (fixture / "src" / "greeting.py").unlink()
    for name in ("tests/test_it.py", "conftest.py", "main.go"):
        (fixture / name).parent.mkdir(exist_ok=True)
        (fixture / name).write_text("")
    assert not any("level" in line for line in warnings(project))
    (fixture / code).parent.mkdir(exist_ok=True)
    (fixture / code).write_text("")
    (found,) = [line for line in warnings(project) if "level" in line]
    assert code in found
    assert how in found


def warnings(project: Path) -> tuple[str, ...]:
    report = validate_scenario(project, "sample", "greet", evaluator_kinds())
    assert report.errors == ()
    return report.warnings
