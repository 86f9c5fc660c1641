"""`--matrix FILE`: the cells that are run, in which order, and what is refused before any is."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from harness import wiring
from harness.cli import resume as resuming
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.record import Fault
from harness.domain.scenario import Scenario
from harness.testing.builders import Fakes
from tests.cli.conftest import Cli

BATCH = BatchId("mine")
TEMPLATE = """{
  name: "@acme/careful", displayName: "Careful", version: "1.0.0", schema_version: "0.0.1",
  persona: { purpose: "Looks twice.", values: ["care"], attributes: ["slow"], tech_stack: ["x"] },
  capabilities: { tags: ["care"], descriptions: { care: "Looks twice." } },
  dependencies: {}, documentation: [], preferred_models: [],
  prompts: { default: { spawnerPrompt: "You look twice." } },
}
"""


@pytest.fixture
def template(project: Path) -> None:
    (project / "templates").mkdir()
    (project / "templates" / "careful.json5").write_text(TEMPLATE)


def matrix(project: Path, text: str) -> str:
    path = project / "matrix.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def cells(cli: Cli, path: str, *more: str) -> list[dict[str, object]]:
    result = cli("plan", *more, "--matrix", path, "--json")
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, object]] = json.loads(result.stdout)["cells"]
    return found


UNEVEN = """\
scenarios: sample/*
agents: [echo, oracle, oracle:no-stop]
iterations: 2
overrides: [{where: {agents: echo}, iterations: 3}, {where: {agents: oracle:*}, iterations: 1}]
"""
ORDER = [
    *(("echo", 1), ("oracle", 1), ("oracle:no-stop", 1)),
    *(("echo", 2), ("oracle", 2)),
    ("echo", 3),
]


def test_cells_are_run_iteration_by_iteration_each_as_often_as_it_is_asked_for(
    cli: Cli, project: Path, fakes: Fakes
) -> None:
    path = matrix(project, UNEVEN)

    result = cli("run", "--matrix", path, "--batch-id", "mine", "--json")

    assert result.exit_code in {0, 1}, result.stderr
    runs = fakes.store.runs(BATCH)
    assert [(run.cell.agent, run.iteration) for run in runs] == ORDER
    assert fakes.store.missing(BATCH) == ()


def test_a_second_command_counts_on(cli: Cli, project: Path, fakes: Fakes) -> None:
    path = matrix(project, UNEVEN)
    for _ in range(2):
        cli("run", "--matrix", path, "--batch-id", "mine", "--json")
    runs = [(run.cell.agent, run.iteration) for run in fakes.store.runs(BATCH)]
    often = {"echo": 3, "oracle": 2, "oracle:no-stop": 1}
    assert runs[len(ORDER) :] == [(agent, often[agent] + n) for agent, n in ORDER]


def test_what_is_missing_of_a_matrix_is_resumed_in_balance_and_with_its_settings(
    cli: Cli, project: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = matrix(project, f"{UNEVEN}defaults: {{max_turns: 7}}\n")
    save = fakes.store.save
    fault = Fault(Cause.SANDBOX, "work", "the engine is gone")
    monkeypatch.setattr(
        fakes.store,
        "save",
        lambda run: save(replace(run, fault=fault, checks=(), total_score=None, passed=False)),
    )
    cli("run", "--matrix", path, "--batch-id", "mine")
    monkeypatch.setattr(fakes.store, "save", save)

    assert cli("resume", "mine").exit_code in {0, 1}

    runs = fakes.store.runs(BATCH)[len(ORDER) :]
    assert [(run.cell.agent, run.iteration) for run in runs] == ORDER
    assert {run.budget.turns for run in runs} == {7}
    assert fakes.store.missing(BATCH) == ()


def test_a_resumed_batch_reads_each_scenario_once(
    cli: Cli, project: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = matrix(project, UNEVEN)
    save = fakes.store.save
    monkeypatch.setattr(fakes.store, "save", lambda _run: None)
    cli("run", "--matrix", path, "--batch-id", "mine")
    monkeypatch.setattr(fakes.store, "save", save)
    asked: list[str] = []
    load = resuming.load_scenario

    def spied(root: Path, suite: str, scenario: str, kinds: Collection[str]) -> Scenario:
        asked.append(scenario)
        return load(root, suite, scenario, kinds)

    monkeypatch.setattr(resuming, "load_scenario", spied)
    cli("resume", "mine")
    assert asked == ["greet"]


def test_settings_of_models_are_not_for_agents_without_one(
    cli: Cli, project: Path, fakes: Fakes
) -> None:
    path = matrix(project, "scenarios: '*/*'\nagents: echo\ndefaults: {temperature: 0, seed: 1}\n")
    assert cli("run", "--matrix", path, "--batch-id", "mine").exit_code == 1
    assert fakes.store.runs(BATCH)[0].settings.temperature is None


def test_a_run_of_a_matrix_is_the_run_of_a_command_line(
    cli: Cli, project: Path, fakes: Fakes
) -> None:
    path = matrix(project, "scenarios: sample/greet\nagents: oracle\n")
    cli("run", "--matrix", path, "--batch-id", "mine")
    cli("run", "sample", "greet", "--agent", "oracle", "--batch-id", "mine")
    assert len({run.spec_digest for run in fakes.store.runs(BATCH)}) == 1


