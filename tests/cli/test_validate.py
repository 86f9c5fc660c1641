from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.cli.validate import not_proved
from harness.domain.grading import Grading, graded
from harness.domain.scenario import CheckSpec
from harness.testing.builders import a_scenario
from tests.cli.conftest import Cli

SHIPPED = Path(__file__).parents[2] / "templates" / "careful-debugger.json5"


@pytest.fixture
def templates(project: Path) -> Path:
    folder = project / "templates"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    shutil.copy(SHIPPED, folder)
    return folder


@pytest.mark.usefixtures("templates")
def test_templates_are_checked_with_the_scenarios(cli: Cli) -> None:
    document = json.loads(cli("validate", "--json").stdout)
    (found,) = document["templates"]
    assert (found["path"], found["ok"]) == ("templates/careful-debugger.json5", True)
    assert "✓ templates/careful-debugger.json5" in cli("validate", "--all").stdout


BEGIN = "{name: '@a/b', version: '1.0.0', persona: {purpose: 'x'}, capabilities: "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", ""),
        (f"{BEGIN} {{tags: null}}}}", "is empty; it must be a list"),
        (
            f"{BEGIN} {{tags: ['a']}}, prompts: {{default: {{spawnerPrompt: '{{{{nope}}}}'}}}}}}",
            "nothing fills {{nope}}",
        ),
    ],
    ids=["no JSON5", "an empty list", "a hole that nothing fills"],
)
def test_a_template_that_nobody_could_wear_is_refused(
    cli: Cli, templates: Path, text: str, said: str
) -> None:
    (templates / "bad.json5").write_text(text)
    result = cli("validate", "--json")
    assert result.exit_code == 2
    bad, good = sorted(json.loads(result.stdout)["templates"], key=lambda found: found["ok"])
    assert good["ok"]
    assert bad["path"] == "templates/bad.json5"
    assert any(said in error for error in bad["errors"])
    assert "✗ templates/bad.json5" in cli("validate").stdout


def test_one_suite_is_checked_without_the_templates(cli: Cli, templates: Path) -> None:
    (templates / "bad.json5").write_text("{")
    result = cli("validate", "sample", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["templates"] == []


def test_agents_and_prices_are_checked_too(cli: Cli, project: Path) -> None:
    (project / "agents").mkdir()
    (project / "agents/typo.yaml").write_text("comand: run {prompt}\n")
    (project / "prices.json5").write_text("{'openai:x': {inptu: 1}}")
    done = cli("validate", "--json")
    found = {each["path"]: each for each in json.loads(done.stdout)["others"]}
    assert done.exit_code == 2
    assert "did you mean 'command'" in "\n".join(found["agents/typo.yaml"]["errors"])
    assert "inptu" in "\n".join(found["prices.json5"]["errors"])


def test_what_waits_for_a_check_that_is_not_proved_is_not_proved_either(tmp_path: Path) -> None:
    checks = (
        CheckSpec("last", "build", 1.0, after=(("middle", 1.0),)),
        CheckSpec("middle", "lint", 1.0, after=(("review", 0.5),)),
        CheckSpec("review", "llm_judge", 1.0),
        CheckSpec("pace", "efficiency", 1.0),
        CheckSpec("test", "test", 1.0),
    )
    scenario = a_scenario(tmp_path, checks=checks)
    assert not_proved(scenario) == ("last", "middle", "review", "pace")
    left = graded(scenario, scenario.tiers[0], Grading(skip=not_proved(scenario)))
    assert [check.name for check in left.checks] == ["test"]


def test_a_problem_is_one_line_where_nobody_looks(cli: Cli, project: Path) -> None:
    path = project / "suites/sample/scenarios/greet/scenario.yaml"
    path.write_text(path.read_text() + "  - {name: lint, weight: 0.1, zzz: 1}\n")
    lines = cli("validate", "sample", "greet").stdout.splitlines()
    assert any(len(line) > 120 for line in lines)
    assert all(line.startswith(("✗ ", "    error: /")) for line in lines)
