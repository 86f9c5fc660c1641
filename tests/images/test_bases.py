from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import docker
import docker.errors
import pytest

from harness.errors import SandboxFault, UsageError
from harness.sandbox import bases, debootstrap
from harness.sandbox.debootstrap import RELEASES, release_of

BOOKWORM = RELEASES["debian:bookworm"]
NO_ROUTE = {"error": "dial tcp: lookup mirror.example: no such host"}


@dataclass
class FakeEngine:
    """Images by name, and what a registry would say."""

    local: dict[str, str] = field(default_factory=dict)
    pulled: list[Mapping[str, Any] | Exception] = field(default_factory=list)
    pulls: list[tuple[str, str]] = field(default_factory=list)

    @property
    def api(self) -> FakeEngine:
        return self

    @property
    def images(self) -> FakeEngine:
        return self

    def get(self, name: str) -> FakeImage:
        if name not in self.local:
            raise docker.errors.ImageNotFound(name)
        return FakeImage({"Id": self.local[name]})

    def pull(self, repository: str, tag: str, **_: object) -> Iterator[Mapping[str, Any]]:
        self.pulls.append((repository, tag))
        for event in self.pulled:
            if isinstance(event, Exception):
                raise event
            yield event
        if not any("error" in event for event in self.pulled if isinstance(event, Mapping)):
            self.local[f"{repository}:{tag}"] = "sha256:pulled"


@dataclass
class FakeImage:
    attrs: Mapping[str, str]


def _ensure(engine: FakeEngine, name: str, state: Path, said: list[str] | None = None) -> str:
    tell = (said if said is not None else []).append
    return bases.ensure(cast("docker.DockerClient", engine), name, tell, state)


def test_a_local_image_is_used_without_asking_anybody(tmp_path: Path) -> None:
    engine = FakeEngine({"python:3.12": "sha256:here"})
    assert _ensure(engine, "python:3.12", tmp_path) == "sha256:here"
    assert engine.pulls == []
    assert list(tmp_path.iterdir()) == []


def test_an_image_of_a_registry_is_pulled_once(tmp_path: Path) -> None:
    engine = FakeEngine(pulled=[{"id": "a", "progressDetail": {"current": 10}}])
    assert _ensure(engine, "python:3.12", tmp_path) == "sha256:pulled"
    assert _ensure(engine, "python:3.12", tmp_path) == "sha256:pulled"
    assert engine.pulls == [("python", "3.12")]


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "manifest for python:nope not found: manifest unknown"},
        {"error": "pull access denied for x, repository does not exist"},
        docker.errors.NotFound("404", explanation="manifest unknown"),
    ],
)
def test_a_name_that_a_registry_refuses_is_the_users_to_put_right(
    tmp_path: Path, answer: Mapping[str, str] | Exception
) -> None:
    with pytest.raises(UsageError, match=r"no image 'python:nope'.*docker load"):
        _ensure(FakeEngine(pulled=[answer]), "python:nope", tmp_path)


def test_where_no_registry_answers_the_names_that_would_work_are_listed(tmp_path: Path) -> None:
    with pytest.raises(SandboxFault, match=r"no such host.*debian:bookworm-slim.*docker load"):
        _ensure(FakeEngine(pulled=[NO_ROUTE]), "python:3.12", tmp_path)


def test_a_registry_that_falls_silent_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(FakeEngine):
        def pull(self, repository: str, tag: str, **_: object) -> Iterator[Mapping[str, Any]]:
            yield {"id": repository + tag}
            asked.wait(10)

    asked = threading.Event()
    monkeypatch.setattr(bases, "SILENCE_S", 0.05)
    try:
        with pytest.raises(SandboxFault, match="nothing heard for"):
            _ensure(Silent(), "python:3.12", tmp_path)
    finally:
        asked.set()


def test_a_debian_is_built_from_packages_where_no_registry_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, said = FakeEngine(pulled=[NO_ROUTE]), list[str]()

    def build(_: object, name: str, release: debootstrap.Release, *_rest: object) -> None:
        engine.local[name] = f"sha256:{release.suite}{release.slim}"

    monkeypatch.setattr(debootstrap, "build", build)
    assert _ensure(engine, "debian:bookworm-slim", tmp_path, said) == "sha256:bookwormTrue"
    assert any("building it from debian packages" in line for line in said)


def test_two_who_want_the_same_image_make_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, builds, said = FakeEngine(pulled=[NO_ROUTE]), list[str](), list[str]()
    begun = threading.Event()

    def build(_: object, name: str, *_rest: object) -> None:
        begun.set()
        while not said_waiting():
            time.sleep(0.001)
        builds.append(name)
        engine.local[name] = "sha256:built"

    def said_waiting() -> bool:
        return any("waiting for a build" in line for line in said)

    monkeypatch.setattr(debootstrap, "build", build)
    first = threading.Thread(target=_ensure, args=(engine, "debian:13", tmp_path, said))
    first.start()
    assert begun.wait(5)
    assert _ensure(engine, "debian:13", tmp_path, said) == "sha256:built"
    first.join(5)
    assert builds == ["debian:13"]


@pytest.mark.parametrize(
    ("name", "suite", "slim"),
    [
        ("debian:bookworm", "bookworm", False),
        ("debian:12-slim", "bookworm", True),
        ("docker.io/library/debian:trixie-slim", "trixie", True),
        ("docker.io/debian:13", "trixie", False),
        ("library/debian:13", "trixie", False),
        ("ubuntu:24.04", "noble", False),
    ],
)
def test_a_known_name_stands_for_a_release(name: str, suite: str, slim: bool) -> None:  # noqa: FBT001  # a table
    release = release_of(name)
    assert release is not None
    assert (release.suite, release.slim) == (suite, slim)


@pytest.mark.parametrize(
    "name",
    [
        "debian",
        "debian:latest",
        "ubuntu:24.04-slim",
        "quay.io/library/debian:12",
        "me/debian:12",
        "debian@sha256:0123",
        "python:3.12",
    ],
)
def test_a_name_that_only_looks_like_a_release_stands_for_none(name: str) -> None:
    assert release_of(name) is None


HOLD = """
import os, sys, time
from pathlib import Path
from harness.sandbox.bases import build_lock
with build_lock(Path(sys.argv[1]), "x", print) as lock:
    os.set_inheritable(lock, True)
    if os.fork() == 0:
        print("held", flush=True)
        time.sleep(30)
        os._exit(0)
    os.kill(os.getpid(), 9)
"""


def test_a_child_that_outlives_its_killed_parent_still_holds_the_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with (tmp_path / "lock").open("wb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.killpg(holder.pid, 9)
    with bases.build_lock(tmp_path / "lock", "x", print):
        pass