def test_models_go_to_the_agents_that_want_one(cli: Cli, project: Path) -> None:
    text = """\
scenarios: sample/greet
agents: [oracle, claude-code, openai:gpt-5, {agent: codex, models: [gpt-5]}]
models: [claude-sonnet-4-5, claude-opus-4-1]
"""
    assert [(c["agent"], c["model"]) for c in cells(cli, matrix(project, text))] == [
        ("oracle", None),
        ("claude-code", "claude-sonnet-4-5"),
        ("claude-code", "claude-opus-4-1"),
        ("openai", "gpt-5"),
        ("codex", "gpt-5"),
    ]


@pytest.mark.usefixtures("template")
def test_specialists_are_an_axis_and_none_is_the_agent_alone(cli: Cli, project: Path) -> None:
    text = "scenarios: sample/greet\nagents: echo\nspecialists: [none, '@acme/careful']\n"
    found = [cell["specialist"] for cell in cells(cli, matrix(project, text))]
    assert found == [None, "@acme/careful@1.0.0"]


@pytest.mark.usefixtures("template")
def test_two_sides_with_different_settings_are_refused(cli: Cli, project: Path) -> None:
    text = """\
scenarios: sample/greet
agents: echo
specialists: [none, '@acme/careful']
overrides: [{where: {specialists: none}, max_turns: 3}]
"""
    result = cli("plan", "--matrix", matrix(project, text))
    assert result.exit_code == 2
    assert "the specialists none and @acme/careful@1.0.0 would work with different limits" in (
        result.stderr
    )


def test_what_an_agent_or_a_specialist_does_not_know_is_said_with_its_line_all_at_once(
    cli: Cli, project: Path
) -> None:
    text = """\
scenarios: sample/greet
agents:
  - openai
  - oracle:nostop
  - {agent: claude-code, models: [gpt-5@http://localhost:1/v1]}
specialists: [none, "@acme/absent"]
defaults: {reasoning_effort: lots}
"""
    result = cli("plan", "--matrix", matrix(project, text))
    assert result.exit_code == 2
    assert "/agents/0 (line 3): agent 'openai' needs a model, under 'models'" in result.stderr
    assert "/agents/1 (line 4): sample/greet has no wrong solution 'nostop';" in result.stderr
    assert "did you mean 'no-stop'?" in result.stderr
    assert "/agents/2/models/0 (line 5): " in result.stderr
    assert "/specialists/1 (line 6): no template '@acme/absent'" in result.stderr


def test_a_suite_or_a_scenario_takes_a_part_of_the_matrix(cli: Cli, project: Path) -> None:
    for arguments in (["suite", "other"], ["scenario", "other", "wave"]):
        assert cli("new", *arguments).exit_code == 0
    path = matrix(project, "scenarios: '*/*'\nagents: echo\n")
    assert len(cells(cli, path)) == 2
    assert [cell["scenario"] for cell in cells(cli, path, "other")] == ["wave"]
    assert [cell["scenario"] for cell in cells(cli, path, "sample", "greet")] == ["greet"]
    result = cli("plan", "smaple", "--matrix", path)
    assert result.exit_code == 2
    assert "matrix.yaml has no cell of 'smaple'; did you mean 'sample'?" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "home"),
    [
        ("--tier", "L0", "tiers"),
        ("--model", "gpt-5", "models"),
        ("--specialist", "@acme/careful", "specialists"),
        ("--max-cost", "1", "defaults"),
        ("--iterations", "1", "iterations"),
    ],
)
def test_an_option_that_the_file_says_for_itself_is_refused(
    cli: Cli, project: Path, option: str, value: str, home: str
) -> None:
    path = matrix(project, "scenarios: '*/*'\nagents: echo\n")
    result = cli("run", "--matrix", path, option, value)
    assert result.exit_code == 2
    assert f"{option} beside --matrix: say it in the file, under '{home}'" in result.stderr


def test_neither_a_suite_nor_a_matrix_is_refused(cli: Cli) -> None:
    result = cli("run", "--agent", "echo")
    assert result.exit_code == 2
    assert "name a suite, or give --matrix FILE" in result.stderr


def test_nothing_is_planned_of_a_matrix_that_is_wrong(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("open_store", "open_tools", "open_gateway"):
        monkeypatch.delattr(wiring, name)
    path = matrix(project, "scenarios: '*/*'\nagents: echo\nteirs: L1\n")
    result = cli("run", "--matrix", path, "--batch-id", "mine")
    assert result.exit_code == 2
    assert "/teirs (line 3): unknown key 'teirs'; did you mean 'tiers'?" in result.stderr


def test_the_matrix_that_new_writes_runs(cli: Cli, project: Path, fakes: Fakes) -> None:
    assert cli("new", "matrix", "sample").exit_code == 0
    path = str(project / "matrix.yaml")
    assert cli("run", "--matrix", path, "--batch-id", "mine").exit_code == 1
    assert [run.cell.agent for run in fakes.store.runs(BATCH)] == ["oracle", "echo"]
    again = cli("new", "matrix", "sample")
    assert (again.exit_code, "name another with --output" in again.stderr) == (2, True)


def test_what_new_writes_is_whole_when_its_comments_are_taken_away(cli: Cli, project: Path) -> None:
    cli("new", "matrix", "sample")
    path = project / "matrix.yaml"
    text = path.read_text().replace("sample/some-scenario", "sample/greet")
    parts = ("# exclude", "# include", "# overrides", "# models", "#   ", "#  - ")
    lines = [
        line[1 if line.startswith("#  - ") else 2 :]
        if line.startswith(parts) and "bench" not in line
        else line
        for line in text.splitlines()
    ]
    path.write_text("\n".join(lines).replace("tiers: [L0, Lx]", "tiers: [L1]"))
    assert [cell["agent"] for cell in cells(cli, str(path))] == [
        *("oracle", "claude-code", "codex", "oracle"),
    ]
