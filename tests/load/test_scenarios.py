from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.load.scenarios import (
    find_scenarios,
    find_suites,
    load_scenario,
    validate_scenario,
)
from tests.load.project import KINDS, MINIMAL, Project

Make = Callable[..., Project]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "evalutors: []",
            "/evalutors (line 5): unknown key 'evalutors'; did you mean 'evaluators'?",
        ),
        ("memory: 1", "/memory (line 5): unknown key 'memory'; it belongs in 'limits'"),
        ("threshold: high", "/threshold (line 5): 'high' is not a number"),
        ("threshold: 1.5", "/threshold (line 5): 1.5 is out of range; it must be at most 1"),
        ("network: ful", "/network (line 5): 'ful' is unknown here; did you mean 'full'?"),
        ("network: no", "/network (line 5): 'no' is unknown here; did you mean 'none'?"),
        (
            "limits: {memry: 1}",
            "/limits/memry (line 5): unknown key 'memry'; did you mean 'memory'?",
        ),
        (
            "limits: {memory: 5 potatoes}",
            "/limits/memory (line 5): '5 potatoes' is not a size such as",
        ),
        (
            "limits: {wall_clock: 0s}",
            "/limits/wall_clock (line 5): '0s' is not a duration such as 90s",
        ),
        (
            "limits: {wall_clock: soon}",
            "'soon' is not a duration such as 90s, 10m, 1h or plain seconds",
        ),
        ("limits: {pids: 1.5}", "/limits/pids (line 5): 1.5 is not a whole number"),
        ("tags: [a, '']", "/tags/1 (line 5): '' is too short"),
        ("validation_commands: [{name: a}]", "/validation_commands/0 (line 5): 'run' is missing"),
        ("validation_commands: ['']", "/validation_commands/0 (line 5): '' is too short"),
        (
            "validation_commands: [{name: a, run: x}, {name: a, run: y}]",
            "/validation_commands/1/name (line 5): 'a' names more than one command",
        ),
        ("protected: ['!']", "/protected/0 (line 5): '!' is no glob as .gitignore writes it"),
        ("title: again", "/name (line 1): title says this as well; give one of the two"),
        (
            "artifact: {type: figma}",
            "artifact scenarios (figma) are not supported: there is no workspace",
        ),
        (
            "workspace: {required: false}",
            "/workspace/required (line 5): scenarios without a workspace",
        ),
        (
            "rubric_overrides: {weights: {}}",
            "/evaluators (line 3): rubric_overrides.weights says this",
        ),
        ("rubric_overrides: {weights: {eficiency: 1}}", "did you mean 'efficiency'?"),
        (
            "oracle: {answers_file: ../x.json}",
            "'../x.json' is not a relative path that does not climb",
        ),
        (
            "oracle: {answers_file: x.json}",
            "x.json: there is no such file in the scenario's folder",
        ),
        ("oracle: {answers_file: repo-fixture/README.md}", "is in the fixture, where the agent"),
    ],
)
def test_a_mistake_is_said_with_place_value_and_remedy(project: Make, line: str, said: str) -> None:
    errors = project(MINIMAL + line + "\n").errors()
    assert any(said in error for error in errors), errors


def test_everything_is_said_at_once_and_in_the_order_of_the_file(project: Make) -> None:
    made = project(
        "name: 5\nthreshold: 7\nevaluators:\n  - {name: biuld, wieght: 2}\n"
        "  - {name: test, level: B}\nlimits: {cpus: x}\n"
    ).write({"oracle-answers.json": '{"a": 1}', "suite:prompts/sums/L7-x.md": "x"})
    places = [error.split(":")[0] for error in made.errors()]
    assert places == [
        "/name (line 1)",
        "/threshold (line 2)",
        "/evaluators/0/name (line 4)",
        "/evaluators/0/wieght (line 4)",
        "/evaluators/1 (line 5)",
        "/limits/cpus (line 6)",
        "prompts/sums/L7-x.md",
        "oracle-answers.json /a (line 1)",
    ]


def test_a_broken_part_does_not_make_up_further_mistakes(project: Make) -> None:
    made = project("name: x\nevaluators: [{name: build}]\nvalidation_commands: {build: make}\n")
    assert made.errors() == ("/validation_commands (line 3): {'build': 'make'} is not a list",)


@pytest.mark.parametrize("text", ["[]", "5", "null", "'x'"])
def test_a_file_that_is_no_mapping_is_refused(project: Make, text: str) -> None:
    assert project(text).errors()[0].endswith(("is not a mapping", "it must be a mapping"))


def test_validation_that_is_not_required_is_not_run(project: Make) -> None:
    made = project(MINIMAL + "validation: {required: false, commands: {build: make}}\n")
    scenario = made.load()
    assert scenario.validation == ()
    assert "validation: required is false, so its commands are not run" in scenario.notes


def test_unknown_names_are_answered_with_the_nearest(project: Make) -> None:
    root = project().root
    assert find_suites(root) == ("shop",)
    assert find_scenarios(root, "shop") == ("sums",)
    with pytest.raises(UsageError, match=r"no suite 'shpo' in .*suites; did you mean 'shop'\?"):
        find_scenarios(root, "shpo")
    with pytest.raises(UsageError, match=r"no scenario 'smus' in .*; did you mean 'sums'\?"):
        load_scenario(root, "shop", "smus", KINDS)
    with pytest.raises(UsageError, match=r"no suite '\.\./x' in"):
        load_scenario(root, "../x", "y", KINDS)
    with pytest.raises(UsageError, match="there is none"):
        find_scenarios(root / "elsewhere", "shop")


def test_a_folder_name_that_could_not_be_typed_is_refused(project: Make) -> None:
    made = project()
    (made.folder.parent / "a b").mkdir()
    with pytest.raises(UsageError, match="must start with a letter"):
        load_scenario(made.root, "shop", "a b", KINDS)


def test_validating_reports_instead_of_raising(project: Make) -> None:
    made = project("name: [").write({"wrong/careless/x.py": ""})
    report = made.report()
    assert (report.suite, report.scenario) == ("shop", "sums")
    assert report.errors
    (made.folder / "scenario.yaml").unlink()
    assert made.report().errors == (f"there is no scenario.yaml in {made.folder}",)


def test_validating_warns_of_what_is_missing(project: Make) -> None:
    report = project().write({"wrong/careless/x.py": ""}).report()
    assert report.errors == ()
    assert report.warnings == (
        "no prompt for L1, L2, L3, Lx",
        "no solution/: nothing shows that the task can be done",
        "1 of 3 folders in wrong/: careless work may pass",
        "wrong/careless/WHY.md is missing: what is the mistake?",
    )


def test_loading_does_not_depend_on_where_one_stands(
    project: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project()
    monkeypatch.chdir(made.root)
    near = load_scenario(Path(), "shop", "sums", KINDS)
    assert near.digests == made.load().digests
    assert near.folder.is_absolute()
    assert validate_scenario(Path(), "shop", "sums", KINDS).errors == ()


@pytest.mark.parametrize("text", ["name: [\n", "[]"])
def test_a_file_that_cannot_be_read_is_named_in_every_line(
    project: Callable[..., Project], text: str
) -> None:
    (error,) = project(text).report().errors
    assert error.startswith("scenario.yaml: ")
    assert "/: " not in error
