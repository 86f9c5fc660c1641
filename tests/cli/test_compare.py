"""`bench compare`: the claim, the numbers, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness import wiring
from harness.domain.digests import text_digest
from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.testing.store import MemoryStore
from tests.cli.conftest import Cli
from tests.report.records import DEBUGGER, a_task, runs_of, scenarios


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    made = MemoryStore()
    monkeypatch.setattr(wiring, "open_store", lambda _settings: made)
    return made


def save(store: MemoryStore, batch: str, runs: list[RunRecord]) -> None:
    for run in runs:
        store.save(replace(run, batch=BatchId(batch)))


@pytest.fixture
def both(store: MemoryStore) -> None:
    """A batch with a baseline and a specialist that helps in each of eight scenarios."""
    save(store, "both", scenarios([0.4, 0.5], [0.6, 0.7]))


@pytest.mark.usefixtures("both")
def test_a_batch_alone_compares_its_specialist_with_its_baseline(cli: Cli) -> None:
    shown = cli("compare", "both").stdout

    assert "both: @acme/debugger@1.0.0 against the baseline" in shown
    assert "The specialist improves the score by 0.21 to 0.26 on these 8 scenarios" in shown
    assert "Without" in shown
    assert "core/s7" in shown


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("ref", ["@acme/debugger", "@acme/debugger@1.0.0"])
def test_the_specialist_can_be_named(cli: Cli, ref: str) -> None:
    assert "improves the score" in cli("compare", "both", "--specialist", ref).stdout


@pytest.mark.parametrize(
    ("refs", "options", "said"),
    [
        ([], [], "no specialist worked in b"),
        (["@acme/one", "@acme/two"], [], "several specialists worked in b"),
        (["@acme/one"], ["--specialist", "@acme/onee"], "did you mean '@acme/one@1.0.0'"),
    ],
)
def test_a_batch_alone_needs_one_specialist(
    cli: Cli, store: MemoryStore, refs: list[str], options: list[str], said: str
) -> None:
    save(store, "b", runs_of(a_task(), 0.5))
    for ref in refs:
        save(store, "b", runs_of(a_task(specialist=replace(DEBUGGER, name=ref)), 0.5))

    result = cli("compare", "b", *options)

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_specialist_is_not_chosen_between_two_batches(cli: Cli, store: MemoryStore) -> None:
    save(store, "x", runs_of(a_task(), 0.5))
    result = cli("compare", "x", "x", "--specialist", "@acme/debugger")
    assert (result.exit_code, "goes with a single batch" in result.stderr) == (2, True)


@pytest.mark.usefixtures("both")
def test_parts_are_listed_as_asked(cli: Cli) -> None:
    shown = cli("compare", "both", "--by", "check").stdout
    assert "Check " in shown
    assert "\nTier " not in shown
    every = cli("compare", "both", "--by", "all").stdout
    assert "95%, this one" in every
    assert "\nTier " in every


@pytest.mark.usefixtures("both")
def test_the_document_has_the_report_beside_the_rows(cli: Cli) -> None:
    found = json.loads(cli("compare", "both", "--json").stdout)

    assert (found["a"], found["b"], len(found["rows"])) == ("both", "both", 8)
    assert found["report"]["claims"][0]["verdict"] == "better"
    assert found["report"]["overall"][0]["difference"] == pytest.approx(0.235)


def changed(store: MemoryStore) -> None:
    runs = scenarios([0.4, 0.5], [0.6, 0.7], 9)
    save(store, "before", [run for run in runs if not run.cell.specialist])
    after = [run for run in runs if run.cell.specialist]
    new = text_digest("new")
    save(store, "after", [
        replace(run, task_digest=new) if run.cell.scenario == "s3" else run for run in after
    ])  # fmt: skip


def test_changed_scenarios_are_refused_with_the_list(cli: Cli, store: MemoryStore) -> None:
    changed(store)

    result = cli("compare", "before", "after")

    assert result.exit_code == 2
    assert "1 task changed between the runs" in result.stderr
    assert "core/s3 L1 tool-loop acme:one: A " in result.stderr
    assert "compare the rest with --leave-changed-out" in result.stderr


def test_the_rest_can_be_compared_without_them(cli: Cli, store: MemoryStore) -> None:
    changed(store)

    shown = cli("compare", "before", "after", "--leave-changed-out").stdout

    assert "B improves the score" in shown
    assert "on these 8 scenarios" in shown
    assert "not compared (A): core/s3 L1" in shown
    assert "the task was changed between its runs" in shown


@pytest.mark.usefixtures("both")
def test_a_declared_question_has_its_own_sentence(cli: Cli) -> None:
    shown = cli("compare", "both", "--declare", "score", "--declare", "tier L1").stdout

    assert "improves the score by" in shown
    assert "improves the score in tier 'L1' by" in shown


@pytest.mark.usefixtures("both")
def test_no_line_is_wider_than_a_terminal_and_none_ends_with_a_space(cli: Cli) -> None:
    lines = cli("compare", "both", "--by", "all").stdout.splitlines()

    assert max(map(len, lines)) <= 120
    assert not [line for line in lines if line.endswith(" ")]


def test_what_is_left_out_is_in_no_row_and_no_difference(cli: Cli, store: MemoryStore) -> None:
    changed(store)
    options = ("compare", "before", "after", "--leave-changed-out")

    shown = cli(*options).stdout
    rows = json.loads(cli(*options, "--json").stdout)["rows"]

    assert "2 cells in no number: the task was changed between its runs" in shown
    assert "counterpart" not in shown
    assert [line for line in shown.splitlines() if "core/s3" in line] == [
        line for line in shown.splitlines() if line.startswith("not compared")
    ]
    assert "s3" not in {row["a"]["scenario"] for row in rows}
    assert len(rows) == 8


def test_what_holds_for_every_question_is_said_once(cli: Cli, store: MemoryStore) -> None:
    save(store, "b", [replace(run, simulated=True) for run in scenarios([0.4, 0.5], [0.6, 0.7])])
    asked = [word for name in ("score", "success", "seconds") for word in ("--declare", name)]

    shown = cli("compare", "b", *asked).stdout

    assert shown.count("Nothing may be claimed") == 1
    assert len(json.loads(cli("compare", "b", *asked, "--json").stdout)["report"]["claims"]) == 3


@pytest.mark.usefixtures("both")
def test_one_worker_is_named_once_and_several_in_their_rows(cli: Cli, store: MemoryStore) -> None:
    assert cli("compare", "both").stdout.count("acme:one") == 1

    for worn in (None, DEBUGGER):
        save(store, "both", runs_of(a_task("s0", model="acme:two", specialist=worn), 0.5, 0.6))
    shown = cli("compare", "both").stdout

    assert (shown.count("acme:one"), shown.count("acme:two")) == (8, 1)


def test_where_nothing_varied_no_interval_is_shown(cli: Cli, store: MemoryStore) -> None:
    for n in range(8):
        for worn in (None, DEBUGGER):
            save(store, "b", runs_of(a_task(f"s{n}", specialist=worn), 0.5, 0.5))

    shown = cli("compare", "b", "--by", "all").stdout

    assert "no difference was seen" in shown
    assert "no spread" in shown
    assert "+0.00 to +0.00" not in shown
    assert "Bootstrap" not in shown
    assert "Detectable    not known: nothing varied" in shown
