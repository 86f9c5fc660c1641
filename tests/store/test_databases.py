"""What every database under the store promises, beyond the contract."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, text

from harness.domain.ids import BatchId
from harness.domain.model import ModelUse, Usage
from harness.domain.record import CheckResult, RunRecord
from harness.domain.session import Ending, Session
from harness.errors import StoreFault, UsageError
from harness.store.base import Spent
from harness.store.codec import encode, timestamp
from harness.store.migrations import MIGRATIONS, migrate
from harness.store.rows import run_row
from harness.store.schema import BATCHES, METADATA
from harness.testing.store import NOON, a_record
from tests.store.places import change, engine_of, opened, rows

WRITER = Path(__file__).with_name("writer.py")
ROOT = Path(__file__).parents[2]


@contextmanager
def writers(
    location: str, names: Sequence[str], count: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    started = [
        subprocess.Popen(
            [sys.executable, str(WRITER), location, name, str(count)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for name in names
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_what_was_stored_is_there_when_the_database_is_opened_again(location: str) -> None:
    with opened(location) as store:
        store.save(a_record())
    with opened(location) as store:
        assert store.run("run_1") == a_record()


def test_lists_and_queries_find_their_columns(location: str, full_record: RunRecord) -> None:
    with opened(location) as store:
        store.save(full_record)
    assert rows(
        location, "SELECT batch, tier, model, status, cause, passed, cost_usd FROM runs"
    ) == [("b", "L1", "anthropic:x", "faulted", "evaluator", 0, 1e-9)]
    assert rows(location, "SELECT specialist, specialist_version FROM runs") == [
        ("@org/name", "1.2.3")
    ]
    assert rows(location, "SELECT position, name, score, level FROM checks") == [
        (0, "test", 1 / 3, "B"), (1, "lint", None, None),
    ]  # fmt: skip


def test_two_processes_write_one_batch_and_lose_nothing(location: str) -> None:
    with writers(location, ["one", "two"], 100) as both:
        for process in both:
            process.communicate(timeout=60)
        assert [process.returncode for process in both] == [0, 0]
    with opened(location) as store:
        runs = store.runs(BatchId("b"))
        assert sorted(run.iteration for run in runs) == list(range(1, 201))
        assert store.batch(BatchId("b")).planned == 200
        assert store.batch(BatchId("b")).finished


def test_a_process_killed_at_any_moment_leaves_only_whole_runs(location: str) -> None:
    names = ["a", "b", "c", "d"]
    with writers(location, names, 10_000) as started:
        for turn, process in enumerate(started):
            assert process.stdout
            process.stdout.readline()
            time.sleep(0.013 * turn)
            process.kill()
    with opened(location) as store:
        runs = store.runs(BatchId("b"))
        assert {run.id.split("_")[1] for run in runs} == set(names)
        reserved = store.batch(BatchId("b")).planned
        assert len(runs) <= reserved <= len(runs) + len(names)
        assert len(store.missing(BatchId("b"))) == reserved - len(runs)
    if "://" not in location:
        assert rows(location, "PRAGMA integrity_check") == [("ok",)]
        assert not rows(location, "PRAGMA foreign_key_check")
    assert rows(location, "SELECT count(*) FROM checks") == [(20 * len(runs),)]


def test_a_damaged_document_is_a_fault_that_names_the_run(location: str) -> None:
    with opened(location) as store:
        store.save(a_record())
        change(location, "UPDATE runs SET document = '{}'")
        with pytest.raises(StoreFault, match=r"run 'run_1' in .* cannot be read"):
            store.runs()


@pytest.mark.parametrize("known", range(len(MIGRATIONS) + 1))
def test_a_database_of_every_earlier_version_is_brought_up_to_date(
    location: str, known: int
) -> None:
    with engine_of(location) as engine, engine.begin() as db:
        migrate(db, location, MIGRATIONS[:known])
    with opened(location) as store:
        store.save(a_record())
        assert store.run("run_1") == a_record()
    expected = [(n, step.__name__) for n, step in enumerate(MIGRATIONS, 1)]
    assert rows(location, "SELECT number, name FROM migrations ORDER BY number") == expected


def of_step_2(location: str, *documents: str) -> None:
    """A database from before spending had columns, with a run for each document."""
    with engine_of(location) as engine, engine.begin() as db:
        migrate(db, location, MIGRATIONS[:2])
        db.execute(insert(BATCHES).values(id="b", created_at=timestamp(NOON)))
        for n, document in enumerate(documents):
            row = {**run_row(a_record(f"run_{n}")), "document": document}
            known = {column["name"] for column in inspect(db).get_columns("runs")}
            row = {name: held for name, held in row.items() if name in known}
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            db.execute(text(f"INSERT INTO runs ({names}) VALUES ({values})"), row)  # noqa: S608  # column names


def a_drawing_record(*judges: ModelUse) -> RunRecord:
    checks = tuple(CheckResult("j", "llm_judge", 1.0, 1.0, use=use) for use in judges)
    session = Session(Ending.FINISHED, 1.0, model_use=ModelUse(Usage(1, 2, 4, 8, 2), 0.5))
    return replace(a_record(), session=session, checks=checks)


def test_what_was_stored_before_there_were_sums_is_part_of_them(location: str) -> None:
    session_only, judged = a_drawing_record(), a_drawing_record(ModelUse(Usage(16), 0.25))
    of_step_2(location, encode(a_record()), encode(session_only), encode(judged))
    with opened(location) as store:
        assert store.spent(BatchId("b")) == Spent(1.25, 1.25, 46)


def test_a_price_that_was_unknown_then_still_is(location: str) -> None:
    of_step_2(location, encode(a_drawing_record(ModelUse(Usage(16), None, least_usd=0.25))))
    with opened(location) as store:
        assert store.spent(BatchId("b")) == Spent(None, 0.75, 31)


def test_a_damaged_document_does_not_keep_a_database_from_being_brought_up_to_date(
    location: str,
) -> None:
    of_step_2(location, "{", "[]", encode(a_drawing_record()))
    with opened(location) as store:
        assert store.spent(BatchId("b")) == Spent(None, 0.5, 15)


def test_a_database_that_many_make_at_once_is_made_once(location: str) -> None:
    def make(n: int) -> None:
        with opened(location) as store:
            store.save(a_record(f"run_{n}"))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(make, range(6)))
    assert rows(location, "SELECT count(*) FROM runs") == [(6,)]
    assert rows(location, "SELECT count(*) FROM migrations") == [(len(MIGRATIONS),)]


def test_migrations_are_numbered_in_order() -> None:
    assert [step.__name__[:5] for step in MIGRATIONS] == [
        f"m{n:03d}_" for n in range(1, len(MIGRATIONS) + 1)
    ]


def test_a_database_newer_than_the_code_is_refused_and_left_alone(location: str) -> None:
    with opened(location) as store:
        store.save(a_record())
    change(location, "INSERT INTO migrations VALUES (99, 'm099_from_the_future')")
    with pytest.raises(UsageError, match=r"written by a newer Mintmark.*upgrade"):
        opened(location)
    assert rows(location, "SELECT id FROM runs") == [("run_1",)]


def test_the_migrations_make_the_tables_that_the_queries_expect(location: str) -> None:
    with opened(location) as store:
        found = inspect(store.engine)
        assert set(found.get_table_names()) == set(METADATA.tables)
        for table in METADATA.tables.values():
            columns = found.get_columns(table.name)
            made = [(c["name"], _sql(c["type"]), c["nullable"]) for c in columns]
            assert made == [(c.name, _sql(c.type), c.nullable) for c in table.columns]
            assert found.get_pk_constraint(table.name)["constrained_columns"] == [
                column.name for column in table.primary_key
            ]


def _sql(kind: object) -> str:
    name = str(kind).removesuffix(' COLLATE "C"')
    return {"DOUBLE": "REAL", "DOUBLE PRECISION": "REAL"}.get(name, name)
