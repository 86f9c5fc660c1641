from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from harness.errors import StoreFault
from harness.interrupts import Interrupts
from harness.store import patience, sqlite
from harness.store.patience import save_patiently
from harness.store.sqlite import SqliteStore
from harness.testing.store import MemoryStore, a_record

RECORD = a_record()


class Failing(MemoryStore):
    """Takes a run only after so many refusals."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals

    def save(self, record: object) -> None:
        self.refusals -= 1
        if self.refusals >= 0:
            raise StoreFault("database or disk is full")
        super().save(record)  # type: ignore[arg-type]  # a record


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSE_S", 0.01)


def test_a_run_is_stored_when_room_was_made_and_who_looks_on_is_told() -> None:
    store, told = Failing(3), []
    save_patiently(store, RECORD, lambda _run, text: told.append(text))
    assert store.run(RECORD.id) == RECORD
    assert len(told) == 3
    assert "trying again: database or disk is full" in told[0]


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 0.05)
    with pytest.raises(StoreFault, match="full"):
        save_patiently(Failing(10**6), RECORD, lambda _run, _text: None)


def test_who_wants_to_stop_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = Interrupts()
    signals.stopping = True
    monkeypatch.setattr(patience, "INTERRUPTS", signals)
    with pytest.raises(StoreFault):
        save_patiently(Failing(1), RECORD, lambda _run, _text: None)


def test_a_database_that_is_locked_for_longer_than_a_writer_waits_loses_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    with SqliteStore.open(tmp_path / "bench.db") as store:
        other = sqlite3.connect(tmp_path / "bench.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        told: list[str] = []
        thread = threading.Thread(
            target=save_patiently, args=(store, RECORD, lambda _run, text: told.append(text))
        )
        thread.start()
        deadline = time.monotonic() + 30
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        other.execute("ROLLBACK")
        other.close()
        thread.join(30)
        assert store.run(RECORD.id) == RECORD
    assert "locked" in told[0]
