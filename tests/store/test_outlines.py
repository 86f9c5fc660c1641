"""Runs without their documents: what the columns say is what the record says."""

from __future__ import annotations

import gc
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import insert, inspect, text

from harness.domain.failures import Cause
from harness.domain.ids import BatchId, RunId
from harness.domain.model import Budget, ModelRef, ModelSettings, ModelUse, Usage
from harness.domain.outline import outline_of
from harness.domain.record import CheckResult, Fault, RunRecord
from harness.domain.session import Ending, Session
from harness.errors import StoreFault
from harness.store.base import Store
from harness.store.codec import encode, timestamp
from harness.store.migrations import MIGRATIONS, migrate
from harness.store.rows import run_row
from harness.store.schema import BATCHES
from harness.testing.store import NOON, a_record
from tests.store.places import change, engine_of, opened, rows

B = BatchId("b")
JUDGED = (
    CheckResult("judge", "llm_judge", 0.5, 1.0, use=ModelUse(Usage(1, 2, 3, 4, 5), None, 2)),
    CheckResult("other", "llm_judge", None, 0.0, required=True, use=ModelUse(cost_usd=0.1)),
)


@pytest.fixture
def records(full_record: RunRecord) -> list[RunRecord]:
    """Runs that ended in every way, in the order of their beginning."""
    kinds = [
        full_record,
        replace(full_record, fault=None),
        replace(a_record(), checks=JUDGED, settings=ModelSettings(0.5, 10, "high", 7)),
        replace(a_record(), budget=Budget(0.5, 1, 2, 3), user=ModelRef("x", "y", "http://z/v1")),
        replace(a_record(), session=None, fault=Fault(Cause.SANDBOX, "work", "it broke")),
        replace(a_record(), session=None, tree=None, checks=(), total_score=None, passed=False),
        replace(a_record(), session=Session(Ending.INTERRUPTED, 0.25, usage=Usage())),
        replace(a_record(), checks=(CheckResult("t", "test", None, 1.0, crashed=True),)),
    ]
    return [
        replace(
            kind, id=RunId(f"run_{n}"), iteration=n + 1, started_at=a_record(minute=n).started_at
        )
        for n, kind in enumerate(kinds)
    ]


def stored_before(location: str, records: list[RunRecord], step: int) -> None:
    """A database as `step` left it, with these records in it."""
    with engine_of(location) as engine, engine.begin() as db:
        migrate(db, location, MIGRATIONS[:step])
        db.execute(insert(BATCHES).values(id=B, created_at=timestamp(NOON)))
        known = {column["name"] for column in inspect(db).get_columns("runs")}
        for record in records:
            row = {name: held for name, held in run_row(record).items() if name in known}
            values = ", ".join(f":{name}" for name in row)
            db.execute(text(f"INSERT INTO runs ({', '.join(row)}) VALUES ({values})"), row)  # noqa: S608  # column names


def test_an_outline_says_what_the_record_says(store: Store, records: list[RunRecord]) -> None:
    for record in reversed(records):
        store.save(record)
    assert list(store.outlines(B)) == [outline_of(record) for record in records]
    assert not store.outlines(BatchId("nothing"))


def test_runs_are_read_one_by_one_in_the_order_of_all_of_them(
    store: Store, records: list[RunRecord]
) -> None:
    for record in (*records, replace(a_record("run_x", minute=99), batch=BatchId("other"))):
        store.save(record)
    assert tuple(store.each(B)) == store.runs(B) == tuple(records)
    assert tuple(store.each()) == store.runs()
    first = next(store.each(B))
    assert first == records[0]


def test_a_reader_that_goes_away_in_the_middle_leaves_the_store_to_others(
    location: str, records: list[RunRecord]
) -> None:
    with opened(location) as store:
        for record in records[:2]:
            store.save(record)
        reading = store.each(B)
        next(reading)
        store.save(records[2])
        del reading
        assert len(store.outlines(B)) == 3


