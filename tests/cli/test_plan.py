"""`bench plan`: cells and power, before anything runs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness import roster, wiring
from harness.agents.base import Agent
from harness.domain.application import Wearing
from harness.domain.ids import BatchId
from harness.domain.model import ModelUse, Usage
from harness.domain.session import Ending, Session
from harness.domain.spec import RunSpec
from harness.errors import SandboxFault
from harness.testing.sandbox import AN_ENGINE
from harness.testing.store import MemoryStore
from tests.cli.conftest import Cli
from tests.report.records import a_run, a_task, runs_of

TEMPLATE = """{
  name: "@acme/careful", displayName: "Careful", version: "1.0.0", schema_version: "0.0.1",
  persona: { purpose: "Looks twice.", values: ["care"], attributes: ["slow"], tech_stack: ["x"] },
  capabilities: { tags: ["care"], descriptions: { care: "Looks twice." } },
  dependencies: {}, documentation: [], preferred_models: [],
  prompts: { default: { spawnerPrompt: "You look twice." } },
}
"""


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "describe_engine", lambda _settings: AN_ENGINE)


@pytest.fixture
def store(project: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    made = MemoryStore()
    (project / "results").mkdir()
    monkeypatch.setattr(wiring, "open_store", lambda _settings: made)
    return made


def test_the_cells_of_a_plan_are_listed_with_their_runs(cli: Cli) -> None:
    shown = cli("plan", "sample", "greet", "--iterations", "3").stdout

    assert "sample/greet  L1    echo      3" in shown
    assert "3 runs: 1 cell × 3 iterations" in shown
    assert "Detectable" not in shown


def test_what_a_cell_needs_is_found_out_once_however_often_it_is_run(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = roster.make_agent, Counter[str]()

    def counted(spec: RunSpec) -> Agent:
        made[iterations] += 1
        return make(spec)

    monkeypatch.setattr(roster, "make_agent", counted)
    for iterations in ("1", "50"):
        cli("plan", "sample", "greet", "--iterations", iterations)
    assert made["50"] == made["1"]


def test_nothing_is_stored_and_a_missing_engine_is_only_said_to_be_missing(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("open_store", "open_tools"):
        monkeypatch.delattr(wiring, name)

    def absent(_settings: object) -> None:
        raise SandboxFault("no engine at unix:///nowhere")

    monkeypatch.setattr(wiring, "describe_engine", absent)

    result = cli("plan", "sample", "greet", "--power", "--jobs", "auto")

    assert result.exit_code == 0
    assert "missing: no engine at unix:///nowhere (1 run)" in result.stdout
    assert not (project / "results").exists()


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

    assert "planned                 1           4                 8    $2.0000" in shown
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
        (["--difference", "0.1"], "--difference goes with --power"),
        (["--from", "b", "--difference", "0.1"], "--difference goes with --power"),
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


GPT = ("sample", "greet", "--agent", "openai:gpt-5")
USE = ModelUse(Usage(900, 100), 0.5, 1, 1)


@pytest.fixture
def priced(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """A store with two runs of the cell, of half a dollar, a thousand tokens and a minute each."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-some-key-that-is-long")
    cell = replace(a_task("greet", agent="openai", model="gpt-5"), suite="sample")
    session = Session(Ending.FINISHED, 50.0, cost_usd=0.5, model_use=USE)
    for number in range(2):
        stages = (("prepare", 500.0), ("work", 50.0), ("wait", 99.0), ("evaluate", 10.0))
        run = a_run(0.5, cell, batch="old", session=session, stages_s=stages, iteration=number)
        store.save(run)
    return store


@pytest.mark.usefixtures("priced")
def test_what_is_estimated_rests_on_stored_runs_and_says_on_how_many(cli: Cli) -> None:
    shown = cli("plan", *GPT, "--iterations", "6", "--jobs", "2").stdout

    assert "$3.0000      1 min  2 of the cell" in shown
    assert "Cost    about $3.0000" in shown
    assert "Tokens  about 6,000" in shown
    assert "Time    about 3 min; with 2 jobs" in shown
    assert "missing" not in shown


@pytest.mark.usefixtures("priced")
def test_the_estimate_as_json(cli: Cli) -> None:
    found = json.loads(cli("plan", *GPT, "--iterations", "6", "--json").stdout)

    assert found["cost_usd"] == 3.0
    assert found["cells"][0]["rests_on"] == {"runs": 2, "of_the": "cell"}
    assert found["cells"][0]["each"]["seconds"] == 60
    estimate = found["estimate"]
    assert estimate["wall_s"] == {"value": 360, "runs": 6, "unknown_runs": 0}
    assert (estimate["missing"], estimate["exceeds"]) == ([], [])


def test_what_no_stored_run_says_is_not_known(cli: Cli, store: MemoryStore) -> None:
    store.save(a_run(0.5, batch="old"))

    result = cli("plan", *GPT, "--max-batch-cost", "0.01", "--json")

    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert found["cost_usd"] is None
    assert found["cells"][0]["each"] == dict.fromkeys(
        ("cost_usd", "tokens", "seconds", "kept_bytes")
    )
    assert found["estimate"]["cost_usd"] == {"value": None, "runs": 0, "unknown_runs": 1}


@pytest.mark.usefixtures("store")
def test_what_runs_would_miss_is_listed_with_how_many_would(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")

    shown = cli(
        "plan", *GPT, "--agent", "echo", "--iterations", "3", "--min-free-disk", "99999GB"
    ).stdout

    assert "missing: there is no git on PATH" in shown
    assert "and runs begin only while it has 93131.3 GiB (--min-free-disk) (6 runs)" in shown
    assert "missing: openai:gpt-5: no key for openai: set OPENAI_API_KEY" in shown
    assert shown.count("(3 runs)") == 1


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            ("--max-batch-cost", "2"),
            (
                "about $3.0000 is more than the $2.0000 that is the batch's budget:"
                " it pays for about 4 of 6 runs"
            ),
        ),
        (
            ("--max-batch-tokens", "2500"),
            (
                "about 6,000 tokens are more than the 2,500 that are the batch's budget:"
                " it pays for about 2 of 6 runs"
            ),
        ),
        (
            ("--max-batch-time", "5m"),
            "about 6 min with 1 job is more than the 5 min of --max-batch-time",
        ),
    ],
)
def test_a_plan_that_exceeds_what_it_may_use_says_so(
    cli: Cli, limit: tuple[str, str], said: str
) -> None:
    result = cli("plan", *GPT, "--iterations", "6", *limit)

    assert result.exit_code == 0
    assert f"note: {said}" in result.stdout


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (("--max-batch-cost", "0.49"), "a run costs about $0.5000, by runs that are stored, and"),
        (("--max-batch-tokens", "999"), "a run takes about 1,000 tokens, by runs that are stored"),
    ],
)
def test_a_budget_that_pays_for_no_run_at_all_is_refused(
    cli: Cli, limit: tuple[str, str], said: str
) -> None:
    result = cli("plan", *GPT, "--iterations", "6", *limit)

    assert result.exit_code == 2
    assert said in result.stderr
    assert f"give a larger {limit[0]}" in result.stderr
    assert "2 of the cell" in result.stdout


def test_one_s_own_limit_ends_a_run_before_its_estimate(cli: Cli, priced: MemoryStore) -> None:
    del priced
    found = json.loads(cli("plan", *GPT, "--max-cost", "0.2", "--json").stdout)
    assert found["cost_usd"] == pytest.approx(0.2)
