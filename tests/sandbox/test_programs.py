"""Agents' programs on the engine: fetched once, whole or not at all, read-only in sandboxes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from docker import DockerClient
from docker.errors import NotFound

from harness.domain.scenario import Limits, Network
from harness.errors import SandboxFault, UsageError
from harness.sandbox.base import BoxSpec, Mount, PreparedImage, Program, Purpose
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.npm import Registry
from harness.sandbox.owner import this_process
from harness.sandbox.programs import NpmPrograms
from harness.sandbox.volumes import Volumes
from tests.sandbox.npm_registry import (
    METADATA,
    SCRIPT,
    TARBALL,
    archive,
    integrity,
    metadata,
    package,
    program,
    registry,
)

DATA = package()
UNPINNED = program(DATA)
UNPINNED = replace(UNPINNED, archives=(("x86_64", replace(archive(DATA), integrity="")),))


@dataclass(frozen=True, slots=True)
class Client:
    """An engine that only says what machine it runs on."""

    machine: str

    def info(self) -> dict[str, str]:
        return {"Architecture": self.machine}


def on(machine: str, state: Path, url: str = "") -> NpmPrograms:
    client: Any = Client(machine)
    sandboxes: Any = None
    return NpmPrograms(Volumes(client, sandboxes, "test"), state, Registry(url))


def silent(_text: str) -> None:
    """Nobody listens."""


def test_a_program_is_chosen_by_the_machine_of_the_engine(tmp_path: Path) -> None:
    both = Program(
        "cli", "1", (("x86_64", archive(DATA)), ("aarch64", archive(package({"bin/cli": b""}))))
    )
    assert on("aarch64", tmp_path).resolve(both) == both.archives[1][1]


def test_a_machine_without_a_program_is_named_with_those_that_have_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no cli for the engine's machine, 'riscv64'; there is on"):
        on("riscv64", tmp_path).resolve(program(DATA))


def test_the_digest_of_a_version_that_is_not_pinned_is_asked_for_once_and_holds(
    tmp_path: Path,
) -> None:
    with registry({METADATA: metadata(integrity(DATA))}) as served:
        programs = on("x86_64", tmp_path, served.url)
        assert programs.resolve(UNPINNED) == archive(DATA)
        served.files = {METADATA: metadata(integrity(b"other"))}
        assert on("x86_64", tmp_path, served.url).resolve(UNPINNED) == archive(DATA)
    assert len(served.asked) == 1


def test_a_version_that_nobody_published_is_the_users_to_correct(tmp_path: Path) -> None:
    with registry({}) as served, pytest.raises(UsageError, match=r"has no @some/cli@1\.2\.3"):
        on("x86_64", tmp_path, served.url).resolve(UNPINNED)


def test_an_archive_is_kept_and_one_that_was_spoiled_since_is_fetched_again(
    tmp_path: Path,
) -> None:
    with registry({TARBALL: DATA}) as served:
        programs = on("x86_64", tmp_path, served.url)
        path = programs.fetched(archive(DATA), "cli", silent)
        assert path.read_bytes() == DATA
        assert programs.fetched(archive(DATA), "cli", silent) == path
        assert len(served.asked) == 1
        for spoiled in (DATA[:-1], b"", b"x" * len(DATA)):
            path.write_bytes(spoiled)
            assert programs.fetched(archive(DATA), "cli", silent).read_bytes() == DATA
    assert len(served.asked) == 4


def test_what_is_not_the_pinned_archive_is_never_kept_as_one(tmp_path: Path) -> None:
    with registry({TARBALL: package({"bin/cli": b"evil"})}) as served:
        programs = on("x86_64", tmp_path, served.url)
        with pytest.raises(UsageError, match="was not used"):
            programs.fetched(archive(DATA), "cli", silent)
    assert not list(tmp_path.rglob("*.tgz"))


def test_a_folder_that_cannot_be_written_is_a_fault_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(SandboxFault, match=f"could not keep {tmp_path}/state"):
        on("x86_64", tmp_path / "state").fetched(archive(DATA), "cli", silent)


@dataclass(slots=True)
class OnTheEngine:
    """Programs of a test's own content, so that no other test's volume is met."""

    client: DockerClient
    image: PreparedImage
    data: bytes
    folder: Path

    def programs(self, url: str, state: str = "state") -> NpmPrograms:
        volumes = Volumes(self.client, DockerSandboxes(self.client), this_process())
        return NpmPrograms(volumes, self.folder / state, Registry(url))

    @property
    def program(self) -> Program:
        return program(self.data, machine=str(self.client.info()["Architecture"]))

    def run(self, mount: Mount, line: str) -> str:
        spec = BoxSpec(
            name=f"mintmark-test-{uuid4().hex[:12]}",
            image=self.image,
            purpose=Purpose.WORK,
            limits=Limits(),
            network=Network.NONE,
            mounts=(mount,),
            labels={"mintmark": "test", "mintmark.owner": this_process()},
        )
        with DockerSandboxes(self.client).open(spec) as box:
            done = box.run(line, timeout_s=20)
        return done.stdout + done.stderr


@pytest.fixture
def there(engine: DockerClient, image: PreparedImage, tmp_path: Path) -> Iterator[OnTheEngine]:
    data = package({"bin/cli": SCRIPT, "id.txt": uuid4().hex.encode()})
    before = {v["Name"] for v in engine.api.volumes()["Volumes"] or []}
    yield OnTheEngine(engine, image, data, tmp_path)
    ours = engine.api.volumes(filters={"label": "mintmark.program=cli-1.2.3"})["Volumes"] or []
    for volume in ours:
        if volume["Name"] not in before:
            with suppress(NotFound):
                engine.api.remove_volume(volume["Name"])


@pytest.mark.docker
def test_a_program_runs_in_a_sandbox_that_cannot_change_it(there: OnTheEngine) -> None:
    told: list[str] = []
    with registry({TARBALL: there.data}) as served:
        mount = there.programs(served.url).mount(there.program, there.image, told.append)
    path = there.program.path
    assert mount.read_only
    assert there.run(mount, f"{path} here") == "it runs: here\n"
    for attempt in (f"rm {path}", f"touch {path}x", f"ln -sf /bin/sh {path}"):
        assert "Read-only file system" in there.run(mount, attempt)
    assert [line.partition(":")[2] for line in told] == [
        " fetching @some/cli@1.2.3",
        " unpacking",
    ]


@pytest.mark.docker
def test_a_program_that_the_engine_has_is_neither_fetched_nor_unpacked_again(
    there: OnTheEngine,
) -> None:
    with registry({TARBALL: there.data}) as served:
        first = there.programs(served.url).mount(there.program, there.image, silent)
    told: list[str] = []
    other = there.programs(served.url, "elsewhere")
    assert other.mount(there.program, there.image, told.append) == first
    assert other.mount(there.program, there.image, told.append) == first
    assert not told


@pytest.mark.docker
def test_a_volume_that_nobody_finished_is_filled_anew(there: OnTheEngine) -> None:
    with registry({TARBALL: there.data}) as served:
        programs = there.programs(served.url)
        mount = programs.mount(there.program, there.image, silent)
        there.client.api.remove_volume(mount.source)
        programs.volumes.make(mount.source, {"mintmark.program": "cli-1.2.3"})
        again = there.programs(served.url).mount(there.program, there.image, silent)
    assert again == mount
    assert there.run(mount, f"{there.program.path} again") == "it runs: again\n"
    assert len(served.asked) == 1, "the archive was kept"


@pytest.mark.docker
def test_two_at_once_fetch_it_once(there: OnTheEngine) -> None:
    mounts: list[Mount] = []
    told: list[str] = []

    def mount() -> None:
        programs = there.programs(served.url)
        mounts.append(programs.mount(there.program, there.image, told.append))

    with registry({TARBALL: there.data}) as served:
        threads = [threading.Thread(target=mount) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(mounts) == 2
    assert len(set(mounts)) == 1
    assert served.asked == [TARBALL]


@pytest.mark.docker
def test_another_content_is_another_volume(there: OnTheEngine) -> None:
    with registry({TARBALL: there.data}) as served:
        first = there.programs(served.url).mount(there.program, there.image, silent)
    there.data = package({"bin/cli": SCRIPT, "id.txt": uuid4().hex.encode()})
    with registry({TARBALL: there.data}) as served:
        second = there.programs(served.url).mount(there.program, there.image, silent)
    assert first.source != second.source
