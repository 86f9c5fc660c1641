"""What a batch was planned with, and what a resumed command makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.ids import BatchId
from harness.domain.model import Budget
from harness.domain.record import RunRecord
from harness.domain.scenario import Scenario
from harness.domain.session import Ending, Session
from harness.errors import SandboxFault, UsageError
from harness.gateway.prices import Prices
from harness.gateway.recording import Recorder
from harness.sandbox.base import PreparedImage
from harness.testing.builders import Fakes
from tests.cli.conftest import Cli
from tests.cli.world import BATCH, DENIED, RUN, USED, World
from tests.report.records import a_run, a_task


def test_a_spent_budget_stops_the_batch_and_leaves_the_rest_to_a_larger_one(
    cli: Cli, fakes: Fakes, world: World
) -> None:
    result = cli(*RUN, "--iterations", "3", "--max-batch-tokens", "300")
    assert result.exit_code == 3
    assert "300 of 300 tokens are used" in result.stderr
    assert (
        "1 run of the batch still to be made: bench resume mine --max-batch-tokens N"
        in result.stderr
    )
    assert len(fakes.store.runs(BATCH)) == 2
    again = cli("resume", "mine")
    assert again.exit_code == 2
    assert "batch mine: the batch's budget is spent" in again.stderr
    assert cli("resume", "mine", "--max-batch-tokens", "1000").exit_code in {0, 1}
    assert world.budgets == [Budget(tokens=300), Budget(tokens=1000)]
    assert fakes.store.missing(BATCH) == ()


def test_what_is_known_of_an_unknown_cost_counts_in_the_next_command(
    cli: Cli, fakes: Fakes, world: World
) -> None:
    cli(*RUN, "--max-batch-cost", "0.25")
    result = cli(*RUN, "--max-batch-cost", "0.25")
    assert result.exit_code == 2
    assert "$0.2500 of $0.2500 are spent" in result.stderr
    assert len(fakes.store.runs(BATCH)) == 1
    assert world.budgets == [Budget(usd=0.25)]


def test_a_resumed_batch_keeps_its_budget(cli: Cli, world: World) -> None:
    world.fault = DENIED
    cli(*RUN, "--iterations", "2", "--max-batch-cost", "9", "--max-batch-tokens", "5000")
    world.fault = None
    cli("resume", "mine", "--max-batch-tokens", "6000")
    limits = [Budget(usd=9, tokens=5000), Budget(usd=9, tokens=6000)]
    assert world.budgets == limits


def test_a_refused_key_stops_the_batch_after_the_first_run(
    cli: Cli, fakes: Fakes, world: World
) -> None:
    world.fault = DENIED
    result = cli(*RUN, "--iterations", "3")
    assert result.exit_code == 3
    assert DENIED in result.stderr
    assert "2 runs of the batch still to be made: bench resume mine\n" in result.stderr
    assert len(fakes.store.runs(BATCH)) == 1


def test_strict_prices_are_asked_for_again(
    cli: Cli, fakes: Fakes, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fault = DENIED
    assert cli(*RUN, "--strict-prices", "--iterations", "2").exit_code == 3
    monkeypatch.setattr(Prices, "known", lambda _self, _model: False)
    result = cli("resume", "mine")
    assert result.exit_code == 2
    assert "--strict-prices" in result.stderr
    assert len(fakes.store.runs(BATCH)) == 1


@pytest.fixture
def half_played(cli: Cli, world: World, tape: Path) -> World:
    """A batch on a cassette that was stopped before its second run."""
    world.fault = DENIED
    assert cli(*RUN, "--iterations", "2", "--cassette", str(tape)).exit_code == 3
    world.fault = None
    return world


def test_a_resumed_batch_plays_its_cassette(
    cli: Cli, fakes: Fakes, half_played: World, tape: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert cli("resume", "mine").exit_code in {0, 1}
    assert fakes.store.missing(BATCH) == ()
    assert set(half_played.replays) == {tape.read_bytes()}


def test_runs_that_play_a_cassette_and_runs_that_do_not_share_one_budget(
    cli: Cli, fakes: Fakes, half_played: World
) -> None:
    half_played.fault = DENIED
    assert cli(*RUN, "--iterations", "2").exit_code == 3
    half_played.fault = None

    assert cli("resume", "mine", "--max-batch-tokens", "5000").exit_code in {0, 1}

    drawn = [use.usage.total for run in fakes.store.runs(BATCH) for use in run.drawn]
    assert len(half_played.budgets) == 2
    assert half_played.purses[BATCH].tokens == sum(drawn)


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "changed"])
def test_a_batch_whose_cassette_is_not_there_never_goes_live(
    cli: Cli, half_played: World, tape: Path, *, gone: bool
) -> None:
    before = len(half_played.replays)
    if gone:
        tape.unlink()
    else:
        tape.write_bytes(Recorder((), "openai:gpt-5").dump())
    result = cli("resume", "mine")
    assert result.exit_code == 2
    assert str(tape) in result.stderr
    assert len(half_played.replays) == before


def test_a_cassette_of_another_model_is_refused_by_name(
    cli: Cli, fakes: Fakes, world: World, tape: Path
) -> None:
    result = cli("run", "sample", "greet", "--agent", "openai:gpt-4o", "--cassette", str(tape))
    assert (result.exit_code, world.replays, fakes.store.batches()) == (2, [], ())
    assert str(tape) in result.stderr
    assert "gpt-5" in result.stderr
    assert "gpt-4o" in result.stderr


def test_a_cassette_that_nobody_plays_is_noted(cli: Cli, world: World, tape: Path) -> None:
    result = cli("run", "sample", "greet", "--agent", "echo", "--cassette", str(tape))
    assert "is not played" in " ".join(result.stderr.split())
    assert world.replays == []


@pytest.fixture
def stored(project: Path, fakes: Fakes) -> None:
    """Runs of the cell are stored: a quarter of a dollar, 150 tokens and two minutes each."""
    (project / "results").mkdir()
    cell = replace(a_task("greet", agent="openai", model="gpt-5"), suite="sample")
    session = Session(Ending.FINISHED, 1.0, model_use=replace(USED, cost_usd=0.25))
    run = a_run(0.5, cell, batch="old", session=session, stages_s=(("work", 120.0),))
    fakes.store.save(run)


@pytest.mark.usefixtures("stored", "world")
def test_a_batch_that_will_not_fit_its_limits_says_so_before_it_starts(
    cli: Cli, fakes: Fakes
) -> None:
    result = cli(
        *RUN,
        "--iterations",
        "4",
        "--max-batch-cost",
        "0.6",
        "--max-batch-time",
        "7m",
        "--jobs",
        "1",
    )
    assert "about $1.0000 is more than the $0.6000 that is the batch's budget" in result.stderr
    assert "about 8 min with 1 job is more than the 7 min of --max-batch-time" in result.stderr
    assert fakes.store.runs(BATCH)


@pytest.mark.usefixtures("stored", "world")
def test_a_budget_smaller_than_one_run_is_refused_before_anything_is_planned(
    cli: Cli, fakes: Fakes
) -> None:
    result = cli(*RUN, "--iterations", "4", "--max-batch-cost", "0.2")
    assert result.exit_code == 2
    assert "a run costs about $0.2500" in result.stderr
    with pytest.raises(UsageError, match="no batch 'mine'"):
        fakes.store.batch(BATCH)


@pytest.mark.usefixtures("stored")
def test_what_is_left_of_a_budget_is_what_a_resumed_batch_is_held_to(
    cli: Cli, fakes: Fakes, world: World
) -> None:
    world.fault = DENIED
    cli(*RUN, "--iterations", "4", "--max-batch-tokens", "900")
    world.fault = None
    result = cli("resume", "mine", "--max-batch-tokens", "299")
    assert result.exit_code == 2
    assert "149 are left of the batch's budget: not one could be made" in result.stderr
    assert len(fakes.store.runs(BATCH)) == 1
    result = cli("resume", "mine", "--max-batch-tokens", "450")
    assert "about 450 tokens are more than the 300 that are left of the batch's budget" in (
        result.stderr
    )


@pytest.mark.usefixtures("world")
def test_nothing_is_looked_up_where_nothing_is_limited(
    cli: Cli, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    runs = fakes.store.runs

    def spied(batch: BatchId | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        asked.append(batch)
        return runs(batch, limit)

    monkeypatch.setattr(fakes.store, "runs", spied)
    cli(*RUN)
    assert None not in asked


def test_a_run_that_the_world_spoils_again_and_again_is_left_alone_until_somebody_insists(
    cli: Cli, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True
    prepare = fakes.tools.images.prepare

    def images(_self: object, scenario: Scenario, tell: Callable[[str], None]) -> PreparedImage:
        if away:
            raise SandboxFault("the engine is away")
        return prepare(scenario, tell)

    monkeypatch.setattr(type(fakes.tools.images), "prepare", images)
    assert cli("sample", "greet", "--batch-id", "b").exit_code == 3
    assert cli("resume", "b").exit_code == 3
    assert cli("resume", "b").exit_code == 3
    left = cli("resume", "b")
    assert "1 run left alone" in left.stderr
    assert "sample/greet L1 echo #1: 3 faults" in left.stderr
    assert "--max-faults 4" in left.stderr
    assert left.exit_code == 3
    assert len(fakes.store.runs()) == 3
    away = False
    assert cli("resume", "b", "--max-faults", "4").exit_code == 1
    assert cli("resume", "b").stdout == "nothing is missing in batch b\n"
