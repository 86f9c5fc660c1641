"""What of the files can go, and what never does."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness import cleaning
from harness.agents import programs
from harness.cleaning import Cleaner, Needs, Swept, Waste
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest, RunId
from harness.domain.record import CommandResult, Control
from harness.errors import SandboxFault, StoreFault
from harness.ledger import Ledger
from harness.sandbox.owner import this_process
from harness.store.artifacts import FileArtifacts
from harness.store.base import Store
from harness.store.sqlite import SqliteStore
from harness.testing.builders import a_scenario
from harness.testing.store import a_record, a_review
from harness.workspace import FixtureStore

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with SqliteStore.open(tmp_path / "bench.db") as opened:
        yield opened


def age(*paths: Path, by: timedelta = 2 * DAY) -> None:
    for path in paths:
        at = (NOW - by).timestamp()
        os.utime(path, (at, at))


def kept(root: Path) -> list[Path]:
    return [path for path in (root / "artifacts").rglob("*") if path.is_file()]


def test_artefacts_go_that_nothing_stored_refers_to(tmp_path: Path, store: Store) -> None:
    artifacts = FileArtifacts(tmp_path)
    names = ("run", "control", "lost", "young")
    made = {name: artifacts.put(name, name.encode()) for name in names}
    results = {name: CommandResult(name, "x", 0, 1.0, made[name]) for name in names}
    store.save(replace(a_record(), commands=(results["run"],)))
    store.save_control(Control(Digest("0" * 64), (results["control"],), ()))
    age(*kept(tmp_path))
    artifacts.put("young", b"young")
    (waste,) = cleaning.artefacts(store, artifacts, NOW - DAY)
    assert (waste.count, waste.size_bytes > 0) == (1, True)
    assert waste.remove()
    for name in ("run", "control", "young"):
        assert artifacts.get(made[name]) == name.encode()
    with pytest.raises(StoreFault):
        artifacts.get(made["lost"])
    assert list(cleaning.artefacts(store, artifacts, NOW - DAY)) == []


def test_what_a_run_keeps_again_while_it_is_removed_stays(tmp_path: Path, store: Store) -> None:
    artifacts = FileArtifacts(tmp_path)
    store.save(a_record())
    artifact = artifacts.put("log", b"the same again")
    age(*kept(tmp_path))
    (waste,) = cleaning.artefacts(store, artifacts, NOW - DAY)
    # a run under way, whose record is still to come, made the same
    artifacts.put("log", b"the same again")
    assert not waste.remove()
    assert artifacts.get(artifact) == b"the same again"
    assert len(kept(tmp_path)) == 1


def test_without_a_stored_run_no_artefact_and_no_tree_is_judged(
    tmp_path: Path, store: Store
) -> None:
    artifacts, ledger = FileArtifacts(tmp_path), Ledger.open(tmp_path / "ledger.git")
    artifacts.put("log", b"of a database that was moved away")
    base = ledger.base(Digest("1" * 64), a_scenario(tmp_path / "s").fixture)
    ledger.commit(RunId("run_1"), base, Changes())
    age(*kept(tmp_path), tmp_path / "ledger.git/refs/runs/run_1")
    assert list(cleaning.artefacts(store, artifacts, NOW)) == []
    assert list(cleaning.trees(store, ledger, NOW)) == []


def test_half_written_artefacts_go(tmp_path: Path, store: Store) -> None:
    artifacts = FileArtifacts(tmp_path)
    store.save(a_record())
    half = tmp_path / "artifacts/unfinished/half"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert list(cleaning.artefacts(store, artifacts, NOW - DAY)) == []
    age(half)
    (waste,) = cleaning.artefacts(store, artifacts, NOW - DAY)
    assert waste.remove()
    assert not half.exists()


def test_trees_go_of_runs_that_were_never_stored(tmp_path: Path, store: Store) -> None:
    ledger = Ledger.open(tmp_path / "ledger.git")
    base = ledger.base(Digest("1" * 64), a_scenario(tmp_path / "s").fixture)
    store.save(a_record("run_1"))
    text = os.urandom(50_000)
    for run in ("run_1", "run_lost"):
        change = Change(run.encode(), ChangeKind.FILE, data=text + run.encode())
        tree = ledger.commit(RunId(run), base, Changes((change,)))
        age(tmp_path / "ledger.git/refs/runs" / run)
    (waste,) = cleaning.trees(store, ledger, NOW - DAY)
    assert waste.count == 1
    assert waste.size_bytes > 40_000
    assert waste.remove()
    assert list(cleaning.trees(store, ledger, NOW - DAY)) == []
    refs = [path.name for path in (tmp_path / "ledger.git/refs/runs").iterdir()]
    assert refs == ["run_1"]
    assert tree.base == base


def a_copy(folder: Path, name: str) -> Path:
    home = folder / "fixtures" / name
    (home / "tree").mkdir(parents=True)
    (home / "tree/file").write_bytes(bytes(10_000))
    age(home)
    return home


def test_copies_of_fixtures_go_that_are_not_needed_and_none_under_a_run(tmp_path: Path) -> None:
    scenario = a_scenario(tmp_path / "scenario")
    needs = Needs.of([scenario], [])
    needed = a_copy(tmp_path, scenario.digests.fixture[:32])
    unused, used = a_copy(tmp_path, "a" * 32), a_copy(tmp_path, "b" * 32)
    os.utime(used)
    fixtures = FixtureStore(tmp_path / "fixtures")
    under_way = tmp_path / "run/1"
    under_way.mkdir(parents=True)
    (under_way / "owner").write_text(this_process())
    assert list(cleaning.copies(fixtures, needs, tmp_path, NOW - DAY)) == []
    (under_way / "owner").write_text("nobody")
    (waste,) = cleaning.copies(fixtures, needs, tmp_path, NOW - DAY)
    assert waste.size_bytes >= 10_000
    assert waste.remove()
    assert (needed.exists(), unused.exists(), used.exists()) == (True, False, True)
    assert not waste.remove()


def test_archives_go_that_no_agent_of_this_version_needs(tmp_path: Path) -> None:
    needs = Needs.of([], programs.every())
    folder = tmp_path / "programs"
    folder.mkdir()
    stays, goes = ({*needs.archives}.pop(), "pin.integrity", "new.tgz"), ("old.tgz", "old.part")
    for name in (*stays, *goes):
        (folder / name).write_bytes(b"x")
        age(folder / name)
    os.utime(folder / "new.tgz")
    found = list(cleaning.archives(tmp_path, needs, NOW - DAY))
    assert sorted(waste.name for waste in found) == sorted(goes)
    assert all(waste.remove() for waste in found)
    assert {path.name for path in folder.iterdir()} == {*stays}


def test_every_judgement_and_run_of_the_store_is_referred_to(store: Store) -> None:
    store.save(a_record("run_1"))
    store.save_review(a_review("run_1"))
    references = store.references()
    assert references.runs == {"run_1"}
    assert a_review("run_1").judgement.rubric in references.digests


def test_a_fault_of_one_kind_keeps_no_other_from_going() -> None:
    def bad(_before: datetime) -> Iterator[Waste]:
        raise StoreFault("locked")

    def refused() -> bool:
        raise StoreFault("no")

    fine = Waste("kind", "fine", 3, "", lambda: True, 2)
    worse = Waste("kind", "worse", 3, "", refused)
    spared = Waste("kind", "spared", 3, "", lambda: False)
    swept = Cleaner([bad, lambda _before: [worse, fine, spared]]).sweep(NOW)
    assert swept == Swept((fine,), (spared,), ("locked", "kind worse: no"))
    assert swept.size_bytes == 3


@pytest.mark.parametrize(
    "error",
    [
        shutil.Error([("from", "to", "[Errno 28] No space left on device: 'to'")]),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    ],
    ids=["some files", "the folder"],
)
def test_a_fixture_that_finds_no_room_is_a_fault_of_the_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(shutil, "copytree", refuse)
    fixtures, scenario = FixtureStore(tmp_path / "fixtures"), a_scenario(tmp_path / "scenario")
    with pytest.raises(SandboxFault, match=r"No space left on device.*then resume"):
        fixtures.tree(scenario)
    with pytest.raises(SandboxFault, match="No space left"), fixtures.packed(scenario):
        pass
    assert [path.name for path in (tmp_path / "fixtures").iterdir()] == ["lock"]
