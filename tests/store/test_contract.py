"""What every store and every artefact folder promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from harness.domain.artifact import Artifact
from harness.domain.digests import text_digest
from harness.domain.failures import TABLE, Cause
from harness.domain.ids import BatchId, RunId
from harness.domain.record import Control, Fault, RunRecord
from harness.domain.session import Ending, Session
from harness.errors import StoreFault, UsageError
from harness.store.base import Artifacts, Store, Wanted
from harness.testing.store import NOON, a_cell, a_record, a_review

B = BatchId("b")
SPEC = text_digest("spec")


def numbered(run: RunRecord, name: str, iteration: int) -> RunRecord:
    return replace(run, id=RunId(name), iteration=iteration)


def faulted(run: RunRecord, cause: Cause) -> RunRecord:
    fault = Fault(cause, "work", "gone")
    return replace(run, session=None, checks=(), total_score=None, passed=False, fault=fault)


def test_a_run_comes_back_as_it_was_stored(store: Store, full_record: RunRecord) -> None:
    store.save(full_record)
    assert store.run(full_record.id) == full_record


def test_only_what_is_not_known_of_a_batch_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.store.sql.AT_ONCE", 4)
    runs = [a_record(f"run_{n:04}", minute=n) for n in range(20)]
    for run in reversed(runs):
        store.save(run)
    store.save(replace(a_record("run_x"), batch=BatchId("other")))
    known = {run.id for run in runs[:3]}
    reading = store.further(B, known)
    assert next(reading) == runs[3]
    known |= {run.id for run in runs}
    assert list(reading) == runs[4:]
    assert list(store.further(B, known)) == []


def test_whatever_a_document_names_is_referred_to(store: Store, full_record: RunRecord) -> None:
    store.save(full_record)
    store.save_control(Control(text_digest("key"), full_record.commands, ()))
    store.save_review(a_review(full_record.id))
    found = store.references()
    assert found.runs == {full_record.id}
    named = {text_digest(name) for name in ("output", "spec", "task", "rubric")}
    assert named <= found.digests
    assert text_digest("nothing") not in found.digests


def test_a_run_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    store.save(a_record("run_20240101_abc"))
    store.save(a_record("run_20240102_def"))
    assert store.run("run_20240102").id == "run_20240102_def"


def test_an_id_that_begins_another_is_found_itself(store: Store) -> None:
    store.save(a_record("run_10"))
    store.save(a_record("run_1"))
    assert store.run("run_1").id == "run_1"


def test_letters_that_sql_could_take_for_wildcards_are_letters(store: Store) -> None:
    store.save(a_record("run_1"))
    for wild in ("run%", "run-1", "_un_1", "RUN_1", "run_1'", "*"):
        with pytest.raises(UsageError, match="no run"):
            store.run(wild)


def test_a_beginning_of_several_ids_names_them(store: Store) -> None:
    for n in range(3):
        store.save(a_record(f"run_{n}"))
    with pytest.raises(UsageError, match="could be 'run_0', 'run_1', 'run_2'; give more"):
        store.run("run_")


def test_a_beginning_of_very_many_ids_names_a_few(store: Store) -> None:
    for n in range(9):
        store.save(a_record(f"run_{n}"))
    with pytest.raises(UsageError, match="'run_4', …; give more"):
        store.run("run_")


def test_a_misspelt_run_gets_the_nearest_one(store: Store) -> None:
    store.save(a_record("run_20240101_abc"))
    store.save(a_record("run_20240102_def"))
    with pytest.raises(UsageError, match="did you mean 'run_20240102_def'"):
        store.run("rum_20240102_def")


def test_a_run_that_resembles_none_gets_only_the_newest_few(store: Store) -> None:
    for n in range(9):
        store.save(a_record(f"run_{n}", minute=n))
    with pytest.raises(UsageError, match=r"there is 'run_4', .* 'run_8'$"):
        store.run("zzzzzzzzzzzz")


def test_an_empty_store_says_that_there_is_none(store: Store) -> None:
    with pytest.raises(UsageError, match="there is none"):
        store.run("run_1")
    with pytest.raises(UsageError, match="there is none"):
        store.batch(B)


def test_an_id_is_stored_once(store: Store) -> None:
    store.save(a_record())
    with pytest.raises(UsageError, match="already stored"):
        store.save(replace(a_record(), passed=False))
    assert store.run("run_1").passed


def test_a_batch_lists_its_runs_oldest_first(store: Store) -> None:
    for name, minute in (("run_c", 3), ("run_a", 1), ("run_b", 2), ("run_0", 3)):
        store.save(a_record(name, minute=minute))
    store.save(replace(a_record("run_x"), batch=BatchId("other")))
    assert [run.id for run in store.runs(B)] == ["run_a", "run_b", "run_0", "run_c"]
    assert [run.id for run in store.runs(B, limit=2)] == ["run_a", "run_b"]


def test_all_runs_are_listed_newest_first(store: Store) -> None:
    for name, minute in (("run_c", 3), ("run_a", 1), ("run_b", 2)):
        store.save(replace(a_record(name, minute=minute), batch=BatchId(name)))
    assert [run.id for run in store.runs()] == ["run_c", "run_b", "run_a"]
    assert [run.id for run in store.runs(limit=1)] == ["run_c"]


def test_names_are_in_the_order_of_their_characters_and_not_of_a_language(store: Store) -> None:
    names = ["run-1", "run_1", "runA", "run_b", "runa", "RUNZ", "run_\u00e9"]
    for name in names:
        store.save(a_record(name))
        store.plan(BatchId(name), [], NOON)
    assert [run.id for run in store.runs(B)] == sorted(names)
    assert [batch.id for batch in store.batches()] == sorted([B, *names], reverse=True)


def test_threads_that_find_out_one_control_at_once_keep_one(
    store: Store, full_record: RunRecord
) -> None:
    control = Control(SPEC, full_record.commands, full_record.checks)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.save_control, [control] * 24))
    assert store.control(SPEC) == control


def test_iterations_count_from_one(store: Store) -> None:
    planned = store.plan(B, [Wanted(a_cell(), 3, SPEC)], NOON)
    assert [(p.cell, p.iteration) for p in planned] == [(a_cell(), n) for n in (1, 2, 3)]


def test_a_batch_that_goes_on_counts_on_cell_by_cell(store: Store) -> None:
    one, two = a_cell(tier="L0"), a_cell(tier="L1")
    store.plan(B, [Wanted(one, 2, SPEC)], NOON)
    again = store.plan(B, [Wanted(two, 1, SPEC), Wanted(one, 1, SPEC), Wanted(one, 1, SPEC)], NOON)
    assert [(p.cell.tier, p.iteration) for p in again] == [("L1", 1), ("L0", 3), ("L0", 4)]


def test_a_plan_keeps_its_digest_and_settings_for_a_resume(store: Store) -> None:
    wanted = Wanted(a_cell(), 1, SPEC, '{"warmup": "skip", "a": "\\ud83d"}')
    (planned,) = store.plan(B, [wanted], NOON)
    assert (planned.spec_digest, planned.settings) == (SPEC, wanted.settings)
    assert tuple(store.missing(B)) == (planned,)


def test_a_batch_of_which_nothing_ran_can_be_forgotten(store: Store) -> None:
    store.plan(BatchId("empty"), [Wanted(a_cell(), 2, text_digest("spec"))], NOON)
    store.plan(BatchId("b"), [Wanted(a_cell(), 2, text_digest("spec"))], NOON)
    store.save(a_record())
    for batch in ("empty", "b", "never"):
        store.forget(BatchId(batch))
    assert [batch.id for batch in store.batches()] == ["b"]
    assert store.batch(BatchId("b")).planned == 2


def test_one_batch_s_plan_is_nothing_to_another(store: Store) -> None:
    store.plan(B, [Wanted(a_cell(), 2, SPEC)], NOON)
    (first,) = store.plan(BatchId("c"), [Wanted(a_cell(), 1, SPEC)], NOON)
    assert first.iteration == 1
    assert len(store.missing(B)) == 2


def test_threads_that_continue_a_batch_at_once_get_different_iterations(store: Store) -> None:
    def reserve(_: int) -> list[int]:
        return [p.iteration for p in store.plan(B, [Wanted(a_cell(), 2, SPEC)], NOON)]

    with ThreadPoolExecutor(4) as pool:
        got = [n for part in pool.map(reserve, range(8)) for n in part]
    assert sorted(got) == list(range(1, 17))


def test_planned_runs_without_a_record_are_missing_in_planned_order(store: Store) -> None:
    tiers = ("L2", "L0", "L1")
    store.plan(B, [Wanted(a_cell(tier=tier), 2, SPEC) for tier in tiers], NOON)
    store.save(a_record(cell=a_cell(tier="L0")))
    missing = [(p.cell.tier, p.iteration) for p in store.missing(B)]
    assert missing == [("L2", 1), ("L2", 2), ("L0", 2), ("L1", 1), ("L1", 2)]


@pytest.mark.parametrize("cause", Cause)
def test_a_faulted_run_is_missing_exactly_when_its_cause_is_retried(
    store: Store, cause: Cause
) -> None:
    store.plan(B, [Wanted(a_cell(), 1, SPEC)], NOON)
    store.save(faulted(a_record(), cause))
    assert bool(store.missing(B)) == TABLE[cause].retried


def test_an_interrupted_session_is_missing_and_one_that_ran_out_of_time_is_not(
    store: Store,
) -> None:
    store.plan(B, [Wanted(a_cell(), 2, SPEC)], NOON)
    interrupted = replace(a_record(), session=Session(Ending.INTERRUPTED, 1.0))
    exhausted = replace(a_record(), session=Session(Ending.TIMED_OUT, 1.0))
    store.save(numbered(interrupted, "run_1", 1))
    store.save(numbered(exhausted, "run_2", 2))
    assert [p.iteration for p in store.missing(B)] == [1]


def test_a_retry_that_went_well_settles_a_faulted_run(store: Store) -> None:
    store.plan(B, [Wanted(a_cell(), 1, SPEC)], NOON)
    store.save(faulted(a_record("run_1"), Cause.SANDBOX))
    store.save(a_record("run_2", minute=1))
    store.save(faulted(a_record("run_3", minute=2), Cause.SANDBOX))
    assert not store.missing(B)
    assert store.batch(B).finished


def test_a_run_of_another_cell_iteration_or_batch_settles_nothing(
    store: Store, full_record: RunRecord
) -> None:
    store.plan(B, [Wanted(a_cell(), 1, SPEC)], NOON)
    store.save(replace(a_record("run_1"), batch=BatchId("other")))
    store.save(numbered(a_record(), "run_2", 2))
    store.save(replace(a_record("run_3"), cell=replace(a_cell(), model="m")))
    store.save(replace(a_record("run_4"), cell=full_record.cell))
    assert len(store.missing(B)) == 1


def test_a_batch_tells_how_much_was_asked_of_it_and_whether_it_is_done(store: Store) -> None:
    store.plan(B, [Wanted(a_cell(), 1, SPEC)], NOON)
    store.plan(B, [Wanted(a_cell(), 1, SPEC)], NOON + timedelta(hours=1))
    store.save(a_record())
    unfinished = store.batch(B)
    assert (unfinished.created_at, unfinished.planned, unfinished.finished) == (NOON, 2, False)
    store.save(numbered(a_record(), "run_2", 2))
    assert store.batch(B).finished


def test_a_batch_that_nobody_planned_begins_with_its_first_run(store: Store) -> None:
    store.save(a_record(minute=5))
    batch = store.batch(B)
    assert (batch.created_at, batch.planned, batch.finished) == (
        NOON + timedelta(minutes=5), 0, True,
    )  # fmt: skip
    assert not store.missing(B)


def test_batches_are_listed_newest_first(store: Store) -> None:
    for hour, name in enumerate("bca"):
        store.plan(BatchId(name), [Wanted(a_cell(), hour, SPEC)], NOON + timedelta(hours=hour))
    assert [(b.id, b.planned, b.finished) for b in store.batches()] == [
        ("a", 2, False), ("c", 1, False), ("b", 0, True),
    ]  # fmt: skip
    assert [b.id for b in store.batches(limit=2)] == ["a", "c"]


def test_a_misspelt_batch_gets_the_nearest_one(store: Store) -> None:
    store.plan(BatchId("nightly"), [], NOON)
    with pytest.raises(UsageError, match=r"no batch 'nigthly'; did you mean 'nightly'?"):
        store.batch(BatchId("nigthly"))
    with pytest.raises(UsageError, match=r"did you mean 'nightly'?"):
        store.missing(BatchId("nigthly"))


def test_a_batch_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    for name in ("nightly_1", "nightly_2", "weekly"):
        store.plan(BatchId(name), [Wanted(a_cell(), 1, SPEC)], NOON)
    found = store.batch_by_prefix("week")
    assert (found.id, found.planned) == ("weekly", 1)
    with pytest.raises(UsageError, match="batch 'ni' could be 'nightly_1', 'nightly_2'; give more"):
        store.batch_by_prefix("ni")


def test_a_batch_whose_id_begins_another_is_found_itself(store: Store) -> None:
    for name in ("b10", "b1"):
        store.plan(BatchId(name), [], NOON)
    assert store.batch_by_prefix("b1").id == "b1"


def test_no_wildcard_and_no_other_case_finds_a_batch(store: Store) -> None:
    store.plan(BatchId("nightly"), [], NOON)
    for wild in ("night%", "n_ghtly", "NIGHT", "*", "nightly'"):
        with pytest.raises(UsageError, match="no batch"):
            store.batch_by_prefix(wild)
    with pytest.raises(UsageError, match=r"did you mean 'nightly'?"):
        store.batch_by_prefix("nigthly")


def test_the_runs_of_a_batch_that_is_not_there_are_none(store: Store) -> None:
    assert not store.runs(BatchId("nothing"))


def test_a_control_is_kept_once(store: Store, full_record: RunRecord) -> None:
    control = Control(SPEC, full_record.commands, full_record.checks)
    assert store.control(SPEC) is None
    store.save_control(control)
    store.save_control(replace(control, checks=()))
    assert store.control(SPEC) == control


@pytest.mark.parametrize("data", [b"", b"text\n" * 1000, bytes(range(256)) * 99], ids=len)
def test_content_comes_back_as_it_was_kept(artifacts: Artifacts, data: bytes) -> None:
    artifact = artifacts.put("out.txt", data)
    assert (artifact.name, artifact.size_bytes) == ("out.txt", len(data))
    assert artifacts.get(artifact) == data


def test_equal_content_has_one_digest_whatever_its_name(artifacts: Artifacts) -> None:
    assert artifacts.put("a", b"same").digest == artifacts.put("b", b"same").digest


def test_content_that_was_never_kept_is_a_fault(artifacts: Artifacts) -> None:
    with pytest.raises(StoreFault, match=r"log\.txt|ab"):
        artifacts.get(Artifact("log.txt", text_digest("never"), 5))
