"""Who makes which planned run: one, whatever happens; and no run has two results."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.ids import BatchId, RunId
from harness.domain.record import Fault, RunRecord
from harness.errors import AlreadyStored, StoreFault, UsageError
from harness.sandbox.owner import is_alive
from harness.store.base import Claim, Planned, Store, Wanted
from harness.testing.store import NOON, a_cell, a_record
from tests.store.places import opened

B = BatchId("b")
SPEC = text_digest("spec")
LATER = NOON + timedelta(minutes=5)
CLAIMER = Path(__file__).with_name("claimer.py")
ROOT = Path(__file__).parents[2]


def planned(store: Store, count: int = 1) -> Sequence[Planned]:
    return store.plan(B, [Wanted(a_cell(), count, SPEC)], NOON)


def take(
    store: Store, run: Planned, owner: str = "me", now: datetime = NOON, *, living: bool = True
) -> bool:
    return store.claim(B, run, owner, now, now + timedelta(minutes=5), lambda _owner: living)


def numbered(run: RunRecord, name: str, iteration: int) -> RunRecord:
    return replace(run, id=RunId(name), iteration=iteration)


def faulted(run: RunRecord, cause: Cause = Cause.SANDBOX) -> RunRecord:
    fault = Fault(cause, "work", "gone")
    return replace(run, session=None, checks=(), total_score=None, passed=False, fault=fault)


def test_a_planned_run_is_taken_once(store: Store) -> None:
    one, two = planned(store, 2)
    assert take(store, one)
    assert not take(store, one, "you")
    assert take(store, two, "you")
    assert store.claims(B) == (
        Claim(B, a_cell(), 1, "me", LATER),
        Claim(B, a_cell(), 2, "you", LATER),
    )


def test_another_thread_of_the_same_owner_does_not_get_it_either(store: Store) -> None:
    (run,) = planned(store)
    assert take(store, run, "me")
    assert not take(store, run, "me")


def test_an_owner_that_ended_loses_its_claim_to_whoever_asks(store: Store) -> None:
    (run,) = planned(store)
    take(store, run, "dead")
    asked: list[str] = []

    def ended(owner: str) -> bool:
        asked.append(owner)
        return False

    assert store.claim(B, run, "me", NOON, LATER, ended)
    assert asked == ["dead"]
    assert [claim.owner for claim in store.claims(B)] == ["me"]


def test_a_claim_whose_time_is_over_is_taken_over_from_the_living(store: Store) -> None:
    (run,) = planned(store)
    take(store, run, "slow")
    assert not take(store, run, "me", LATER - timedelta(microseconds=1))
    assert take(store, run, "me", LATER)
    assert [claim.owner for claim in store.claims(B)] == ["me"]


def test_a_claim_that_is_renewed_holds_longer(store: Store) -> None:
    one, two = planned(store, 2)
    take(store, one, "me")
    take(store, two, "you")
    assert store.renew("me", LATER + timedelta(minutes=5)) == 1
    assert not take(store, one, "third", LATER)
    assert take(store, two, "third", LATER)


def test_an_owner_learns_by_renewing_that_it_lost_a_claim(store: Store) -> None:
    (run,) = planned(store)
    take(store, run, "me")
    take(store, run, "you", LATER)
    assert store.renew("me", LATER + timedelta(hours=1)) == 0
    assert [claim.until for claim in store.claims(B)] == [LATER + timedelta(minutes=5)]


def test_a_claim_that_is_given_back_is_free(store: Store) -> None:
    (run,) = planned(store)
    take(store, run, "me")
    store.release(B, run, "me")
    assert not store.claims(B)
    assert take(store, run, "you")


def test_nobody_gives_back_what_another_has_taken_over(store: Store) -> None:
    (run,) = planned(store)
    take(store, run, "you")
    store.release(B, run, "me")
    assert [claim.owner for claim in store.claims(B)] == ["you"]


def test_a_run_that_is_settled_cannot_be_taken(store: Store) -> None:
    (run,) = planned(store)
    store.save(a_record())
    assert not take(store, run)
    assert not store.claims(B)


def test_a_run_that_faulted_can_be_taken_again(store: Store) -> None:
    (run,) = planned(store)
    take(store, run)
    store.save(faulted(a_record()))
    assert take(store, run, "you")


def test_what_nobody_planned_cannot_be_taken(store: Store) -> None:
    (run,) = planned(store)
    assert not take(store, replace(run, iteration=2))
    assert not take(store, replace(run, cell=replace(a_cell(), model="m")))
    assert not store.claim(BatchId("never"), run, "me", NOON, LATER, lambda _owner: True)


def test_a_stored_run_frees_its_own_claim_and_no_other(store: Store) -> None:
    one, two = planned(store, 2)
    take(store, one)
    take(store, two)
    store.save(a_record())
    assert [claim.iteration for claim in store.claims(B)] == [2]


def test_a_run_that_is_refused_frees_nothing(store: Store) -> None:
    one, two = planned(store, 2)
    take(store, one)
    take(store, two)
    store.save(a_record())
    with pytest.raises(UsageError, match="already stored"):
        store.save(numbered(a_record(), "run_1", 2))
    assert [claim.iteration for claim in store.claims(B)] == [2]


def test_a_batch_somebody_works_on_is_not_forgotten(store: Store) -> None:
    (run,) = planned(store)
    take(store, run)
    store.forget(B)
    assert store.missing(B) == (run,)
    store.release(B, run, "me")
    store.forget(B)
    assert not store.batches()


def test_a_planned_run_has_one_result_and_the_second_is_told_of_the_first(store: Store) -> None:
    planned(store)
    store.save(a_record("run_1"))
    with pytest.raises(AlreadyStored) as refused:
        store.save(replace(a_record("run_2", minute=1), passed=False))
    assert (refused.value.run, refused.value.stored) == ("run_2", "run_1")
    assert str(refused.value) == (
        "run 'run_2' was not stored: iteration 1 of core/slots L1 echo in batch 'b' has a result"
        " already, run 'run_1'; look at that one with 'bench show run_1'"
    )
    assert isinstance(refused.value, StoreFault)
    assert [run.id for run in store.runs(B)] == ["run_1"]


def test_a_run_that_failed_for_good_is_a_result_too(store: Store) -> None:
    planned(store)
    store.save(faulted(a_record("run_1"), Cause.HARNESS))
    with pytest.raises(AlreadyStored):
        store.save(a_record("run_2"))


def test_a_fault_beside_a_result_is_kept(store: Store) -> None:
    planned(store)
    store.save(a_record("run_1"))
    store.save(faulted(a_record("run_2", minute=1)))
    assert [run.id for run in store.runs(B)] == ["run_1", "run_2"]


def test_runs_that_nobody_planned_may_be_many(store: Store) -> None:
    planned(store)
    for n in range(3):
        store.save(numbered(a_record(f"run_{n}"), f"run_{n}", 7))
        store.save(replace(a_record(f"other_{n}"), batch=BatchId("other")))
    assert len(store.runs(B)) == len(store.runs(BatchId("other"))) == 3


def test_threads_that_finish_one_run_at_once_store_one_result(store: Store) -> None:
    planned(store)

    def finish(n: int) -> bool:
        try:
            store.save(a_record(f"run_{n}"))
        except AlreadyStored:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(finish, range(16))) == 1
    assert len(store.runs(B)) == 1


def test_threads_that_want_one_run_at_once_get_it_once(store: Store) -> None:
    runs = planned(store, 5)

    def want(n: int) -> list[int]:
        return [run.iteration for run in runs if take(store, run, f"owner-{n}")]

    with ThreadPoolExecutor(8) as pool:
        got = [n for each in pool.map(want, range(8)) for n in each]
    assert sorted(got) == [1, 2, 3, 4, 5]


def test_threads_that_keep_one_dead_owner_s_run_at_once_get_it_once(store: Store) -> None:
    (run,) = planned(store)
    take(store, run, "dead")

    def want(n: int) -> bool:
        return store.claim(B, run, f"owner-{n}", NOON, LATER, lambda owner: owner != "dead")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(want, range(16))) == 1


@contextmanager
def claimers(location: str, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that stand ready to take whatever of batch `b` they get."""
    started = [
        subprocess.Popen(
            [sys.executable, str(CLAIMER), location],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in range(count)
    ]
    try:
        for process in started:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def answer(process: subprocess.Popen[str], word: str) -> list[int]:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return [int(n) for n in process.stdout.readline().split()]


def test_processes_that_race_for_a_batch_share_it_and_none_is_doubled(location: str) -> None:
    with opened(location) as store:
        planned(store, 40)
        with claimers(location, 3) as processes, ThreadPoolExecutor(3) as pool:
            got = list(pool.map(answer, processes, ["take"] * 3))
            assert sorted(n for each in got for n in each) == list(range(1, 41))
            owners = {claim.iteration: claim.owner for claim in store.claims(B)}
            assert len(owners) == 40
            for won in got:
                assert len({owners[n] for n in won}) <= 1
            stored = list(pool.map(answer, processes, ["save all"] * 3))
        assert sorted(n for each in stored for n in each) == list(range(1, 41))
        assert len(store.runs(B)) == 40
        assert not store.missing(B)
        assert not store.claims(B)


def test_the_runs_of_a_killed_process_are_free_and_those_of_a_living_one_are_not(
    location: str,
) -> None:
    with opened(location) as store:
        runs = planned(store, 3)
        with claimers(location, 1) as (process,):
            assert answer(process, "take") == [1, 2, 3]
            assert not store.claim(B, runs[0], "me", NOON, LATER, is_alive)
            process.kill()
            process.wait()
            assert store.claim(B, runs[0], "me", NOON, LATER, is_alive)


def test_a_missing_run_tells_how_often_it_faulted(store: Store) -> None:
    planned(store, 3)
    for n, cause in enumerate([Cause.SANDBOX, Cause.PROVIDER, Cause.EVALUATOR]):
        store.save(faulted(numbered(a_record(), f"run_{n}", 2), cause))
    store.save(faulted(numbered(a_record(), "run_9", 3), Cause.SANDBOX))
    store.save(replace(faulted(a_record("run_x")), batch=BatchId("other")))
    assert [(p.iteration, p.faults) for p in store.missing(B)] == [(1, 0), (2, 3), (3, 1)]


def test_to_be_interrupted_is_no_fault(store: Store) -> None:
    planned(store)
    store.save(faulted(a_record(), Cause.CANCELLED))
    assert [p.faults for p in store.missing(B)] == [0]


def test_the_newest_graded_run_of_a_spec_is_found_in_any_batch(store: Store) -> None:
    other = replace(a_record("run_2", minute=2), batch=BatchId("other"))
    store.save(a_record("run_1", minute=1))
    store.save(other)
    store.save(replace(a_record("run_3", minute=3), spec_digest=text_digest("another")))
    store.save(faulted(a_record("run_4", minute=4), Cause.PROVIDER))
    store.save(faulted(a_record("run_5", minute=5), Cause.HARNESS))
    assert store.like(SPEC) == other
    assert store.like(text_digest("never")) is None


def test_a_run_of_the_same_spec_can_be_asked_for_by_its_iteration(store: Store) -> None:
    store.save(numbered(a_record(), "run_1", 1))
    store.save(numbered(a_record(minute=1), "run_2", 2))
    found = store.like(SPEC, 1)
    assert found is not None
    assert found.id == "run_1"
    assert store.like(SPEC, 3) is None
