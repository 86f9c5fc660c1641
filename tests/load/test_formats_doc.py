from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.load.commands import PATTERNS
from harness.load.marks import load_marks
from harness.load.matrix import load_matrix
from harness.load.matrix_cells import points_of
from harness.load.schema import MATRIX, ORACLE, POLICY, SCENARIO, SNAPSHOT, TEMPLATE
from harness.load.scripts import load_script
from harness.load.templates import check_snapshot, load_template, read_document
from tests.load.project import KINDS, Project

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(\S+) (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def examples(label: str) -> list[str]:
    found = [text for _, name, text in EXAMPLES if name == label]
    assert found
    return found


def test_every_example_with_a_label_is_loaded_here() -> None:
    labels = {label for _, label, _ in EXAMPLES}
    assert labels == {
        "scenario.yaml",
        "policy.yaml",
        "matrix.yaml",
        "marks.yaml",
        "oracle-answers.json",
        "hidden/test_slots.py",
        "script",
        "template",
        "snapshot",
    }


@pytest.mark.parametrize("text", examples("scenario.yaml"))
def test_the_scenarios_load(project: Callable[[str], Project], text: str) -> None:
    oracle = examples("oracle-answers.json")[1]
    made = project(text).write({"hidden/test_a.py": "", "oracle-answers.json": oracle})
    assert made.load().checks


@pytest.mark.parametrize("text", examples("oracle-answers.json"))
def test_the_oracles_load(project: Callable[[], Project], text: str) -> None:
    assert project().write({"oracle-answers.json": text}).load().oracle.answers


def test_the_policy_loads(project: Callable[[], Project]) -> None:
    policy = examples("policy.yaml")[0]
    profiles = project().write({"suite:prompts/policy.yaml": policy}).load().profiles
    assert [(each.tier, each.ask_user_bonus) for each in profiles] == [("L0", 0.2), ("Lx", 0.25)]


def test_the_marks_load(tmp_path: Path) -> None:
    path = tmp_path / "marks.yaml"
    path.write_text(examples("marks.yaml")[0], encoding="utf-8")
    assert load_marks(path).scores == {"Correctness": 4, "Code quality": 5}


def test_the_matrix_loads(tmp_path: Path) -> None:
    path = tmp_path / "matrix.yaml"
    path.write_text(examples("matrix.yaml")[0], encoding="utf-8")
    scenarios = ("bug-fix/lost-updates", "bug-fix/other", "update-deps/one")
    file = load_matrix(path, scenarios, ("oracle", "claude-code", "codex"))
    tiers = dict.fromkeys(scenarios, ("L0", "L1", "L2"))
    points = points_of(file, tiers, lambda agent: agent != "oracle")
    assert (len(points), {p.terms.max_cost for p in points}) == (34, {1.0, 2.5})


def test_the_first_scenario_needs_no_note(project: Callable[[str], Project]) -> None:
    oracle = examples("oracle-answers.json")[1]
    made = project(examples("scenario.yaml")[0])
    assert made.write({"hidden/test_a.py": "", "oracle-answers.json": oracle}).load().notes == ()


def test_the_script_loads_and_plays_what_fits(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(examples("script")[0], encoding="utf-8")
    script = load_script(path)
    fits = [p for p in script.plays if p.fits(specialist=True, iteration=3)]
    assert [call.tool for call in fits[0].calls] == ["list_directory"]


def test_the_template_loads(tmp_path: Path) -> None:
    path = tmp_path / "a.json5"
    path.write_text(examples("template")[0], encoding="utf-8")
    assert load_template(path).prompts.default[0] == ("spawnerPrompt", "You are {{name}}.")


def test_the_snapshot_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json5"
    path.write_text(examples("snapshot")[0], encoding="utf-8")
    document = read_document(path).value
    assert isinstance(document, dict)
    check_snapshot(document)


def test_the_hidden_test_uses_what_grading_has() -> None:
    tree = ast.parse(examples("hidden/test_slots.py")[0])
    (imported,) = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    inside = ROOT / "harness" / "sandbox" / "inside" / "grading.py"
    defined = {getattr(node, "name", "") for node in ast.parse(inside.read_text("utf-8")).body}
    assert {alias.name for alias in imported.names} <= defined


@pytest.mark.parametrize("schema", [SCENARIO, ORACLE, POLICY, MATRIX, TEMPLATE, SNAPSHOT])
def test_every_field_of_a_schema_is_on_the_page(schema: str) -> None:
    text = (ROOT / "harness" / "load" / "schemas" / schema).read_text(encoding="utf-8")
    whole = json.loads(text)
    nested = [whole]
    if schema == SCENARIO:
        parts = whole["properties"]
        heuristics = parts["heuristic_checks"]["properties"]
        lists = [each["items"] for each in heuristics.values() if "items" in each]
        nested += [parts["evaluators"]["items"], parts["llm_judge"], *lists]
    if schema == MATRIX:
        nested.append(whole["properties"]["overrides"]["items"])
    if schema == POLICY:
        nested.append(whole["$defs"]["tier"])
    fields = {name for each in nested for name in each.get("properties", {})}
    missing = {name for name in fields if not re.search(rf"`[^`]*\b{re.escape(name)}\b", PAGE)}
    assert missing - {"$schema"} == set()


@pytest.mark.parametrize("name", [*KINDS, *PATTERNS])
def test_every_evaluator_and_command_name_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).is_file()
