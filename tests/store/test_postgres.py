"""What is particular to the store in PostgreSQL."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import psycopg
import pytest

from harness.domain.digests import text_digest
from harness.domain.ids import BatchId
from harness.errors import StoreFault, UsageError
from harness.store import postgres as postgres_module
from harness.store.base import Planned, Wanted
from harness.store.postgres import PostgresStore
from harness.testing.store import NOON, a_cell, a_record
from tests.store.places import rows
from tests.store.server import Server

B = BatchId("b")
OF_STORES = "FROM pg_stat_activity WHERE application_name = 'mintmark'"
END_OTHERS = f"SELECT pg_terminate_backend(pid) {OF_STORES}"
WRONG = "hunter2-hunter2"


@pytest.fixture
def store(database: str) -> Iterator[PostgresStore]:
    with PostgresStore.open(database) as opened:
        yield opened


@pytest.mark.postgres
def test_a_wrong_password_is_the_user_s_to_mend_and_is_not_repeated(server: Server) -> None:
    with pytest.raises(UsageError, match=r"password authentication failed.*see that user") as said:
        PostgresStore.open(server.url("postgres", password=WRONG))
    assert "hunter2" not in str(said.value)
    assert f"postgresql://mintmark@127.0.0.1:{server.port}/postgres" in str(said.value)


@pytest.mark.postgres
def test_a_password_among_the_options_is_not_repeated_either(server: Server) -> None:
    url = f"postgresql://mintmark@127.0.0.1:{server.port}/postgres?password=hunter2-hunter2"
    with pytest.raises(UsageError, match="password authentication failed") as said:
        PostgresStore.open(url)
    assert "hunter2" not in str(said.value)


@pytest.mark.postgres
def test_a_database_that_is_not_there_is_to_be_made(server: Server) -> None:
    with pytest.raises(UsageError, match=r'"nothing" does not exist; make it with createdb'):
        PostgresStore.open(server.url("nothing"))


@pytest.mark.postgres
def test_a_user_who_may_not_make_tables_is_told_what_to_grant(server: Server) -> None:
    url = server.new()
    name = url.rpartition("/")[2]
    server.run(f"CREATE ROLE guest LOGIN PASSWORD '{WRONG}'")
    server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC", name)
    with pytest.raises(UsageError, match=r"permission denied .*GRANT CREATE ON SCHEMA public"):
        PostgresStore.open(server.url(name, user="guest", password=WRONG))


@pytest.mark.postgres
def test_a_database_that_cannot_hold_every_text_is_refused(server: Server) -> None:
    url = server.new("ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
    with pytest.raises(UsageError, match=r"keeps text as SQL_ASCII.*createdb -E UTF8"):
        PostgresStore.open(url)


def test_a_server_that_does_not_answer_is_named(free_port: int) -> None:
    with pytest.raises(UsageError, match=r"(?i)refused.*; see that the server runs") as said:
        PostgresStore.open(f"postgresql://ann:hunter2@127.0.0.1:{free_port}/runs")
    assert f"postgresql://ann@127.0.0.1:{free_port}/runs" in str(said.value)
    assert "hunter2" not in str(said.value)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://ann:hunter2@host:port/runs", "no URL of the form"),
        ("postgresql://ann:hunter@2@host/runs", "write %40 for @"),
        ("postgresql://ann:hunter2@host", "names no database"),
        ("postgresql:/ann:hunter2@host/runs", "no URL of the form"),
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        PostgresStore.open(address)
    assert "hunter" not in str(refused.value)
    assert "hunter" not in str(refused.value.__cause__)


def test_without_its_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"pip install 'mintmark\[postgres\]'") as said:
        PostgresStore.open("postgresql://ann:hunter2@localhost/runs")
    assert "hunter2" not in str(said.value)


@pytest.mark.parametrize("words", postgres_module.BUSY)
def test_a_server_that_is_only_busy_is_a_fault_of_the_world(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise psycopg.OperationalError(f"FATAL: the database system is {words}")

    monkeypatch.setattr(psycopg, "connect", refuse)
    with pytest.raises(StoreFault, match="try again"):
        PostgresStore.open("postgresql://ann@localhost/runs")


@pytest.mark.postgres
def test_a_server_that_was_started_anew_between_two_runs_is_no_fault(
    store: PostgresStore, server: Server
) -> None:
    store.save(a_record("run_1"))
    server.run(END_OTHERS)
    store.save(a_record("run_2"))
    assert len(store.runs()) == 2


@pytest.mark.postgres
def test_a_server_that_ends_in_the_middle_is_a_fault_and_nothing_is_half_done(
    store: PostgresStore, server: Server
) -> None:
    (run,) = store.plan(B, [Wanted(a_cell(), 1, text_digest("spec"))], NOON)
    until = NOON + timedelta(minutes=5)
    store.claim(B, run, "first", NOON, until, lambda _owner: True)

    def end(_owner: str) -> bool:
        server.run(END_OTHERS)
        return False

    with pytest.raises(StoreFault, match=r"could not claim .* in postgresql://mintmark@.*resume"):
        store.claim(B, run, "second", NOON, until, end)
    assert [claim.owner for claim in store.claims(B)] == ["first"]


@pytest.mark.postgres
def test_whoever_holds_a_batch_for_too_long_is_not_waited_for_forever(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "BUSY_S", 0.2)
    with PostgresStore.open(database) as store, psycopg.connect(database) as other:
        store.plan(B, [], NOON)
        other.execute("SELECT id FROM batches FOR UPDATE")
        with pytest.raises(StoreFault, match=r"store run 'run_1' in .*lock.*another process holds"):
            store.save(a_record())
        other.rollback()
        store.save(a_record())


@pytest.mark.postgres
def test_whoever_falls_asleep_with_a_batch_in_hand_is_sent_away(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Planned(a_cell(), 1, text_digest("spec"))
    with PostgresStore.open(database) as store:
        store.plan(B, [Wanted(a_cell(), 1, text_digest("spec"))], NOON)
        store.claim(B, run, "first", NOON, NOON + timedelta(minutes=5), lambda _owner: True)
    monkeypatch.setattr(postgres_module, "BUSY_S", 0.2)
    asleep, done = threading.Event(), threading.Event()

    def sleep(_owner: str) -> bool:
        asleep.set()
        done.wait(30)
        return False

    with PostgresStore.open(database) as sleeper, ThreadPoolExecutor(1) as pool:
        until = NOON + timedelta(minutes=5)
        second = pool.submit(sleeper.claim, B, run, "second", NOON, until, sleep)
        asleep.wait(30)
        monkeypatch.setattr(postgres_module, "BUSY_S", 30.0)
        with PostgresStore.open(database) as other:
            other.save(a_record())
        done.set()
        with pytest.raises(StoreFault, match=r"could not claim .*resume"):
            second.result()


@pytest.mark.postgres
def test_two_batches_do_not_wait_for_each_other(store: PostgresStore, database: str) -> None:
    for name in ("b", "held"):
        store.plan(BatchId(name), [], NOON)
    with psycopg.connect(database) as other:
        other.execute("SELECT id FROM batches WHERE id = 'held' FOR UPDATE")
        store.save(a_record())
    assert len(store.runs(B)) == 1


@pytest.mark.postgres
def test_many_threads_share_a_few_connections(store: PostgresStore, database: str) -> None:
    with ThreadPoolExecutor(24) as pool:
        list(pool.map(store.save, [a_record(f"run_{n}") for n in range(48)]))
    assert len(store.runs(B)) == 48
    ((used,),) = rows(database, f"SELECT count(*) {OF_STORES}")
    assert isinstance(used, int)
    assert 1 <= used <= postgres_module.CONNECTIONS


@pytest.mark.postgres
def test_a_process_that_finds_no_connection_free_says_so(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "BUSY_S", 0.2)
    with PostgresStore.open(database) as store, ExitStack() as held:
        for _ in range(postgres_module.CONNECTIONS):
            held.enter_context(store.engine.connect())
        with pytest.raises(StoreFault, match=r"list batches .*every connection .* is in use"):
            store.batches()


@pytest.mark.postgres
def test_a_damaged_statement_is_our_bug_and_no_fault(store: PostgresStore, database: str) -> None:
    with psycopg.connect(database) as other:
        other.execute("ALTER TABLE runs DROP COLUMN threshold")
    with pytest.raises(Exception, match="threshold") as raised:
        store.save(a_record())
    assert not isinstance(raised.value, StoreFault)
