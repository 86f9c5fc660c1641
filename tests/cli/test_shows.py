"""`bench show`, `batch`, `compare` and `mint` over stored runs: no agent, no engine."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import harness.report
from harness import wiring
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.domain.session import Entry, Role
from harness.store.artifacts import FileArtifacts
from harness.store.base import Wanted
from harness.store.transcripts import keep
from harness.testing.store import NOON, MemoryStore
from tests.cli.conftest import Cli
from tests.report.records import a_run, a_session, a_task

SAID = (
    Entry(Role.USER, "Mend it.", 0.0),
    Entry(Role.TOOL_CALL, '{"path": "a"}', 1.0, tool="read_file"),
    Entry(Role.TOOL_RESULT, "gone\x1b[2J \udcff", 1.5, tool="read_file", is_error=True),
)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    made = MemoryStore()
    monkeypatch.setattr(wiring, "open_store", lambda _settings: made)
    return made


@pytest.fixture
def kept(store: MemoryStore, project: Path) -> RunRecord:
    """A run whose transcript is an artefact of the project."""
    log = keep(SAID, FileArtifacts(project / "results").put)
    run = a_run(0.75, session=replace(a_session(), log=log))
    store.save(run)
    return run


@pytest.mark.usefixtures("kept")
def test_a_kept_transcript_is_shown_with_its_control_characters_made_visible(cli: Cli) -> None:
    shown = cli("show", "last", "--transcript").stdout
    for words in ("Mend it.", "read_file", "path  a", "✗ gone\\x1b[2J \\udcff", "took 0.5s"):
        assert words in shown
    assert "\x1b" not in shown
    assert not [line for line in shown.split("\n") if line.endswith(" ")]


def test_the_transcript_as_json_is_its_entries(cli: Cli, kept: RunRecord) -> None:
    document = json.loads(cli("show", "last", "--transcript", "--json").stdout)
    assert document["run_id"] == kept.id
    assert [row["text"] for row in document["transcript"]] == [entry.text for entry in SAID]
    assert [row["role"] for row in document["transcript"]] == ["user", "tool_call", "tool_result"]


def test_a_transcript_inside_an_old_record_is_shown_too(cli: Cli, store: MemoryStore) -> None:
    store.save(a_run(0.75, session=replace(a_session(), transcript=SAID)))
    assert "Mend it." in cli("show", "last", "--transcript").stdout


def test_a_run_without_a_session_has_an_empty_transcript(cli: Cli, store: MemoryStore) -> None:
    store.save(a_run(None, fault=Cause.SANDBOX, session=None))
    assert "no agent worked" in cli("show", "last", "--transcript").stdout
    assert json.loads(cli("show", "last", "--transcript", "--json").stdout)["transcript"] == []


def test_a_damaged_transcript_is_a_fault_and_the_rest_of_the_run_is_shown(
    cli: Cli, kept: RunRecord, project: Path
) -> None:
    assert kept.session
    assert kept.session.log
    digest = kept.session.log.digest
    path = project / "results/artifacts" / digest[:2] / digest[2:]
    path.write_bytes(zlib.compress(b"other"))
    result = cli("show", "last", "--transcript")
    assert result.exit_code == 3
    assert "no longer what was kept" in result.stderr
    assert cli("show", "last").exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--diff", "--tests"], "--diff and --tests exclude each other"),
        (["--diff", "--transcript"], "--diff and --transcript exclude each other"),
        (["--tests", "--output", "x"], "--tests and --output exclude each other"),
        (["--transcript", "--otel", "x"], "--transcript and --otel exclude each other"),
        (["--full"], "--full goes with --transcript"),
        (["--otel", "-", "--json"], "leave --json out"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("kept")
def test_options_that_exclude_each_other_are_refused(
    cli: Cli, options: list[str], said: str
) -> None:
    result = cli("show", "last", *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not result.stdout


@pytest.mark.usefixtures("kept")
def test_the_telemetry_of_a_run_is_in_its_panel(cli: Cli) -> None:
    shown = cli("show", "last").stdout
    assert "Tool calls  1: run_command 1" in shown
    assert "Changes     1 file, +2 -3" in shown


def test_spans_are_added_to_a_file_a_line_per_run(cli: Cli, kept: RunRecord, project: Path) -> None:
    target = project / "spans.jsonl"
    for _ in range(2):
        assert cli("show", "last", "--otel", str(target)).exit_code == 0
    first, second = target.read_text().splitlines()
    assert first == second
    assert kept.id in first
    assert "Mend it" not in first


def test_spans_go_to_standard_output_alone(cli: Cli, kept: RunRecord) -> None:
    assert kept.id in json.dumps(json.loads(cli("show", "last", "--otel", "-").stdout))


@pytest.mark.usefixtures("kept")
def test_the_collector_of_the_environment_has_to_be_one(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    result = cli("show", "last", "--otel", "env")
    assert result.exit_code == 2
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is ''" in result.stderr


@pytest.mark.usefixtures("kept")
def test_without_the_extra_it_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "harness.report.otel", None)
    monkeypatch.delattr(harness.report, "otel", raising=False)
    result = cli("show", "last", "--otel", "-")
    assert result.exit_code == 2
    assert "pip install 'mintmark[otel]'" in result.stderr


def saved(store: MemoryStore, batch: str, *scores: float | None) -> None:
    runs = [a_run(score, a_task(), iteration=n, batch=batch) for n, score in enumerate(scores, 1)]
    wanted = Wanted(a_task(), len(scores), runs[0].spec_digest)
    store.plan(BatchId(batch), [wanted], NOON)
    for run in runs:
        store.save(run)


BATCH_COMMANDS: list[Callable[[str], list[str]]] = [
    lambda name: ["batch", name],
    lambda name: ["compare", name, "nightly"],
    lambda name: ["compare", "nightly", name],
]


@pytest.mark.parametrize("command", BATCH_COMMANDS, ids=lambda make: " ".join(make("B")))
@pytest.mark.parametrize("name", ["nig", "last", "nightly"])
def test_a_batch_is_named_by_its_beginning_or_as_the_last(
    cli: Cli, store: MemoryStore, command: Callable[[str], list[str]], name: str
) -> None:
    saved(store, "nightly", 0.5)
    result = cli(*command(name))
    assert result.exit_code == 0, result.stderr
    assert "nightly" in result.stdout


@pytest.mark.parametrize("command", BATCH_COMMANDS, ids=lambda make: " ".join(make("B")))
def test_a_beginning_of_two_batches_is_refused(
    cli: Cli, store: MemoryStore, command: Callable[[str], list[str]]
) -> None:
    saved(store, "nightly", 0.5)
    saved(store, "night", 0.5)
    result = cli(*command("nigh"))
    assert result.exit_code == 2
    assert "could be 'night', 'nightly'" in result.stderr


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("command", [["batch", "last"], ["compare", "last", "last"]])
def test_where_nothing_ran_there_is_no_last_batch(cli: Cli, command: list[str]) -> None:
    result = cli(*command)
    assert result.exit_code == 2
    assert "there are no batches yet" in result.stderr


def test_a_try_that_was_made_good_is_not_among_the_runs_without_a_score(
    cli: Cli, store: MemoryStore
) -> None:
    saved(store, "nightly", 0.5, 0.75)
    store.save(a_run(None, fault=Cause.PROVIDER, iteration=1, batch="nightly"))
    shown = cli("batch", "nightly").stdout
    assert "no score" not in shown
    assert "1 earlier try made good since" in shown


def test_a_run_without_a_score_is_counted_in_the_singular(cli: Cli, store: MemoryStore) -> None:
    saved(store, "nightly", 0.5)
    store.save(a_run(None, fault=Cause.PROVIDER, iteration=2, batch="nightly"))
    assert "1 of 2 runs has no score" in cli("batch", "nightly").stdout


def test_sessions_of_unknown_price_are_counted_beside_the_cost(
    cli: Cli, store: MemoryStore
) -> None:
    saved(store, "nightly", 0.5)
    free = a_session(cost_usd=None)
    store.save(a_run(0.5, a_task(), iteration=2, batch="nightly", session=free))
    shown = cli("batch", "nightly").stdout
    assert "Used: $0.2500, 1 session of unknown price" in shown
    assert "$0.2500+" in shown


@pytest.mark.usefixtures("fakes")
def test_the_guides_words_for_a_batch_are_understood(cli: Cli) -> None:
    cli("sample", "greet", "--batch-id", "b")
    assert cli("--batch-details", "b").stdout == cli("batch", "b").stdout
    assert cli("--batches").stdout == cli("batches").stdout
