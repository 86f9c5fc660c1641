"""What all batches of a store may use on one day, from midnight to midnight in UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness import wiring
from harness.domain.ids import BatchId, RunId
from harness.domain.model import ModelUse, Usage
from harness.domain.record import Origin
from harness.domain.session import Ending, Session
from harness.errors import UsageError
from harness.testing.builders import START, Fakes
from tests.cli.conftest import Cli
from tests.cli.world import BATCH, DENIED, RUN, USED, World
from tests.report.records import a_run, a_task

OTHER = (*RUN[:-1], "other")
NEXT_DAY = f"{START + timedelta(days=1):%Y-%m-%d} 00:00 UTC"


class Clock:
    """What commands believe the time to be; runs begin at START."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, project: Path) -> Clock:
    (project / "results").mkdir()
    made = Clock()
    monkeypatch.setattr(wiring, "utc_now", made)
    return made


def test_two_batches_share_a_day_and_the_next_is_free_again(
    cli: Cli, fakes: Fakes, world: World, clock: Clock
) -> None:
    assert cli(*RUN, "--iterations", "2", "--max-day-tokens", "450").exit_code in {0, 1}
    stopped = cli(*OTHER, "--iterations", "2", "--max-day-tokens", "450")
    assert stopped.exit_code == 3
    assert "the day's budget is spent: 450 of 450 tokens are used, by all batches" in stopped.stderr
    assert f"the next day begins at {NEXT_DAY}" in stopped.stderr
    assert (
        "1 run of the batch still to be made: bench resume other then, or now with a larger"
        " --max-day-tokens N" in stopped.stderr
    )
    # it is remembered, and refuses before anything begins
    refused = cli("resume", "other")
    assert refused.exit_code == 2
    assert "the day's budget is spent: 450 of 450 tokens are used" in refused.stderr
    assert "give a larger --max-day-cost or --max-day-tokens" in refused.stderr
    clock.now += timedelta(days=1)
    assert cli("resume", "other").exit_code in {0, 1}
    assert fakes.store.missing(BatchId("other")) == ()
    assert len(world.replays) == 4


@pytest.mark.usefixtures("world")
def test_a_larger_limit_goes_on_on_the_same_day(cli: Cli, fakes: Fakes) -> None:
    assert cli(*RUN, "--iterations", "2", "--max-day-cost", "0.25").exit_code == 3
    assert cli("resume", "mine").exit_code == 2
    assert cli("resume", "mine", "--max-day-cost", "0.6").exit_code in {0, 1}
    assert fakes.store.missing(BATCH) == ()


@pytest.mark.usefixtures("world")
def test_a_day_that_is_spent_refuses_a_new_batch_before_it_is_planned(
    cli: Cli, fakes: Fakes
) -> None:
    cli(*RUN)
    result = cli(*OTHER, "--max-day-cost", "0.25")
    assert result.exit_code == 2
    assert "the day's budget is spent: $0.2500 of $0.2500 are spent" in result.stderr
    assert f"the next day begins at {NEXT_DAY}" in result.stderr
    with pytest.raises(UsageError, match="no batch 'other'"):
        fakes.store.batch(BatchId("other"))


