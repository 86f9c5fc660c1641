from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.errors import StoreFault
from harness.store import sqlite as sqlite_module
from harness.store.base import Wanted
from harness.store.queries import BATCH_ROWS, OTHER_RESULT
from harness.store.sqlite import SqliteStore
from harness.testing.store import NOON, a_cell, a_record

WRITER = Path(__file__).with_name("writer.py")
ROOT = Path(__file__).parents[2]
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "bench.db"


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(sql)


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A folder of one's own, and no rights beyond it: permissions do not bind root."""
    folder = Path(tempfile.mkdtemp())
    was = os.geteuid()
    if was == 0:
        os.chown(folder, NOBODY, -1)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        folder.chmod(0o700)
        os.seteuid(was)
        shutil.rmtree(folder)


def test_the_database_is_safe_against_a_crash_and_a_power_cut(path: Path) -> None:
    with SqliteStore.open(path) as store, store.engine.connect() as db:
        got = [db.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in
               ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")]  # fmt: skip
    assert got == ["wal", 2, 1, 30_000]


def test_a_run_and_a_plan_are_flushed_at_once_and_a_claim_with_what_comes_next(path: Path) -> None:
    flushed: list[int] = []
    with SqliteStore.open(path) as store:
        event.listen(
            store.engine,
            "commit",
            lambda db: flushed.append(db.exec_driver_sql("PRAGMA synchronous").scalar_one()),
        )
        batch, run = BatchId("b"), a_record()
        (planned,) = store.plan(batch, [Wanted(run.cell, 1, run.spec_digest)], NOON)
        store.claim(batch, planned, "me", NOON, NOON, lambda _: True)
        store.save(run)
        store.renew("me", NOON)
    full, normal = 2, 1
    assert flushed == [full, normal, full, normal]


def test_a_run_whose_rows_cannot_all_be_written_is_not_there_at_all(
    path: Path, full_record: RunRecord
) -> None:
    with SqliteStore.open(path) as store:
        change(path, "CREATE TRIGGER t BEFORE INSERT ON checks WHEN NEW.position = 1"
                     " BEGIN SELECT RAISE(ROLLBACK, 'no'); END")  # fmt: skip
        with pytest.raises(Exception, match="no"):
            store.save(full_record)
        assert not store.runs()
        assert not store.batches()


def test_a_folder_in_the_place_of_the_database_is_a_fault(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreFault, match=r"could not open the database in .*bench\.db: unable"):
        SqliteStore.open(path)


def test_a_file_in_the_place_of_the_folder_is_a_fault(path: Path) -> None:
    path.parent.write_text("in the way")
    with pytest.raises(StoreFault, match="could not make the folder"):
        SqliteStore.open(path)


def test_a_file_that_is_no_database_is_a_fault_that_says_what_next(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else entirely " * 100)
    with pytest.raises(StoreFault, match="not a database; it is damaged: restore a copy"):
        SqliteStore.open(path)


def test_a_damaged_database_is_a_fault(path: Path) -> None:
    with SqliteStore.open(path) as store:
        for n in range(50):
            store.save(a_record(f"run_{n}"))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with pytest.raises(StoreFault, match="damaged"), SqliteStore.open(path) as store:
        store.runs()


def test_a_locked_database_is_a_fault_that_says_what_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "BUSY_S", 0.05)
    with SqliteStore.open(path) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFault, match=r"store run 'run_1' in .*locked; another process"):
            store.save(a_record())
        assert not store.runs()
        other.rollback()
        store.save(a_record())


def test_a_full_disk_is_a_fault_that_says_what_next(path: Path) -> None:
    with SqliteStore.open(path) as store:
        with store.engine.connect() as db:
            db.exec_driver_sql("PRAGMA max_page_count = 1")
        many = replace(a_record(), checks=a_record().checks * 1000)
        with pytest.raises(StoreFault, match="full; make room on the disk"):
            store.save(many)
        assert not store.runs()


def test_a_read_only_database_is_a_fault_that_says_what_next() -> None:
    with as_nobody() as folder:
        path = folder / "bench.db"
        with SqliteStore.open(path) as store:
            store.save(a_record())
        path.chmod(0o400)
        folder.chmod(0o500)
        with (
            pytest.raises(StoreFault, match=r"readonly|unable to open"),
            SqliteStore.open(path) as store,
        ):
            store.save(a_record("run_2"))


def test_a_database_that_is_busy_being_made_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Driver:
        refusals = 2

        def execute(self, statement: str) -> None:
            if statement.startswith("PRAGMA journal_mode") and self.refusals:
                self.refusals -= 1
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorname = "SQLITE_BUSY"
                raise error

    monkeypatch.setattr(sqlite_module, "BUSY_PAUSE_S", 0.0)
    driver = Driver()
    sqlite_module._configure(driver, None)  # type: ignore[arg-type]  # all that it uses of a driver
    assert driver.refusals == 0


def test_a_plan_of_many_cells_asks_no_more_than_a_plan_of_one(path: Path) -> None:
    asked: list[str] = []
    with SqliteStore.open(path) as store:
        event.listen(
            store.engine, "before_cursor_execute", lambda _db, _cursor, sql, *_: asked.append(sql)
        )
        for batch, cells in (("few", 1), ("many", 50)):
            wanted = [Wanted(a_cell(str(n)), 1, a_record().spec_digest) for n in range(cells)]
            store.plan(BatchId(batch), wanted, NOON)
    assert asked[: len(asked) // 2] == asked[len(asked) // 2 :]


def test_a_sum_is_made_without_reading_past_documents(path: Path) -> None:
    SqliteStore.open(path).close()
    drawn = "count(drawn_usd), sum(drawn_usd), sum(drawn_least_usd), sum(drawn_tokens)"
    ((*_, said),) = rows(path, f"EXPLAIN QUERY PLAN SELECT {drawn} FROM runs WHERE batch = 'b'")  # noqa: S608  # constants
    assert said == "SEARCH runs USING COVERING INDEX runs_by_spending (batch=?)"


def test_a_run_of_a_spec_is_found_by_an_index(path: Path) -> None:
    SqliteStore.open(path).close()
    asked = "SELECT document FROM runs WHERE spec_digest = 's' ORDER BY started_at DESC LIMIT 1"
    ((*_, said),) = rows(path, f"EXPLAIN QUERY PLAN {asked}")
    assert said == "SEARCH runs USING INDEX runs_of_a_spec (spec_digest=?)"


def test_whether_a_batch_is_finished_is_answered_by_indexes(path: Path) -> None:
    with SqliteStore.open(path) as store, store.engine.connect() as db:
        asked = BATCH_ROWS.compile(db, compile_kwargs={"literal_binds": True})
        plan = [step[-1] for step in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")]
    assert "SEARCH runs USING INDEX runs_settling (batch=? AND cell=? AND iteration=?)" in plan
    (said,) = rows(path, "SELECT sql FROM sqlite_master WHERE name = 'runs_settling'")
    assert "(batch, cell, iteration, cause)" in said[0], "all that is asked of a record"


def test_another_result_of_a_run_is_found_without_reading_past_those_of_its_batch(
    path: Path,
) -> None:
    words = str(OTHER_RESULT.compile(dialect=SQLiteDialect_pysqlite()))
    asked = [None] * words.count("?")
    with SqliteStore.open(path) as store, store.engine.connect() as db:
        said = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", tuple(asked)).all()
    assert all("batch=? AND cell=? AND iteration=?" in row[-1] for row in said)
