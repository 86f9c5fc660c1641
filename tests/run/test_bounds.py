from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.bounds import Bounds, Seldom
from harness.crew import run_batch
from harness.domain.ids import BatchId
from harness.errors import BatchStopped
from harness.interrupts import Interrupts
from harness.testing.builders import some_tools
from tests.run.test_crew import BUILD, some_specs


def test_a_time_is_over_when_it_is_over() -> None:
    now = 100.0
    bounds = Bounds(most_s=60, clock=lambda: now, began=now)
    assert bounds.reached() is None
    now = 160.0
    assert "60 s" in str(bounds.reached())


def test_a_disk_must_keep_room_and_one_that_is_not_there_is_not_asked(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    folders = (tmp_path / "absent", tmp_path)
    assert Bounds(min_free_bytes=free // 2, folders=folders).reached() is None
    assert str(tmp_path) in str(Bounds(min_free_bytes=free * 2, folders=folders).reached())


def test_no_run_begins_beyond_a_bound_and_the_batch_says_which(tmp_path: Path) -> None:
    fakes, ticks = some_tools(BUILD), iter([0.0, 1.0, 60.0, 60.0, 60.0])
    bounds = Bounds(most_s=60, clock=lambda: next(ticks), began=0.0)
    with pytest.raises(BatchStopped, match="time is over"):
        list(run_batch(some_specs(tmp_path, 9), BatchId("batch"), fakes.tools, 1, bounds))
    assert len(fakes.store.runs()) == 2


def test_a_bound_that_is_reached_when_all_is_done_stops_nothing(tmp_path: Path) -> None:
    fakes, ticks = some_tools(BUILD), iter([0.0, 60.0, 60.0, 60.0])
    bounds = Bounds(most_s=60, clock=lambda: next(ticks), began=0.0)
    assert len(list(run_batch(some_specs(tmp_path, 1), BatchId("b"), fakes.tools, 1, bounds))) == 1


def a_full_disk(folder: Path) -> int:
    """A limit that the folder's disk does not keep."""
    return shutil.disk_usage(folder).free * 2


def test_room_is_made_before_a_full_disk_ends_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([10, 100])
    monkeypatch.setattr("harness.bounds._free_bytes", lambda _folder: next(free))
    asked: list[str] = []
    bounds = Bounds(min_free_bytes=50, folders=[tmp_path], make_room=lambda: asked.append("room"))
    assert bounds.reached() is None
    assert asked == ["room"]


def test_a_disk_that_stays_full_ends_the_batch_and_room_is_made_seldom(tmp_path: Path) -> None:
    now, made = 0.0, []
    room = Seldom(lambda: made.append(now), every_s=300, clock=lambda: now)
    bounds = Bounds(min_free_bytes=a_full_disk(tmp_path), folders=[tmp_path], make_room=room)
    for now in (0.0, 1.0, 299.0, 300.0, 500.0, 700.0):  # noqa: B007  # the clock reads it
        assert "--min-free-disk" in str(bounds.reached())
    assert made == [0.0, 300.0, 700.0]


def test_nothing_is_removed_while_there_is_room(tmp_path: Path) -> None:
    bounds = Bounds(min_free_bytes=1, folders=[tmp_path], make_room=lambda: pytest.fail("asked"))
    assert bounds.reached() is None


def test_an_engine_that_is_away_is_waited_for() -> None:
    answers, slept = iter(["refused", "refused", None]), []
    bounds = Bounds(engine=lambda: next(answers), sleep=slept.append)
    assert bounds.reached() is None
    assert len(slept) == 2


def test_an_engine_that_does_not_come_back_ends_the_batch() -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    bounds = Bounds(engine=lambda: "refused", clock=lambda: now, began=0.0, sleep=sleep)
    assert "did not come back within 120 s: refused" in str(bounds.reached())
    assert now == 120.0


def test_who_wants_to_end_does_not_wait_for_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = Interrupts()
    signals.draining = True
    monkeypatch.setattr("harness.bounds.INTERRUPTS", signals)
    bounds = Bounds(engine=lambda: "refused", sleep=lambda _s: pytest.fail("waited"))
    assert bounds.reached() is None