@pytest.mark.usefixtures("world")
def test_the_environment_limits_every_batch(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_MAX_DAY_TOKENS", "150")
    assert cli(*RUN).exit_code in {0, 1}
    assert cli(*OTHER).exit_code == 2
    assert cli(*OTHER, "--max-day-tokens", "1000").exit_code in {0, 1}


@pytest.mark.usefixtures("world")
def test_what_was_reused_was_not_paid_today(cli: Cli, fakes: Fakes) -> None:
    cli(*RUN)
    (made,) = fakes.store.runs(BATCH)
    again = replace(made, id=RunId("copy"), batch=BatchId("b"), reused=Origin(made.id, BATCH))
    fakes.store.save(again)
    assert cli(*OTHER, "--max-day-tokens", "301").exit_code in {0, 1}


@pytest.mark.usefixtures("world")
def test_who_asks_no_model_works_on_a_day_that_is_spent(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_MAX_DAY_TOKENS", "150")
    cli(*RUN)
    assert cli("run", "sample", "greet", "--agent", "echo").exit_code in {0, 1}


def test_a_cassette_is_played_on_a_day_that_is_spent(cli: Cli, world: World, tape: Path) -> None:
    cli(*RUN)
    limit = ("--max-day-tokens", "150")
    assert cli(*OTHER, *limit).exit_code == 2
    world.fault = DENIED
    assert cli(*OTHER, *limit, "--iterations", "2", "--cassette", str(tape)).exit_code == 3
    world.fault = None
    assert cli("resume", "other").exit_code in {0, 1}


@pytest.mark.parametrize("option", ["--max-day-cost", "--max-day-tokens"])
@pytest.mark.parametrize("number", ["0", "-1", "nan", "some"])
@pytest.mark.parametrize("command", [RUN, ("plan", *RUN[1:5]), ("resume", "mine")])
def test_a_limit_that_is_none_is_refused(
    cli: Cli, fakes: Fakes, command: tuple[str, ...], option: str, number: str
) -> None:
    result = cli(*command, option, number)
    assert (result.exit_code, fakes.store.batches()) == (2, ())
    assert option in result.stderr


@pytest.fixture
def spent(fakes: Fakes) -> None:
    """A run of the cell was made today; it cost a quarter of a dollar."""
    cell = replace(a_task("greet", agent="openai", model="gpt-5"), suite="sample")
    session = Session(Ending.FINISHED, 1.0, model_use=replace(USED, cost_usd=0.25))
    run = a_run(0.5, cell, batch="old", session=session)
    fakes.store.save(replace(run, started_at=START, finished_at=START))


@pytest.mark.usefixtures("spent", "world")
def test_a_batch_that_will_not_fit_the_day_says_so_before_it_starts(cli: Cli) -> None:
    result = cli(*RUN, "--iterations", "4", "--max-day-cost", "1", "--max-day-tokens", "550")
    assert (
        "about $1.0000 is more than the $0.7500 that is left of the day's budget:"
        " it pays for about 3 of 4 runs, the others stay planned" in result.stderr
    )
    assert (
        "about 600 tokens are more than the 400 that are left of the day's budget" in result.stderr
    )


@pytest.mark.usefixtures("spent", "world")
@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (("--max-day-cost", "0.4"), "$0.1500 is left of the day's budget"),
        (("--max-day-tokens", "200"), "50 are left of the day's budget"),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_what_is_left_of_a_day_that_pays_for_no_run_is_refused(
    cli: Cli, fakes: Fakes, command: str, limit: tuple[str, str], said: str
) -> None:
    result = cli(command, *RUN[1:5], *limit)
    assert result.exit_code == 2
    assert said in result.stderr
    assert f"give a larger {limit[0]}, or wait for the next day" in result.stderr
    assert [batch.id for batch in fakes.store.batches()] == ["old"]


@pytest.mark.usefixtures("spent")
def test_of_a_day_that_is_overdrawn_nothing_is_left_for_a_plan(cli: Cli) -> None:
    result = cli("plan", *RUN[1:5], "--max-day-cost", "0.1", "--max-day-tokens", "100")
    assert result.exit_code == 2
    assert "the $0.0000 that is left of the day's budget: it pays for about 0 of 1 run" in (
        result.stdout
    )
    assert "the 0 that are left of the day's budget" in result.stdout


@pytest.mark.usefixtures("world")
def test_a_limit_in_money_needs_a_price(cli: Cli) -> None:
    result = cli("run", "sample", "greet", "--agent", "openai:of-nobody", "--max-day-cost", "1")
    assert result.exit_code == 2
    assert "a limit in money cannot be kept" in result.stderr
    planned = cli("plan", "sample", "greet", "--agent", "openai:of-nobody", "--max-day-cost", "1")
    assert "no run begins" in " ".join(planned.stdout.split())


@pytest.mark.parametrize(("seconds", "code"), [(-1, {0, 1}), (0, {2})])
@pytest.mark.usefixtures("world")
def test_a_run_counts_on_the_day_on_which_it_ended(
    cli: Cli, fakes: Fakes, seconds: int, code: set[int]
) -> None:
    session = Session(Ending.FINISHED, 1.0, model_use=ModelUse(Usage(200), 1.0))
    late = a_run(0.5, a_task("greet"), batch="old", session=session)
    ended = START + timedelta(seconds=seconds)
    fakes.store.save(replace(late, started_at=START - timedelta(hours=1), finished_at=ended))
    assert cli(*RUN, "--max-day-tokens", "200").exit_code in code