def test_what_was_stored_before_there_were_outlines_has_them_too(
    location: str, records: list[RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.store.old_outlines.AT_ONCE", 3)
    stored_before(location, records, 3)
    with opened(location) as store:
        assert list(store.outlines(B)) == [outline_of(record) for record in records]
    filled = "task_digest IS NOT NULL AND judging IS NOT NULL AND check_scores IS NOT NULL"
    assert rows(location, f"SELECT count(*) FROM runs WHERE {filled}") == [(len(records),)]  # noqa: S608  # our words


def test_a_document_without_the_fields_of_later_versions_has_an_outline(location: str) -> None:
    record = replace(a_record(), checks=JUDGED)
    stored_before(location, [record], 3)
    for field in ('"settings":', '"budget":', '"user":', '"crashed":'):
        old = f"replace(document, '{field}', '\"was {field[1:]}')"
        change(location, f"UPDATE runs SET document = {old}")  # noqa: S608  # our words
    with opened(location) as store:
        assert list(store.outlines(B)) == [outline_of(store.run("run_1"))]
        assert store.outlines(B)[0] == outline_of(record)


def test_a_run_that_an_older_version_stored_since_is_read_from_its_document(
    location: str, records: list[RunRecord]
) -> None:
    with opened(location) as store:
        for record in records:
            store.save(record)
        change(location, "UPDATE runs SET task_digest = NULL, asked = NULL, judging = NULL")
        assert list(store.outlines(B)) == [outline_of(record) for record in records]


def test_a_damaged_document_has_no_outline_and_says_so(location: str) -> None:
    stored_before(location, [a_record()], 3)
    change(location, "UPDATE runs SET document = '{'")
    with (
        opened(location) as store,
        pytest.raises(StoreFault, match=r"run 'run_1' in .* cannot be read: JSONDecodeError"),
    ):
        store.outlines(B)


def test_a_damaged_outline_says_so(location: str) -> None:
    with opened(location) as store:
        store.save(a_record())
        change(location, "UPDATE runs SET asked = '['")
        with pytest.raises(StoreFault, match=r"run 'run_1' in .* cannot be read"):
            store.outlines(B)


def test_one_run_without_an_outline_is_read_from_its_document_among_those_with_one(
    location: str, records: list[RunRecord]
) -> None:
    with opened(location) as store:
        for record in records:
            store.save(record)
        change(location, "UPDATE runs SET task_digest = NULL WHERE id = 'run_3'")
        change(location, "UPDATE runs SET document = '{' WHERE id <> 'run_3'")
        assert list(store.outlines(B)) == [outline_of(record) for record in records]


def test_scores_are_read_right_however_many_different_ones_there_are(
    store: Store, records: list[RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.store.outlines.KNOWN", 1)
    for record in records:
        store.save(record)
    assert list(store.outlines(B)) == [outline_of(record) for record in records]


@pytest.mark.parametrize("document", ["{}", "["])
def test_the_collector_is_what_it_was_when_outlines_were_read(location: str, document: str) -> None:
    was = gc.isenabled()
    try:
        with opened(location) as store:
            store.save(a_record())
            change(location, f"UPDATE runs SET asked = '{document}'")  # noqa: S608  # our words
            for turn, is_on in ((gc.enable, True), (gc.disable, False)):
                turn()
                with suppress(StoreFault):
                    store.outlines(B)
                assert gc.isenabled() == is_on
    finally:
        (gc.enable if was else gc.disable)()


def test_outlines_need_no_document(location: str) -> None:
    with opened(location) as store:
        store.save(a_record())
        change(location, "UPDATE runs SET document = 'nothing of it is looked at'")
        assert list(store.outlines(B)) == [outline_of(a_record())]


def test_sqlite_answers_from_an_index_and_reads_past_no_document(location: str) -> None:
    from harness.store.outlines import OUTLINE_ROWS  # noqa: PLC0415  # for this one alone
    from harness.store.schema import RUNS  # noqa: PLC0415  # likewise

    if "://" in location:
        return
    query = OUTLINE_ROWS.where(RUNS.c.batch == "b").order_by(RUNS.c.started_at, RUNS.c.id)
    with opened(location) as store, store.engine.connect() as db:
        said = query.compile(db, compile_kwargs={"literal_binds": True})
        plan = [row[-1] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}")]
    assert plan == ["SEARCH runs USING COVERING INDEX runs_outlined (batch=?)"]


def test_the_document_of_a_record_is_what_it_was(location: str, full_record: RunRecord) -> None:
    with opened(location) as store:
        store.save(full_record)
    assert rows(location, "SELECT document FROM runs") == [(encode(full_record),)]
