from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest

from harness.cli.bench import COMMANDS
from harness.errors import SandboxFault
from harness.testing.builders import Fakes
from tests.cli.conftest import Cli


@pytest.mark.usefixtures("fakes")
def test_a_run_prints_scores_batch_and_telemetry_as_in_the_guide(cli: Cli) -> None:
    result = cli("sample", "greet", "--agent", "echo")
    assert result.exit_code in (0, 1)
    for word in ("Run", "Batch ID:", "Scores", "Total", "Telemetry", "Tool calls", "simulated"):
        assert word in result.stdout


@pytest.mark.usefixtures("fakes")
def test_json_is_the_batch_with_its_runs_and_nothing_else(cli: Cli) -> None:
    result = cli(
        "sample", "greet", "--agent", "oracle", "--iterations", "3", "--batch-id", "b", "--json"
    )
    document = json.loads(result.stdout)
    assert document["batch"]["batch_id"] == "b"
    assert [run["iteration"] for run in document["runs"]] == [1, 2, 3]
    assert {"suite", "scenario", "tier", "agent", "total_score", "checks"} <= set(
        document["runs"][0]
    )
    assert json.loads(cli("batch", "b", "--json").stdout) == document


@pytest.mark.usefixtures("fakes")
def test_a_batch_is_continued_with_further_iterations(cli: Cli) -> None:
    cli("sample", "greet", "--batch-id", "b", "--iterations", "2")
    cli("sample", "greet", "--batch-id", "b")
    runs = json.loads(cli("batch", "b", "--json").stdout)["runs"]
    assert [run["iteration"] for run in runs] == [1, 2, 3]


