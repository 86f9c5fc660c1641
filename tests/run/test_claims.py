"""Two that work on one batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from harness import claims as module
from harness.agents.base import Outcome, Task, Workbench
from harness.bounds import Bounds
from harness.claims import HOLDS, Claims
from harness.cli.models import Source
from harness.cli.pace import STEADY
from harness.cli.run import work_on
from harness.crew import run_batch
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelUse, Usage
from harness.domain.record import RunRecord
from harness.domain.session import Ending, Session
from harness.domain.spec import RunSpec
from harness.errors import BadFile, BatchStopped, StoreFault, UsageError
from harness.gateway.budget import DayPurse, Purse
from harness.sandbox.base import PreparedImage
from harness.settings import Settings
from harness.store.base import Planned, Spent, Wanted
from harness.store.remote import RemoteArtifacts
from harness.testing.builders import FakeAgent, Fakes, some_tools
from harness.testing.store import NOON, MemoryStore, a_record
from tests.run.test_crew import BUILD, PATIENCE_S, some_specs

BATCH = BatchId("batch")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def planned(store: MemoryStore, specs: list[RunSpec]) -> list[RunSpec]:
    store.plan(BATCH, [Wanted(specs[0].cell, len(specs), specs[0].digest)], NOW)
    return specs


def of(store: MemoryStore, owner: str, *, now: datetime = NOW, dead: str = "") -> Claims:
    return Claims(store, BATCH, owner, lambda: now, lambda each: each != dead)


def test_two_commands_on_one_batch_make_every_run_once(tmp_path: Path) -> None:
    both, calls = threading.Barrier(2), count()

    def act(_task: Task, _bench: Workbench) -> Outcome:
        if next(calls) < both.parties:
            # with one job each, the first two runs are those of the two
            both.wait(PATIENCE_S)
        return Outcome()

    fakes: Fakes = some_tools(BUILD, agent=FakeAgent(act))
    specs = planned(fakes.store, some_specs(tmp_path, 20))
    made: dict[str, list[RunRecord]] = {}

    def work(owner: str) -> None:
        tools = replace(fakes.tools, owner=owner)
        made[owner] = list(run_batch(specs, BATCH, tools, claims=of(fakes.store, owner)))

    hands = [threading.Thread(target=work, args=(owner,)) for owner in ("a", "b")]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert made["a"]
    assert made["b"]
    stored = [run.iteration for run in fakes.store.runs(BATCH)]
    assert sorted(stored) == [*range(1, 21)]
    assert not fakes.store.claims(BATCH)


def test_what_a_dead_command_had_claimed_is_made_and_what_a_living_one_has_is_not(
    tmp_path: Path,
) -> None:
    fakes = some_tools(BUILD)
    specs = planned(fakes.store, some_specs(tmp_path, 3))
    assert of(fakes.store, "dead").take(specs[0])
    assert of(fakes.store, "living").take(specs[1])
    mine = of(fakes.store, "me", dead="dead")
    list(run_batch(specs, BATCH, fakes.tools, claims=mine))
    assert [run.iteration for run in fakes.store.runs(BATCH)] == [1, 3]
    assert mine.elsewhere() == 1


def test_a_claim_of_which_nothing_is_heard_ends(tmp_path: Path) -> None:
    fakes = some_tools(BUILD)
    (spec,) = planned(fakes.store, some_specs(tmp_path, 1))
    assert of(fakes.store, "other-host").take(spec)
    later = NOW + HOLDS
    assert not of(fakes.store, "me", now=later - timedelta(seconds=1)).take(spec)
    assert of(fakes.store, "me", now=later).take(spec)


def test_claims_are_moved_on_while_runs_last_and_a_store_that_is_away_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    fakes = some_tools(BUILD)
    (spec,) = planned(fakes.store, some_specs(tmp_path, 1))
    beats, renew = [], fakes.store.renew
    often = threading.Event()

    def sometimes(owner: str, until: datetime) -> int:
        beats.append(until)
        if len(beats) > 3:
            often.set()
        if len(beats) % 2:
            raise StoreFault("away")
        return renew(owner, until)

    monkeypatch.setattr(fakes.store, "renew", sometimes)
    with (mine := of(fakes.store, "me")):
        assert mine.take(spec)
        assert often.wait(PATIENCE_S)
    assert set(beats) == {NOW + HOLDS}


def test_what_could_not_be_made_at_all_is_given_back(tmp_path: Path) -> None:
    fakes = some_tools(BUILD)
    specs = planned(fakes.store, some_specs(tmp_path, 2))

    class Images:
        def prepare(self, _scenario: object, _tell: Callable[[str], None]) -> PreparedImage:
            raise BadFile(Path("Dockerfile"), ["line 1: no"])

    tools = replace(fakes.tools, images=Images())  # type: ignore[arg-type]  # it prepares nothing
    with pytest.raises(UsageError):
        list(run_batch(specs, BATCH, tools, claims=of(fakes.store, "me")))
    assert not fakes.store.claims(BATCH)


def test_a_run_that_another_stored_meanwhile_is_left_at_that(tmp_path: Path) -> None:
    fakes = some_tools(BUILD)
    specs = planned(fakes.store, some_specs(tmp_path, 2))

    def act(task: Task, _bench: Workbench) -> Outcome:
        if task.iteration == 1 and not fakes.store.runs(BATCH):
            # we were away, and somebody took it over
            list(run_batch(specs[:1], BATCH, some))
        return Outcome()

    some = replace(fakes.tools, agent=lambda _spec: FakeAgent())
    tools = replace(fakes.tools, agent=lambda _spec: FakeAgent(act))
    made = list(run_batch(specs, BATCH, tools, claims=of(fakes.store, "me")))
    assert [run.iteration for run in made] == [2]
    assert sorted(run.iteration for run in fakes.store.runs(BATCH)) == [1, 2]
    assert Planned(specs[0].cell, 1, specs[0].digest) not in fakes.store.missing(BATCH)


def emptied(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fakes: Fakes,
    purse: Purse,
    meanwhile: Callable[[], object],
) -> bool:
    """Whether a purse is found empty while a run is made that takes nothing itself."""
    (spec,) = planned(fakes.store, some_specs(tmp_path, 1))
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    stopped = threading.Event()

    def act(_task: Task, _bench: Workbench) -> Outcome:
        meanwhile()
        deadline = time.monotonic() + PATIENCE_S
        while purse.empty() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if purse.empty():
            stopped.set()
        return Outcome()

    tools = replace(fakes.tools, agent=lambda _spec: FakeAgent(act))
    monkeypatch.setattr("harness.cli.pace.Pace.on_engine", lambda *_: (1, Bounds()))
    work_on(Settings(tmp_path), [spec], BATCH, tools, STEADY, Source({BATCH: purse}))
    return stopped.is_set()


def test_no_agent_begins_where_nothing_could_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes = some_tools(BUILD)
    (spec,) = planned(fakes.store, some_specs(tmp_path, 1))
    begun: list[int] = []
    elsewhere = "file:///proc/nowhere"

    def act(task: Task, _bench: Workbench) -> Outcome:
        begun.append(task.iteration)
        return Outcome()

    tools = replace(
        fakes.tools,
        agent=lambda _spec: FakeAgent(act),
        artifacts=RemoteArtifacts.open(elsewhere),
    )
    monkeypatch.setattr("harness.cli.pace.Pace.on_engine", lambda *_: (1, Bounds()))
    with pytest.raises(BatchStopped, match=r"artefact .*nowhere(.|\n)*bench resume batch"):
        work_on(Settings(tmp_path, artifacts=elsewhere), [spec], BATCH, tools, STEADY, Source())
    assert begun == []


def test_what_other_commands_stored_is_gone_from_the_purse_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes = some_tools(BUILD)
    monkeypatch.setattr(fakes.store, "spent", lambda _batch: Spent(None, 3.0, 500))
    purse = Purse(Budget(usd=3.0), usd=1.0, tokens=900)
    assert emptied(tmp_path, monkeypatch, fakes, purse, lambda: None)
    assert (purse.usd, purse.tokens) == (3.0, 900)


def test_what_another_command_makes_of_another_batch_is_gone_from_the_day_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes = some_tools(BUILD)
    day = DayPurse(Budget(tokens=100), lambda: NOON)
    session = Session(Ending.FINISHED, 1.0, model_use=ModelUse(Usage(100), 0.5))
    other = replace(a_record(), batch=BatchId("other"), session=session)
    assert emptied(
        tmp_path, monkeypatch, fakes, Purse(Budget(), day=day), lambda: fakes.store.save(other)
    )
    assert day.drawn.tokens == 100
