from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.errors import StoreFault, UsageError
from harness.store import sqlite as sqlite_module
from harness.store.migrations import MIGRATIONS, migrate
from harness.store.schema import METADATA
from harness.store.sqlite import SqliteStore
from harness.testing.store import a_record

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
def writers(
    path: Path, names: Sequence[str], count: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    started = [
        subprocess.Popen(
            [sys.executable, str(WRITER), str(path), name, str(count)],
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


def test_what_was_stored_is_there_when_the_database_is_opened_again(path: Path) -> None:
    with SqliteStore.open(path) as store:
        store.save(a_record())
    with SqliteStore.open(path) as store:
        assert store.run("run_1") == a_record()


def test_the_database_is_safe_against_a_crash_and_a_power_cut(path: Path) -> None:
    with SqliteStore.open(path) as store, store.engine.connect() as db:
        got = [db.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in
               ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")]  # fmt: skip
    assert got == ["wal", 2, 1, 30_000]


def test_lists_and_queries_find_their_columns(path: Path, full_record: RunRecord) -> None:
    with SqliteStore.open(path) as store:
        store.save(full_record)
    assert rows(path, "SELECT batch, tier, model, status, cause, passed, cost_usd FROM runs") == [
        ("b", "L1", "anthropic:x", "faulted", "evaluator", 0, 1e-9)
    ]
    assert rows(path, "SELECT specialist, specialist_version FROM runs") == [("@org/name", "1.2.3")]
    assert rows(path, "SELECT position, name, score, level FROM checks") == [
        (0, "test", 1 / 3, "B"), (1, "lint", None, None),
    ]  # fmt: skip


def test_two_processes_write_one_batch_and_lose_nothing(path: Path) -> None:
    with writers(path, ["one", "two"], 100) as both:
        for process in both:
            process.communicate(timeout=60)
        assert [process.returncode for process in both] == [0, 0]
    with SqliteStore.open(path) as store:
        runs = store.runs(BatchId("b"))
        assert sorted(run.iteration for run in runs) == list(range(1, 201))
        assert store.batch(BatchId("b")).planned == 200
        assert store.batch(BatchId("b")).finished


def test_a_process_killed_at_any_moment_leaves_only_whole_runs(path: Path) -> None:
    names = ["a", "b", "c", "d"]
    with writers(path, names, 10_000) as started:
        for turn, process in enumerate(started):
            assert process.stdout
            process.stdout.readline()
            time.sleep(0.013 * turn)
            process.kill()
    with SqliteStore.open(path) as store:
        runs = store.runs(BatchId("b"))
        assert {run.id.split("_")[1] for run in runs} == set(names)
        reserved = store.batch(BatchId("b")).planned
        assert len(runs) <= reserved <= len(runs) + len(names)
        assert len(store.missing(BatchId("b"))) == reserved - len(runs)
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert not rows(path, "PRAGMA foreign_key_check")
    assert rows(path, "SELECT count(*) FROM checks") == [(20 * len(runs),)]


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


def test_a_damaged_document_is_a_fault_that_names_the_run(path: Path) -> None:
    with SqliteStore.open(path) as store:
        store.save(a_record())
        change(path, "UPDATE runs SET document = '{}'")
        with pytest.raises(StoreFault, match=r"run 'run_1' in .* cannot be read"):
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


@pytest.mark.parametrize("known", range(len(MIGRATIONS) + 1))
def test_a_database_of_every_earlier_version_is_brought_up_to_date(path: Path, known: int) -> None:
    path.parent.mkdir()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as db:
        migrate(db, str(path), MIGRATIONS[:known])
    engine.dispose()
    with SqliteStore.open(path) as store:
        store.save(a_record())
        assert store.run("run_1") == a_record()
    expected = [(n, step.__name__) for n, step in enumerate(MIGRATIONS, 1)]
    assert rows(path, "SELECT number, name FROM migrations ORDER BY number") == expected


def test_migrations_are_numbered_in_order() -> None:
    assert [step.__name__[:5] for step in MIGRATIONS] == [
        f"m{n:03d}_" for n in range(1, len(MIGRATIONS) + 1)
    ]


def test_a_database_newer_than_the_code_is_refused_and_left_alone(path: Path) -> None:
    with SqliteStore.open(path) as store:
        store.save(a_record())
    change(path, "INSERT INTO migrations VALUES (99, 'm099_from_the_future')")
    with pytest.raises(UsageError, match=r"written by a newer Mintmark.*upgrade"):
        SqliteStore.open(path)
    assert rows(path, "SELECT id FROM runs") == [("run_1",)]


def test_the_migrations_make_the_tables_that_the_queries_expect(path: Path) -> None:
    with SqliteStore.open(path) as store:
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
    return {"DOUBLE": "REAL", "DOUBLE PRECISION": "REAL"}.get(str(kind), str(kind))


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
