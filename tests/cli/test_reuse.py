"""`--reuse`: runs of other batches that are the same in everything stand for this one's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness import roster
from harness.cli.reusing import reusable
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.record import Fault, Origin, RunRecord
from harness.testing.builders import FakeAgent, Fakes, a_scenario, a_spec
from tests.cli.conftest import Cli
from tests.report.records import a_run

OLD, NEW = BatchId("old"), BatchId("new")
RUN = ("run", "sample", "greet", "--agent", "oracle", "--agent", "echo")


@pytest.fixture
def old(cli: Cli, fakes: Fakes, project: Path) -> Sequence[RunRecord]:
    """A batch of four runs."""
    (project / "results").mkdir()
    cli(*RUN, "--iterations", "2", "--batch-id", "old")
    runs = fakes.store.runs(OLD)
    assert len(runs) == 4
    return runs


def began(fakes: Fakes) -> int:
    """How many workspaces were opened until now: what is reused opens none."""
    return len(fakes.sandboxes.opened)


def test_what_another_batch_has_made_is_not_made_again(
    cli: Cli, fakes: Fakes, old: Sequence[RunRecord]
) -> None:
    before = began(fakes)

    result = cli(*RUN, "--iterations", "2", "--batch-id", "new", "--reuse")

    assert result.exit_code == 1
    assert began(fakes) == before
    runs = fakes.store.runs(NEW)
    assert [run.reused for run in runs] == [Origin(run.id, OLD) for run in old]
    assert [(r.cell, r.iteration, r.total_score) for r in runs] == [
        (r.cell, r.iteration, r.total_score) for r in old
    ]
    assert not {run.id for run in runs} & {run.id for run in old}
    assert fakes.store.missing(NEW) == ()
    assert "(reused from old)" in result.stderr
    assert "4 runs are reused from other batches: not paid for again" in result.stdout


@pytest.mark.usefixtures("old")
def test_nothing_is_reused_where_nobody_asked(cli: Cli, fakes: Fakes) -> None:
    cli(*RUN, "--batch-id", "new")
    assert [run.reused for run in fakes.store.runs(NEW)] == [None, None]


@pytest.mark.usefixtures("old")
def test_one_run_never_stands_for_two(cli: Cli, fakes: Fakes) -> None:
    cli(*RUN, "--iterations", "3", "--batch-id", "new", "--reuse")
    runs = fakes.store.runs(NEW)
    assert sorted((run.iteration, run.reused is None) for run in runs) == [
        *((1, False), (1, False), (2, False), (2, False), (3, True), (3, True)),
    ]
    origins = [run.reused.run for run in runs if run.reused]
    assert len(set(origins)) == len(origins)


def test_a_copy_of_a_copy_names_the_run_that_was_made(
    cli: Cli, fakes: Fakes, old: Sequence[RunRecord]
) -> None:
    for batch in ("new", "newer"):
        cli(*RUN, "--batch-id", batch, "--reuse")
    runs = fakes.store.runs(BatchId("newer"))
    assert {run.reused for run in runs} <= {Origin(run.id, OLD) for run in old}


@pytest.mark.usefixtures("old")
def test_what_has_changed_since_is_made_again(cli: Cli, fakes: Fakes, project: Path) -> None:
    (prompt,) = (project / "suites/sample/prompts/greet").glob("L1*")
    prompt.write_text("Do it another way.\n")
    cli(*RUN, "--batch-id", "new", "--reuse")
    assert [run.reused for run in fakes.store.runs(NEW)] == [None, None]


@pytest.mark.parametrize(
    "changes",
    [
        {"fault": Fault(Cause.SANDBOX, "work", "gone"), "total_score": None},
        {"fault": Fault(Cause.CANCELLED, "work", ""), "total_score": None},
        {"total_score": None},
    ],
    ids=["faulted", "interrupted", "without a score"],
)
def test_only_what_was_wholly_graded_is_reused(
    cli: Cli,
    fakes: Fakes,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    project: Path,
) -> None:
    (project / "results").mkdir()
    save = fakes.store.save
    monkeypatch.setattr(fakes.store, "save", lambda run: save(replace(run, **changes)))
    cli(*RUN, "--batch-id", "old")
    monkeypatch.setattr(fakes.store, "save", save)
    cli(*RUN, "--batch-id", "new", "--reuse")
    assert [run.reused for run in fakes.store.runs(NEW)] == [None, None]


def test_the_plan_says_how_many_are_left(cli: Cli, old: Sequence[RunRecord]) -> None:
    assert old
    arguments = ("plan", *RUN[1:], "--iterations", "3", "--reuse")
    assert "4 runs of them stored already and reused; of the others:" in cli(*arguments).stdout
    found = json.loads(cli(*arguments, "--json").stdout)
    assert (found["runs"], found["estimate"]["reused"]) == (6, 4)
    whole = cli("plan", *RUN[1:], "--reuse").stdout
    assert "2 runs of them stored already and reused; nothing is left to be made" in whole


@pytest.mark.usefixtures("old")
def test_a_batch_beside_the_one_that_it_reuses_is_compared_without_the_copies(cli: Cli) -> None:
    cli(*RUN, "--iterations", "3", "--batch-id", "new", "--reuse")
    result = cli("compare", "old", "new")
    assert result.exit_code == 0, result.stderr
    assert "4 runs of new left out: reused from the other side" in result.stderr
    cli(*RUN, "--batch-id", "copies", "--reuse")
    result = cli("compare", "copies", "old")
    assert result.exit_code == 2
    assert "every run of copies is one of old, reused: there is nothing to compare" in result.stderr


def test_what_is_reused_is_shown_with_the_run_that_it_is(
    cli: Cli, fakes: Fakes, old: Sequence[RunRecord]
) -> None:
    cli(*RUN, "--batch-id", "new", "--reuse")
    run = fakes.store.runs(NEW)[0]
    assert f"made as {old[0].id} for batch old, and reused" in cli("show", run.id).stdout


def test_a_cassette_s_answers_are_not_reused(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "some.cassette"
    path.write_bytes(b"")
    result = cli("plan", *RUN[1:], "--reuse", "--cassette", str(path))
    assert result.exit_code == 2
    assert "--reuse beside --cassette" in result.stderr


def test_what_a_recording_answered_or_an_evaluator_left_half_graded_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = a_spec(a_scenario(tmp_path), "openai")
    monkeypatch.setattr(roster, "make_agent", lambda _spec: FakeAgent(simulated=False))
    run = a_run(0.5)
    crashed = replace(run.checks[0], crashed=True)
    assert reusable(spec, lambda *_: run) == run
    assert reusable(spec, lambda *_: replace(run, simulated=True)) is None
    assert reusable(spec, lambda *_: replace(run, checks=(crashed,))) is None
    asked: list[object] = []
    reusable(replace(spec, iteration=3), lambda *key: asked.append(key))  # type: ignore[func-returns-value]  # None
    assert asked == [(spec.digest, 3)]
