"""What judges and people said, and what could not be graded, in every view of a run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness import wiring
from harness.domain.digests import text_digest
from harness.domain.judgement import Judgement, Mark
from harness.domain.model import ModelUse, Usage
from harness.domain.record import CheckResult, RunRecord
from harness.domain.scenario import Level
from harness.testing.store import MemoryArtifacts, MemoryStore, a_review
from tests.cli.conftest import Cli
from tests.report.records import a_run, a_task

CRASHED = CheckResult("lint", "lint", None, 0.1, reason="it broke down", crashed=True)
PANEL = Judgement(
    by=("anthropic:one", "openai:two"),
    is_human=False,
    rubric=text_digest("rubric"),
    score=0.6875,
    marks=(
        Mark("Correctness", 0.6, 3.5, 2.0, (3.0, 5.0), "half\x1b[2J right", (), ("x = 1\x1b[2J",)),
        Mark("Style", 0.2, 4.0, 0.0, (4.0, 4.0)),
    ),
    disputed=True,
    note="the judges disagree",
    use=ModelUse(Usage(1200, 300), 0.03, 2),
)
JUDGED = CheckResult("llm_judge", "llm_judge", 0.6875, 0.3, judgement=PANEL, use=PANEL.use)
TESTS = CheckResult("test", "test", 0.8, 0.6, required=True, threshold=0.7, level=Level.B)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    made = MemoryStore()
    monkeypatch.setattr(wiring, "open_store", lambda _settings: made)
    return made


@pytest.fixture
def run(store: MemoryStore) -> RunRecord:
    made = a_run(0.72, checks=(TESTS, CRASHED, JUDGED), passed=False)
    store.save(made)
    return made


def row(text: str, first: str) -> str:
    """The line that begins so, its spaces made single."""
    return next(" ".join(s.split()) for s in text.splitlines() if s.split()[:1] == [first])


def test_each_check_stands_with_its_level_and_what_it_has_to_reach(
    cli: Cli, run: RunRecord
) -> None:
    shown = cli("show", run.id).stdout
    assert row(shown, "test") == "test 0.80 / 1.00 ⚠ weight 0.6, required, needs 0.7, level B"
    assert row(shown, "lint") == "lint – / 1.00 – weight 0.1, broke down"
    assert row(shown, "Total").endswith("FAIL threshold 0.7, partly graded")


def test_a_judgement_is_shown_category_by_category_with_its_spread(
    cli: Cli, run: RunRecord
) -> None:
    shown = cli("show", run.id).stdout
    assert "Judged (llm_judge) by anthropic:one, openai:two: 0.69" in shown
    assert row(shown, "Correctness") == "Correctness 75% 3.5 2 3, 5"
    assert row(shown, "Style") == "Style 25% 4 0 4, 4"
    assert "for a person to look at" in row(shown, "llm_judge")
    assert "1 quotation is not in the work: “x = 1\\x1b[2J”" in shown
    assert "half\\x1b[2J right" in shown
    assert "\x1b" not in shown


def test_judges_cost_apart_from_the_agent(cli: Cli, run: RunRecord) -> None:
    shown = cli("show", run.id).stdout
    assert row(shown, "Cost") == "Cost $0.2500"
    said = "Judges 2 requests, 1,200 input, 300 output, $0.0300; no part of the cost"
    assert row(shown, "Judges") == said
    summary = json.loads(cli("batch", "b", "--json").stdout)["batch"]
    assert (summary["cost_usd"], summary["judging"]["cost_usd"]) == (0.25, 0.03)
    assert "Judges used: 2 requests" in cli("batch", "b").stdout


def test_judges_that_gave_no_verdict_were_paid_all_the_same(cli: Cli, store: MemoryStore) -> None:
    failed = CheckResult("llm_judge", "llm_judge", None, 0.3, reason="refused", use=PANEL.use)
    store.save(a_run(0.8, checks=(TESTS, failed)))
    assert "$0.0300; no part of the cost" in row(cli("show", "last").stdout, "Judges")


def test_the_json_of_a_run_has_all_of_it(cli: Cli, run: RunRecord) -> None:
    found = json.loads(cli("show", run.id, "--json").stdout)
    assert found["partly_graded"] is True
    tests, lint, judged = found["checks"]
    assert (tests["level"], tests["threshold"], tests["judgement"]) == ("B", 0.7, None)
    assert (lint["score"], lint["crashed"]) == (None, True)
    assert judged["judgement"]["disputed"] is True
    assert judged["judgement"]["marks"][0]["spread"] == 2
    assert judged["judgement"]["marks"][0]["unfounded"] == ["x = 1\x1b[2J"]
    assert found["judging"]["requests"] == judged["judging"]["requests"] == 2
    assert found["reviews"] == []


def test_what_was_said_later_stands_beside_the_run_s_own(
    cli: Cli, run: RunRecord, store: MemoryStore
) -> None:
    store.save_review(a_review(run.id, "ann"))
    store.save_review(a_review(a_run_of(store).id, "bob"))
    shown = cli("show", run.id).stdout
    assert "by ann, a person: 0.88" in shown
    assert "bob" not in shown
    by_run = {
        each["run_id"]: [review["by"] for review in each["reviews"]]
        for each in json.loads(cli("batch", "b", "--json").stdout)["runs"]
    }
    assert sorted(by_run.values()) == [[["ann"]], [["bob"]]]


def a_run_of(store: MemoryStore) -> RunRecord:
    other = a_run(1.0)
    store.save(other)
    return other


def test_a_partly_graded_run_is_marked_and_counted_in_its_batch(
    cli: Cli, run: RunRecord, store: MemoryStore
) -> None:
    store.save(a_run(1.0))
    shown = cli("batch", "b").stdout
    assert "1 run partly graded: an evaluator broke down" in shown
    assert "FAIL partly graded" in row(shown, run.id)
    assert shown.count("partly graded") == 2
    assert json.loads(cli("batch", "b", "--json").stdout)["batch"]["partly_graded"] == 1


def test_a_comparison_says_which_side_is_partly_graded(
    cli: Cli, run: RunRecord, store: MemoryStore
) -> None:
    store.save(replace(a_run(1.0, a_task(), batch="whole"), checks=(TESTS,)))
    shown = cli("compare", "b", "whole").stdout
    assert f"A: 1 run partly graded: core/{run.cell.scenario} L1" in shown
    assert "B: " not in shown


def test_a_category_in_brackets_is_text_and_no_markup(cli: Cli, store: MemoryStore) -> None:
    mark = Mark("[/] [red]Style", 1.0, 4.0)
    judged = replace(JUDGED, judgement=replace(PANEL, marks=(mark,)))
    store.save(a_run(0.72, checks=(judged,)))
    result = cli("show", "last")
    assert result.exit_code == 0
    assert "[/] [red]Style" in result.stdout


def test_every_piece_that_was_kept_is_shown_by_its_name(
    cli: Cli, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = MemoryArtifacts()
    monkeypatch.setattr(wiring, "open_artifacts", lambda _settings: kept)
    names = ("judge-prompt.json", "judge-replies.json")
    judged = replace(JUDGED, artifacts=tuple(kept.put(name, name.encode()) for name in names))
    broken = replace(CRASHED, artifacts=(kept.put("lint.traceback", b"ZeroDivisionError"),))
    run = a_run(0.72, checks=(broken, judged))
    store.save(run)
    for name, text in (
        ("lint", "ZeroDivisionError"),
        ("lint.traceback", "ZeroDivisionError"),
        ("llm_judge", "judge-prompt.json"),
        ("judge-replies.json", "judge-replies.json"),
    ):
        assert cli("show", run.id, "--output", name).stdout.strip() == text
    missing = cli("show", run.id, "--output", "lnt")
    assert "kept no output called 'lnt'; did you mean 'lint'?" in missing.stderr
