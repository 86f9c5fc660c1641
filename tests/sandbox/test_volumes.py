"""Workspaces for a harness that may not mount, or whose engine is elsewhere."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from docker import DockerClient

from harness import wiring
from harness.domain.digests import tree_digest
from harness.domain.ids import volume_name
from harness.domain.scenario import Scenario
from harness.errors import SandboxFault, UsageError
from harness.sandbox.base import PreparedImage, Workspaces
from harness.sandbox.building import add_bytes
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.engine import report
from harness.sandbox.owner import this_process
from harness.sandbox.reaper import Reaper
from harness.sandbox.volumes import Volumes
from harness.testing.builders import a_scenario
from harness.testing.sandbox import OpenBox

MakeWorkspaces = Callable[[str], Workspaces]
OpenIn = Callable[[Workspaces], OpenBox]

ROOT = Path(__file__).parents[2]
OPENER = Path(__file__).with_name("opener.py")
SOMEBODY = 54321
"""A uid without an account, as good as any user's."""
pytestmark = pytest.mark.docker
VOLUMES = pytest.mark.parametrize("kind", ["volume", "remote"])


@pytest.fixture
def home(engine: DockerClient) -> Iterator[Path]:
    """A folder that a user who is not root reaches; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="mintmark-test-"))
    if os.geteuid() == 0:
        os.chown(folder, SOMEBODY, SOMEBODY)
    yield folder
    forget(engine, folder / "scenario/repo-fixture")
    shutil.rmtree(folder)


def forget(engine: DockerClient, fixture: Path) -> None:
    """Take a fixture off the engine."""
    wanted = {"label": f"mintmark.fixture={tree_digest(fixture)}"}
    for volume in engine.api.volumes(filters=wanted)["Volumes"] or []:
        engine.api.remove_volume(volume["Name"])


def opener(home: Path, image: PreparedImage, kind: str, *more: str) -> list[str]:
    """As a user who is not root, and who may use the engine."""
    argv = [sys.executable, str(OPENER), str(home), image.tag, kind, *more]
    if os.geteuid() != 0:
        return argv
    group = Path("/var/run/docker.sock").stat().st_gid
    who = [f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", f"--groups={group}", "--inh-caps=-all"]
    return ["setpriv", *who, "--no-new-privs", *argv]


ENV = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}


def owned(engine: DockerClient, owner: str) -> list[str]:
    wanted = {"label": f"mintmark.owner={owner}"}
    containers = engine.api.containers(all=True, filters=wanted)
    volumes = engine.api.volumes(filters=wanted)["Volumes"] or []
    return [c["Names"][0] for c in containers] + [v["Name"] for v in volumes]


@pytest.mark.parametrize("kind", ["-", "remote"])
def test_a_user_who_is_not_root_works_and_captures(
    home: Path, image: PreparedImage, kind: str
) -> None:
    done = subprocess.run(
        opener(home, image, kind), env=ENV, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["uid"] != 0
    assert seen["kind"] == ("VolumeWorkspaces" if kind == "-" else "CopyWorkspaces")
    assert seen["stdout"] == "64321\n1\n"
    assert seen["changes"] == {"closed": "file", "src/app.py": "file", "src/deep": "delete"}
    assert not [name for name in seen["left"] if "tree" in name or "tar" in name]


@VOLUMES
def test_what_a_killed_command_left_is_swept_and_the_fixture_stays(
    home: Path, image: PreparedImage, engine: DockerClient, kind: str
) -> None:
    with subprocess.Popen(
        opener(home, image, kind, "hold"), env=ENV, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        owner = json.loads(process.stdout.readline())["owner"]
        reaper = Reaper(engine, home / "root/results/state")
        mine = owned(engine, owner)
        assert {leftover.name for leftover in reaper.find()}.isdisjoint(mine)
        process.send_signal(signal.SIGKILL)
    assert len(mine) == {"volume": 4, "remote": 3}[kind]
    for leftover in list(reaper.find()):
        reaper.remove(leftover)
        reaper.remove(leftover)  # as a second command would that sweeps at the same time
    assert owned(engine, owner) == []
    assert engine.api.volumes(filters={"label": "mintmark.fixture"})["Volumes"]


@VOLUMES
def test_nothing_of_this_machine_is_mounted_and_nothing_is_left(
    make_workspaces: MakeWorkspaces,
    engine: DockerClient,
    scenario: Scenario,
    image: PreparedImage,
    kind: str,
) -> None:
    before = owned(engine, this_process())
    with make_workspaces(kind).open(scenario, image) as workspace:
        assert not workspace.mount.source.startswith("/")
        containers = engine.containers.list(filters={"label": f"mintmark.owner={this_process()}"})
        mounts = [mount for container in containers for mount in container.attrs["Mounts"]]
        assert {mount["Type"] for mount in mounts} == {"volume"}
        assert len(owned(engine, this_process())) > len(before)
    assert owned(engine, this_process()) == before


@VOLUMES
def test_nothing_is_left_when_a_block_ends_badly(
    make_workspaces: MakeWorkspaces,
    engine: DockerClient,
    scenario: Scenario,
    image: PreparedImage,
    kind: str,
) -> None:
    before = owned(engine, this_process())
    with pytest.raises(ZeroDivisionError), make_workspaces(kind).open(scenario, image):
        raise ZeroDivisionError
    assert owned(engine, this_process()) == before


@pytest.fixture
def fresh(scenario: Scenario, engine: DockerClient, tmp_path: Path) -> Iterator[Scenario]:
    """A fixture that the engine does not have yet."""
    made = a_scenario(tmp_path, files={"file.txt": uuid4().hex, "sub/file.txt": "text"})
    digest = tree_digest(made.fixture)
    digests = replace(made.digests, fixture=digest)
    yield replace(scenario, fixture=made.fixture, digests=digests)
    forget(engine, made.fixture)


def test_a_fixture_comes_to_the_engine_once_for_all_processes_and_back_ends(
    make_workspaces: MakeWorkspaces,
    engine: DockerClient,
    fresh: Scenario,
    image: PreparedImage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with make_workspaces("remote").open(fresh, image):
        pass
    unpacked: list[object] = []
    monkeypatch.setattr(Volumes, "unpack", lambda *arguments: unpacked.append(arguments))
    with make_workspaces("volume").open(fresh, image):
        pass
    assert unpacked == []
    name = volume_name("fixture", fresh.digests.fixture[:32])
    labels = engine.api.inspect_volume(name)["Labels"]
    assert labels == {"mintmark": "fixture", "mintmark.fixture": fresh.digests.fixture}


@pytest.mark.parametrize("manifest", [None, b"[1,2,[["], ids=["no-manifest", "half-a-manifest"])
def test_a_fixture_that_came_halfway_is_brought_again(
    make_workspaces: MakeWorkspaces,
    engine: DockerClient,
    fresh: Scenario,
    image: PreparedImage,
    manifest: bytes | None,
) -> None:
    volumes = Volumes(engine, DockerSandboxes(engine), this_process())
    labels = {"mintmark.fixture": fresh.digests.fixture}
    half = volumes.make(volume_name("fixture", fresh.digests.fixture[:32]), labels)
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            add_bytes(tar, "tree/half.txt", b"half")
            if manifest is not None:
                add_bytes(tar, "manifest.json", manifest)
        file.seek(0)
        volumes.unpack(half, image, file)
    with (
        make_workspaces("remote").open(fresh, image) as workspace,
        volumes.keeper(image, workspace.mount) as box,
    ):
        names = [entry.name for entry in box.list(".", depth=2, limit=100)]
    assert [name for name in names if not name.startswith(".git")] == [
        "file.txt",
        "sub",
        "sub/file.txt",
    ]


@pytest.mark.parametrize("kind", wiring.WORKSPACES)
def test_a_fixture_that_changed_since_it_was_read_is_refused(
    make_workspaces: MakeWorkspaces, fresh: Scenario, image: PreparedImage, kind: str
) -> None:
    (fresh.fixture / "file.txt").write_text("another", encoding="utf-8")
    with (
        pytest.raises(SandboxFault, match="was changed after it was read"),
        make_workspaces(kind).open(fresh, image),
    ):
        pass


@VOLUMES
def test_the_fixture_on_the_engine_outlives_what_an_agent_does_to_its_workspace(
    make_workspaces: MakeWorkspaces, open_in: OpenIn, kind: str
) -> None:
    open_box = open_in(make_workspaces(kind))
    with open_box() as (box, _):
        assert box.run("rm -rf .git src; echo mine > README.md; chmod 000 .", timeout_s=30).ok
    with open_box() as (box, workspace):
        assert box.run("cat README.md; git status --short", timeout_s=30).stdout == "# Fixture\n"
        assert len(workspace.capture()) == 0


def test_a_back_end_that_does_not_exist_is_refused_with_the_nearest_name(
    make_workspaces: MakeWorkspaces,
) -> None:
    with pytest.raises(UsageError, match=r"no workspaces of the kind 'volumes'.*mean 'volume'"):
        make_workspaces("volumes")


@pytest.mark.parametrize(
    ("local", "rootless", "is_root", "kind"),
    [
        (True, False, True, "mount"),
        (True, False, False, "volume"),
        (True, True, False, "remote"),
        (True, True, True, "remote"),
        (False, False, True, "remote"),
    ],
)
def test_the_back_end_is_the_cheapest_that_works(
    engine: DockerClient, *, local: bool, rootless: bool, is_root: bool, kind: str
) -> None:
    security = ("seccomp", "rootless") if rootless else ("seccomp",)
    told = replace(report(engine), local=local, security=security)
    assert wiring.fitting_workspaces(told, is_root=is_root) == kind
    remapping = replace(told, security=(*security, "userns"))
    with pytest.raises(UsageError, match="remaps users"):
        wiring.fitting_workspaces(remapping, is_root=is_root)
