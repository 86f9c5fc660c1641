"""What the sweep before every command takes, by whose it is and until when."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from docker import DockerClient

from harness import wiring
from harness.domain.ids import EXPIRES_LABEL, BatchId, RunId
from harness.domain.scenario import Limits
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.engine import connect
from harness.sandbox.owner import MARGIN, Marks, owned_name, this_process
from harness.sandbox.reaper import Reaper
from harness.sandbox.volumes import Volumes
from harness.settings import Settings
from harness.testing.builders import START, some_tools

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ELSEWHERE = "another-host/12/345"
DEAD = f"{this_process().split('/')[0]}/4194304/1"
HOUR = timedelta(hours=1)


def found(tmp_path: Path, labels: Mapping[str, str], now: datetime = NOW) -> list[str]:
    """Which of a container and a volume with such labels are leftovers."""
    listing = SimpleNamespace(
        containers=lambda **_: [{"Id": "box", "Labels": dict(labels)}],
        volumes=lambda **_: {"Volumes": [{"Name": "volume", "Labels": dict(labels)}]},
    )
    client: Any = SimpleNamespace(api=listing)
    return [left.name for left in Reaper(client, tmp_path, now=lambda: now).find()]


BOTH = ["box", "volume"]


@pytest.mark.parametrize(
    ("owner", "expires", "left"),
    [
        (DEAD, NOW + HOUR, BOTH),
        (ELSEWHERE, NOW - HOUR, BOTH),
        (ELSEWHERE, NOW + HOUR, []),
        (this_process(), NOW - 1000 * HOUR, []),
        ("nonsense", NOW + HOUR, BOTH),
    ],
    ids=["dead", "another host, expired", "another host", "living, expired", "nonsense"],
)
def test_what_is_left_is_what_nobody_can_need(
    tmp_path: Path, owner: str, expires: datetime, left: list[str]
) -> None:
    assert found(tmp_path, Marks(owner, expires).labels("work")) == left


@pytest.mark.parametrize("said", ["", "soon", "2020-01-01T00:00:00", "2020-01-01"])
def test_what_does_not_say_when_it_expires_never_does(tmp_path: Path, said: str) -> None:
    labels = {**Marks(ELSEWHERE, NOW).labels("work"), EXPIRES_LABEL: said}
    assert found(tmp_path, labels) == []


def test_a_clock_that_jumps_by_hours_makes_nothing_expire(tmp_path: Path) -> None:
    tools = some_tools({}).tools
    marks = tools.marks(RunId("run"), BatchId("batch"), Limits(wall_clock_s=600))
    assert marks.expires >= START + MARGIN
    elsewhere = Marks(ELSEWHERE, marks.expires, marks.run, marks.batch).labels("work")
    assert found(tmp_path, elsewhere, START + timedelta(seconds=600) + 12 * HOUR) == []
    assert found(tmp_path, elsewhere, START - 12 * HOUR) == []
    assert found(tmp_path, elsewhere, START + timedelta(days=2)) == BOTH


def test_a_workspace_that_is_being_made_has_no_owner_yet_and_is_not_swept(tmp_path: Path) -> None:
    folder = tmp_path / "run/1"
    folder.mkdir(parents=True)
    assert found(tmp_path, {"mintmark.owner": this_process()}) == []
    old = time.time() - 120
    os.utime(folder, (old, old))
    assert found(tmp_path, {"mintmark.owner": this_process()}) == [str(folder)]
    (folder / "owner").write_text(this_process())
    assert found(tmp_path, {"mintmark.owner": this_process()}) == []


def test_a_workspace_of_a_dead_process_is_swept_at_once_whatever_was_written_of_it(
    tmp_path: Path,
) -> None:
    labels = {"mintmark.owner": this_process()}
    (tmp_path / "run" / owned_name("1")).mkdir(parents=True)
    assert found(tmp_path, labels) == []
    host, _, started = this_process().split("/")
    dead = tmp_path / "run" / f"2@{host}@99999999@{started}"
    dead.mkdir()
    assert found(tmp_path, labels) == [str(dead)]


@pytest.fixture
def engine() -> Iterator[DockerClient]:
    client = connect()
    yield client
    client.close()


@pytest.mark.docker
def test_scratch_volumes_carry_owner_run_batch_and_expiry_and_expired_ones_go(
    engine: DockerClient, tmp_path: Path
) -> None:
    marks = Marks(f"{uuid4().hex}/1/1", datetime.now(UTC) - HOUR, "run_1", "a-batch")
    volumes = Volumes(engine, DockerSandboxes(engine), this_process()).of(marks)
    with volumes.scratch("workspace", {}) as volume:
        labels = engine.api.inspect_volume(volume.name)["Labels"]
        assert labels == marks.labels("workspace")
        assert {f"mintmark.{name}" for name in ("owner", "run", "batch", "expires")} < {*labels}
        reaper = wiring.open_reaper(Settings(tmp_path))
        mine = [left for left in reaper.find() if left.name == volume.name]
        assert [left.kind for left in mine] == ["volume"]
        reaper.remove(mine[0])
        assert volumes.find(volume.name) is None
