"""Images and volumes that can go, told by who needs them and when they were used last."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
import requests
from docker import DockerClient
from docker.errors import APIError, ImageNotFound

from harness.sandbox import stale
from harness.sandbox.engine import connect
from harness.sandbox.stale import Needed, Sizes, Waste

NOW = datetime(2026, 1, 31, tzinfo=UTC)
WEEK = timedelta(days=7)
OLD, NEW = "2026-01-01T00:00:00.123456789Z", "2026-01-30T00:00:00.5Z"
NEVER = "0001-01-01T00:00:00Z"
SIZES = Sizes({"sha256:1": 5}, {"mintmark-fixture-1": 7})


def refusal(status: HTTPStatus) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError("no", response=response)


@dataclass
class FakeEngine:
    """One prepared image, one volume, and what was removed."""

    created: str = OLD
    tagged: str = OLD
    scenario: str = "suite/one"
    tag: str = "mintmark/prepared:1"
    refuses: HTTPStatus | None = None
    over: str = ""
    removed: list[str] = field(default_factory=list)

    @property
    def client(self) -> DockerClient:
        api = SimpleNamespace(
            images=self.listed, volumes=self.kept, remove_image=self.remove,
            remove_volume=self.remove,
        )  # fmt: skip
        made: Any = SimpleNamespace(api=api, images=SimpleNamespace(get=self.get))
        return cast("DockerClient", made)

    def listed(self, filters: dict[str, object]) -> list[dict[str, object]]:
        if filters["label"] != "mintmark.prepared":
            return []
        labels = {"mintmark.scenario": self.scenario}
        return [{"Id": "sha256:1", "RepoTags": [self.tag], "Labels": labels}]

    def kept(self, filters: dict[str, object]) -> dict[str, object]:
        if filters["label"] == "mintmark":
            return {"Volumes": [{"Name": "other"}, {"Name": "w", "Options": {"o": self.over}}]}
        is_fixture = filters["label"] == "mintmark=fixture"
        return {"Volumes": [{"Name": "mintmark-fixture-1"}] if is_fixture else None}

    def get(self, _tag: str) -> SimpleNamespace:
        metadata = {"LastTagTime": self.tagged}
        return SimpleNamespace(attrs={"Created": self.created, "Metadata": metadata})

    def remove(self, name: str) -> None:
        if self.refuses:
            raise refusal(self.refuses)
        self.removed.append(name)


def unused(engine: FakeEngine, needed: Needed | None = None) -> list[Waste]:
    return list(stale.images(engine.client, needed or Needed(frozenset()), NOW - WEEK, SIZES))


def test_an_image_that_nobody_needs_or_used_can_go_and_goes() -> None:
    engine = FakeEngine()
    (waste,) = unused(engine)
    assert (waste.kind, waste.name, waste.size_bytes) == (
        "prepared image", "mintmark/prepared:1", 5,
    )  # fmt: skip
    assert "suite/one, last used 2026-01-01" in waste.why
    assert waste.remove()
    assert engine.removed == ["mintmark/prepared:1"]


@pytest.mark.parametrize(
    ("engine", "needed"),
    [
        (FakeEngine(tagged=NEW), Needed(frozenset())),
        (FakeEngine(created=NEW, tagged=NEVER), Needed(frozenset())),
        (FakeEngine(created="?", tagged=""), Needed(frozenset())),
        (FakeEngine(), Needed(frozenset({"mintmark/prepared:1"}))),
        (FakeEngine(), Needed(frozenset(), frozenset({"suite/one"}))),
        (FakeEngine(tag="somebody/else:1"), Needed(frozenset())),
    ],
    ids=["used elsewhere", "new", "no dates", "needed", "a scenario that cannot be read",
         "a name of somebody else's"],
)  # fmt: skip
def test_an_image_stays_that(engine: FakeEngine, needed: Needed) -> None:
    assert unused(engine, needed) == []


def test_an_image_that_is_used_again_before_it_goes_stays() -> None:
    engine = FakeEngine()
    (waste,) = unused(engine)
    engine.tagged = NEW
    assert not waste.remove()
    assert engine.removed == []


@pytest.mark.parametrize("status", [HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND])
def test_what_a_container_has_or_somebody_removed_is_no_fault(status: HTTPStatus) -> None:
    engine = FakeEngine(refuses=status)
    (waste,) = unused(engine)
    assert not waste.remove()


def noted(state: Path, age: timedelta) -> None:
    stale.note_volume(state, "mintmark-fixture-1")
    at = (NOW - age).timestamp()
    os.utime(state / "used/mintmark-fixture-1", (at, at))


def old_volumes(engine: FakeEngine, state: Path, needed: str = "") -> list[Waste]:
    found = stale.volumes(engine.client, frozenset({needed}), NOW - WEEK, SIZES, state)
    return list(found)


def test_a_volume_goes_that_this_project_used_long_ago_and_needs_no_longer(tmp_path: Path) -> None:
    engine = FakeEngine()
    noted(tmp_path, 2 * WEEK)
    (waste,) = old_volumes(engine, tmp_path)
    assert (waste.size_bytes, waste.remove()) == (7, True)
    assert engine.removed == ["mintmark-fixture-1"]
    assert old_volumes(engine, tmp_path) == []


def test_a_volume_of_another_project_a_needed_one_and_one_used_lately_stay(tmp_path: Path) -> None:
    engine = FakeEngine()
    assert old_volumes(engine, tmp_path) == []
    noted(tmp_path, 2 * WEEK)
    assert old_volumes(engine, tmp_path, "mintmark-fixture-1") == []
    (waste,) = old_volumes(engine, tmp_path)
    stale.note_volume(tmp_path, "mintmark-fixture-1")
    assert not waste.remove()
    noted(tmp_path, timedelta(days=1))
    assert old_volumes(engine, tmp_path) == []
    assert engine.removed == []


def test_a_volume_that_a_workspace_of_another_project_lies_over_stays(tmp_path: Path) -> None:
    engine = FakeEngine(over="lowerdir=/var/lib/docker/volumes/mintmark-fixture-1/_data/tree,x=y")
    noted(tmp_path, 2 * WEEK)
    (waste,) = old_volumes(engine, tmp_path)
    assert not waste.remove()
    engine.over = "lowerdir=/var/lib/docker/volumes/mintmark-fixture-12/_data/tree,x=y"
    assert waste.remove()


def test_a_note_that_cannot_be_made_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "used").write_text("in the way")
    stale.note_volume(tmp_path, "any")


@pytest.fixture
def engine() -> Iterator[DockerClient]:
    client = connect()
    yield client
    client.close()


@pytest.fixture
def import_image(engine: DockerClient) -> Iterator[Callable[[], str]]:
    made: list[str] = []

    def imported() -> str:
        tag = uuid4().hex[:16]
        engine.api.import_image_from_data(
            bytes(10240), repository="mintmark/prepared", tag=tag,
            changes=["LABEL mintmark.prepared=1", f"LABEL only={tag}"],
        )  # fmt: skip
        made.append(f"mintmark/prepared:{tag}")
        return made[-1]

    yield imported
    for name in made:
        try:
            engine.api.remove_image(name, force=True)
        except ImageNotFound:
            continue


def mine(engine: DockerClient, name: str, before: datetime) -> list[Waste]:
    found = stale.images(engine, Needed(frozenset()), before, Sizes.of(engine))
    return [waste for waste in found if waste.name == name]


@pytest.mark.docker
def test_the_engine_keeps_when_an_image_was_used_for_every_project_to_see(
    engine: DockerClient, import_image: Callable[[], str]
) -> None:
    name = import_image()
    between = datetime.now(UTC)
    (waste,) = mine(engine, name, between)
    time.sleep(0.05)
    assert stale.note_use(engine, name)
    assert mine(engine, name, between) == []
    assert not waste.remove(), "it was used since it was found"
    later = datetime.now(UTC) + timedelta(hours=1)
    (waste,) = mine(engine, name, later)
    container = engine.api.create_container(name, "true")["Id"]
    try:
        assert not waste.remove(), "a container has it"
    finally:
        engine.api.remove_container(container)
    assert waste.remove()
    assert not stale.note_use(engine, name)
    assert mine(engine, name, later) == []