@pytest.mark.usefixtures("fakes")
def test_every_cell_runs_once_before_any_runs_twice(cli: Cli) -> None:
    cli("sample", "greet", "--tier", "L0,Lx", "--iterations", "2", "--batch-id", "b")
    runs = json.loads(cli("batch", "b", "--json").stdout)["runs"]
    assert [(r["tier"], r["iteration"]) for r in runs] == [
        ("L0", 1),
        ("Lx", 1),
        ("L0", 2),
        ("Lx", 2),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sampel", "greet"], "did you mean 'sample'"),
        (["sample", "great"], "did you mean 'greet'"),
        (["sample", "greet", "--tier", "L9"], "no tier 'L9'"),
        (["sample", "greet", "--agent", "ehco"], "did you mean 'echo'"),
        (["sample", "greet", "--agent", "scripted:x"], "no script 'x'"),
        (["sample", "greet", "--agent", "oracle:x"], "no wrong solution 'x'"),
        (["sample", "greet", "--batch-id", "a/b"], "batch id 'a/b' cannot be used"),
        (["sample", "greet", "--batch-id", "../b"], "batch id '../b' cannot be used"),
        (["sample", "greet", "--iterations", "0"], "iterations is 0"),
        (["sample"], "name one scenario of 'sample'"),
        (["sample", "greet", "--all-scenarios"], "not both"),
        (["sample", "greet", "--specialist", "@no/body"], "@no/body"),
        (["sample", "greet", "--nope"], "No such option"),
        (["show", "run_nope"], "run_nope"),
        (["batch", "nope"], "nope"),
        (["new", "suite", "Bad Name"], "'Bad Name' is no name"),
        (["new", "scenario", "sample", "greet"], "exists"),
        (["new", "scenario", "nope", "x"], "no suite 'nope'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
@pytest.mark.usefixtures("fakes")
def test_a_wrong_word_is_named_with_the_nearest_right_one(
    cli: Cli, project: Path, arguments: list[str], said: str
) -> None:
    before = sorted(project.rglob("*"))
    result = cli(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not result.stdout
    assert sorted(project.rglob("*")) == before


@pytest.mark.usefixtures("fakes")
def test_a_tier_without_a_prompt_lists_those_that_have_one(cli: Cli, project: Path) -> None:
    (project / "suites/sample/prompts/greet/L3-migration.md").unlink()
    result = cli("sample", "greet", "--tier", "L3")
    assert result.exit_code == 2
    assert "L0, L1, L2, Lx" in result.stderr


def test_an_unfinished_batch_is_resumed_by_what_it_misses(cli: Cli, fakes: Fakes) -> None:
    cli("sample", "greet", "--batch-id", "b", "--iterations", "3")
    lost = fakes.store.runs()[0]
    fakes.store._runs.pop(lost.id)
    assert "unfinished" in cli("batch", "b").stdout
    assert cli("resume", "b").exit_code in (0, 1)
    runs = json.loads(cli("batch", "b", "--json").stdout)["runs"]
    assert sorted(run["iteration"] for run in runs) == [1, 2, 3]
    assert "nothing is missing" in cli("resume", "b").stdout


def test_a_scenario_that_changed_since_is_not_resumed(
    cli: Cli, fakes: Fakes, project: Path
) -> None:
    cli("sample", "greet", "--batch-id", "b")
    fakes.store._runs.clear()
    (project / "suites/sample/scenarios/greet/repo-fixture/README.md").write_text("other")
    result = cli("resume", "b")
    assert result.exit_code == 2
    assert "files have changed" in result.stderr


@pytest.mark.usefixtures("fakes")
def test_scenarios_are_listed_with_their_tiers(cli: Cli) -> None:
    assert "greet" in cli("list").stdout
    (row,) = json.loads(cli("list", "--json").stdout)["scenarios"]
    assert (row["suite"], row["scenario"]) == ("sample", "greet")
    assert row["tiers"] == ["L0", "L1", "L2", "L3", "Lx"]


def test_what_bench_new_writes_validates(cli: Cli) -> None:
    document = json.loads(cli("validate", "--all", "--json").stdout)
    (found,) = document["scenarios"]
    assert found["ok"] is True
    assert found["errors"] == []


def test_a_broken_scenario_fails_validation_and_nothing_else(cli: Cli, project: Path) -> None:
    path = project / "suites/sample/scenarios/greet/scenario.yaml"
    path.write_text(path.read_text().replace("threshold: 0.9", "treshold: 0.9"))
    result = cli("validate", "sample", "greet", "--json")
    assert result.exit_code == 2
    (found,) = json.loads(result.stdout)["scenarios"]
    assert "threshold" in found["errors"][0]
    assert "not valid" in cli("list").stdout


def test_two_batches_are_compared_task_by_task(cli: Cli, fakes: Fakes) -> None:
    cli("sample", "greet", "--agent", "echo", "--batch-id", "a")
    cli("sample", "greet", "--agent", "oracle", "--batch-id", "b")
    assert "sample/greet" in cli("compare", "a", "b").stdout
    document = json.loads(cli("compare", "a", "b", "--json").stdout)
    assert [row["a"]["agent"] for row in document["rows"]] == ["echo"]
    ids = [run.id for run in fakes.store.runs()]
    assert "sample/greet" in cli("compare", *ids).stdout


def test_help_names_every_command_and_shows_examples(cli: Cli) -> None:
    result = cli("--help")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in COMMANDS)
    assert "Examples:" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(cli: Cli, name: str) -> None:
    result = cli(name, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_jobs_are_a_number_or_auto_and_a_time_and_a_room_are_such(cli: Cli, fakes: Fakes) -> None:
    done = cli("sample", "greet", "--agent", "oracle", "--iterations", "5", "--jobs", "auto")
    assert done.exit_code == 1
    assert len(fakes.store.runs()) == 5
    for option, value in (
        ("--jobs", "0"),
        ("--jobs", "many"),
        ("--max-batch-time", "soon"),
        ("--min-free-disk", "5 lightyears"),
    ):
        refused = cli("sample", "greet", option, value)
        assert refused.exit_code == 2
        assert value in refused.stderr


def test_a_batch_without_time_or_room_begins_no_run_and_says_how_to_go_on(
    cli: Cli, fakes: Fakes
) -> None:
    for number, (option, value) in enumerate(
        [("--max-batch-time", "0s"), ("--min-free-disk", "999999GiB")]
    ):
        stopped = cli("sample", "greet", option, value, "--batch-id", f"b{number}")
        assert stopped.exit_code == 3
        assert f"bench resume b{number}" in stopped.stderr
    assert not fakes.store.runs()


def test_a_run_that_was_made_again_counts_as_it_was_at_last(
    cli: Cli, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare, calls = fakes.tools.images.prepare, count()

    def once_away(*given: object) -> object:
        if next(calls) == 0:
            raise SandboxFault("the engine is away")
        return prepare(*given)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(
        type(fakes.tools.images), "prepare", lambda _self, *given: once_away(*given)
    )
    done = cli("sample", "greet", "--agent", "oracle", "--retries", "1")
    # it did not pass, and nothing faulted at last
    assert done.exit_code == 1
    assert [run.fault is None for run in fakes.store.runs()] == [True, False]
