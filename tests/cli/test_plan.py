"""`bench plan`: cells and power, before anything runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness import wiring
from harness.domain.application import Wearing
from harness.domain.ids import BatchId
from harness.testing.store import MemoryStore
from tests.cli.conftest import Cli
from tests.report.records import a_task, runs_of

TEMPLATE = """{
  name: "@acme/careful", displayName: "Careful", version: "1.0.0", schema_version: "0.0.1",
  persona: { purpose: "Looks twice.", values: ["care"], attributes: ["slow"], tech_stack: ["x"] },
  capabilities: { tags: ["care"], descriptions: { care: "Looks twice." } },
  dependencies: {}, documentation: [], preferred_models: [],
  prompts: { default: { spawnerPrompt: "You look twice." } },
}
"""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    made = MemoryStore()
    monkeypatch.setattr(wiring, "open_store", lambda _settings: made)
    return made


def test_the_cells_of_a_plan_are_listed_with_their_runs(cli: Cli) -> None:
    shown = cli("plan", "sample", "greet", "--iterations", "3").stdout

    assert "sample/greet  L1    echo      3" in shown
    assert "3 runs: 1 cell × 3 iterations" in shown
    assert "Detectable" not in shown


def test_nothing_is_stored_and_no_engine_is_asked(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("open_store", "open_engine", "open_tools"):
        monkeypatch.delattr(wiring, name)

    assert cli("plan", "sample", "greet", "--power").exit_code == 0


def test_no_model_is_asked_to_choose_a_specialist_s_words(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "templates").mkdir(exist_ok=True)
    (project / "templates" / "careful.json5").write_text(TEMPLATE)
    seen = []

    def chooser(_settings: object, wearing: Wearing, _purses: object) -> None:
        seen.append(wearing.chooser)

    monkeypatch.setattr(wiring, "chooser_of", chooser)
    worn = ["--specialist", "@acme/careful", "--compose-with", "openai:some-model"]

    result = cli("plan", "sample", "greet", "--with-baseline", *worn)

    assert result.exit_code == 0, result.stderr
    assert "echo + careful@1.0.0" in result.stdout
    assert seen == [None]


def test_power_says_what_it_assumes_and_what_it_takes(cli: Cli) -> None:
    shown = cli("plan", "sample", "greet", "--power", "--difference", "0.1").stdout

    assert "runs 0.20, scenarios 0.08 (assumed)" in shown
    assert "nothing beyond these scenarios: that takes 6 or more" in shown
    assert "more iterations would not help" in shown
    assert "more scenarios" in shown
    assert "the spreads are assumed; --from BATCH learns them from runs" in shown


def test_a_pilot_batch_takes_the_place_of_assumptions_and_gives_prices(
    cli: Cli, store: MemoryStore
) -> None:
    for run in runs_of(a_task(), 0.2, 0.4, 0.6, batch="pilot"):
        store.save(replace(run, batch=BatchId("pilot")))

    shown = cli("plan", "sample", "greet", "--power", "--iterations", "4", "--from", "pilot").stdout

    assert "4 runs: 1 cell × 4 iterations, about $1.0000" in shown
    assert "runs: batch pilot; scenarios: assumed" in shown
    assert "the spreads are assumed;" not in shown


def test_a_pilot_of_scripts_is_said_to_be_one(cli: Cli, store: MemoryStore) -> None:
    for run in runs_of(a_task(), 0.2, 0.4, 0.6, batch="pilot"):
        store.save(replace(run, batch=BatchId("pilot"), simulated=True))

    shown = cli("plan", "sample", "greet", "--power", "--from", "pilot").stdout

    assert "simulated agents played in the batch" in shown


def test_the_plan_as_json(cli: Cli) -> None:
    found = json.loads(cli("plan", "sample", "greet", "--power", "--json").stdout)

    assert (found["runs"], found["iterations"], len(found["cells"])) == (1, 1, 1)
    power = found["power"]
    assert (power["spreads"], power["scenarios"]) == ("assumed", 1)
    assert power["minimum_detectable_effect"] is None
    assert [way["way"] for way in power["ways"]] == ["planned", "more scenarios"]
    assert power["ways"][1]["scenarios"] == power["scenarios_needed"]


@pytest.mark.parametrize("wanted", ["0", "1.5", "nan"])
def test_a_difference_that_scores_cannot_have_is_refused(cli: Cli, wanted: str) -> None:
    result = cli("plan", "sample", "greet", "--power", "--difference", wanted)

    assert result.exit_code == 2
    assert "scores go from 0 to 1" in result.stderr


def test_a_slip_of_the_pen_names_what_was_meant(cli: Cli) -> None:
    assert "did you mean the command 'judge'" in cli("plan", "judg", "greet").stderr
    assert "give the scenario 'greet' or --all-scenarios" in (
        cli("plan", "sample", "greet", "--all-scenarios").stderr
    )
    assert "name one scenario of 'sample'" in cli("plan", "sample").stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "pilot"], "--from goes with --power, which is missing"),
        (["--difference", "0.1"], "--difference goes with --power"),
        (["--from", "b", "--difference", "0.1"], "--difference and --from go with --power"),
    ],
)
def test_what_only_power_uses_is_refused_without_it(
    cli: Cli, options: list[str], said: str
) -> None:
    result = cli("plan", "sample", "greet", *options)

    assert (result.exit_code, said in result.stderr) == (2, True)


def test_copies_of_a_scenario_are_one_in_the_plan_and_it_says_so(cli: Cli) -> None:
    cli("new", "scenario", "sample", "greet-again")

    shown = cli("plan", "sample", "--all-scenarios", "--power").stdout
    power = json.loads(cli("plan", "sample", "--all-scenarios", "--power", "--json").stdout)[
        "power"
    ]

    assert "1 scenario × 2 cells" in shown
    assert "note: sample/greet, sample/greet-again have the same fixture and count as one" in shown
    assert power["same_fixture"] == [["sample/greet", "sample/greet-again"]]
    assert power["minimum_detectable_effect"] is None


def test_the_document_has_no_number_where_the_text_has_none(cli: Cli, project: Path) -> None:
    cli("new", "scenario", "sample", "other")
    fixture = project / "suites" / "sample" / "scenarios" / "other" / "repo-fixture"
    (fixture / "more.txt").write_text("another project\n")

    shown = cli("plan", "sample", "--all-scenarios", "--power").stdout
    power = json.loads(cli("plan", "sample", "--all-scenarios", "--power", "--json").stdout)[
        "power"
    ]

    assert "nothing beyond these scenarios: that takes 6 or more" in shown
    assert power["scenarios"] == 2
    assert power["minimum_detectable_effect"] is power["chance_of_wanted"] is None
