from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import docker
import docker.errors
import pytest

from harness.errors import SandboxFault, UsageError
from harness.sandbox import bases, debootstrap
from harness.sandbox.debootstrap import RELEASES, clear, finish, mounts_below, release_of

BOOKWORM = RELEASES["debian:bookworm"]
NO_ROUTE = {"error": "dial tcp: lookup registry-1.docker.io: no such host"}


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


DEB822 = """\
# comment
Types: deb
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main

Types: deb deb-src
URIs: http://mirror.example/security
Suites: trixie-security
Components: main
"""
ONE_LINE = """\
# deb http://commented.example/debian trixie main
deb-src http://source.example/debian trixie main
deb [arch=amd64 signed-by=/x.gpg] http://line.example/debian trixie main contrib
deb http://line.example/security trixie-security main
"""


def _machine(root: Path, identity: str, files: Mapping[str, str]) -> Path:
    for name, text in {"etc/os-release": identity, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "mirror", "security"),
    [
        ({"etc/apt/sources.list.d/a.sources": DEB822}, "mirror", "mirror"),
        ({"etc/apt/sources.list": ONE_LINE}, "line", "line"),
    ],
)
def test_the_mirrors_of_this_machine_are_used(
    tmp_path: Path, files: Mapping[str, str], mirror: str, security: str
) -> None:
    root = _machine(tmp_path, 'ID=debian\nVERSION_CODENAME="trixie"\n', files)
    release = debootstrap.with_machine_mirror(BOOKWORM, root)
    assert release.mirror == f"http://{mirror}.example/debian"
    assert release.security == f"http://{security}.example/security"
    assert release.suite == "bookworm"


@pytest.mark.parametrize(
    ("identity", "files"),
    [
        ("ID=ubuntu\nVERSION_CODENAME=trixie\n", {"etc/apt/sources.list": ONE_LINE}),
        ("ID=debian\nVERSION_CODENAME=trixie\n", {}),
        (
            "ID=debian\nVERSION_CODENAME=trixie\n",
            {"etc/apt/sources.list": "deb http://me:secret@host.example/debian trixie main\n"},
        ),
        (
            "ID=debian\nVERSION_CODENAME=trixie\n",
            {"etc/apt/sources.list": "deb file:/srv/mirror trixie main\n"},
        ),
        (
            "ID=debian\nVERSION_CODENAME=trixie\n",
            {"etc/apt/sources.list.d/a.sources": DEB822.replace("Types", "Enabled: no\nTypes")},
        ),
    ],
    ids=["another distribution", "none", "password", "local", "disabled"],
)
def test_a_mirror_that_would_not_work_in_a_container_is_not(
    tmp_path: Path, identity: str, files: Mapping[str, str]
) -> None:
    root = _machine(tmp_path, identity, files)
    assert debootstrap.with_machine_mirror(BOOKWORM, root) == BOOKWORM


def test_mounts_are_found_the_last_first_with_their_real_names(tmp_path: Path) -> None:
    table = (
        f"1 0 0:1 / / rw - ext4 /dev/x rw\n"
        f"2 1 0:2 / {tmp_path}/a\\040b/proc rw - proc proc rw\n"
        f"3 1 0:3 / {tmp_path}/a\\040b/proc/sys rw - sysfs sysfs rw\n"
        f"4 1 0:4 / {tmp_path}x rw - tmpfs tmpfs rw\n"
    )
    assert mounts_below(tmp_path, table) == [
        f"{tmp_path}/a b/proc/sys",
        f"{tmp_path}/a b/proc",
    ]


def _rootfs(root: Path) -> Path:
    for name in (
        *("etc/apt/apt.conf.d/01x", "etc/dpkg/dpkg.cfg.d/x", "etc/hostname", "usr/sbin/x"),
        *("usr/share/doc/git/copyright", "usr/share/doc/git/README", "usr/share/doc/git/api/x"),
        *("usr/share/man/de/man1/ls.1.gz", "usr/share/locale/de/x.mo"),
        *("usr/share/locale/locale.alias", "var/cache/apt/archives/git.deb"),
        *("var/lib/apt/lists/x_Release", "var/log/dpkg.log", "debootstrap/debootstrap.log"),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("this machine")
    return root


def test_a_slim_image_keeps_licences_and_nothing_of_this_machine(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    root = _rootfs(tmp_path / "root")
    (root / "etc/resolv.conf").symlink_to(outside)
    finish(root, replace(BOOKWORM, slim=True))
    left = {str(path.relative_to(root)) for path in root.rglob("*")}
    assert {"usr/share/doc/git/copyright", "usr/share/locale/locale.alias"} <= left
    assert "usr/share/man/de/man1" in left
    assert "path-exclude /usr/share/man/*" in (root / "etc/dpkg/dpkg.cfg.d/docker").read_text()
    gone = {"etc/hostname", "debootstrap", "var/log/dpkg.log", "usr/share/doc/git/README"}
    gone |= {"usr/share/locale/de", "usr/share/doc/git/api", "var/cache/apt/archives/git.deb"}
    assert not gone & left
    assert outside.read_text() == "mine"
    assert (root / "etc/resolv.conf").read_text() == ""


def test_a_full_image_keeps_its_documentation(tmp_path: Path) -> None:
    root = _rootfs(tmp_path)
    finish(root, BOOKWORM)
    assert (root / "usr/share/doc/git/README").exists()
    assert not (root / "etc/dpkg/dpkg.cfg.d/docker").exists()
    sources = (root / "etc/apt/sources.list").read_text()
    for suite in ("bookworm ", "bookworm-updates ", "bookworm-security "):
        assert f" {suite}" in sources


def test_scrap_of_an_interrupted_build_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "scrap/root/etc").mkdir(parents=True)
    clear(tmp_path / "scrap")
    assert not (tmp_path / "scrap").exists()
    clear(tmp_path / "scrap")


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


@pytest.fixture
def scratch_name(client: docker.DockerClient) -> Iterator[str]:
    name = f"mintmark-test/debian-{os.getpid()}:12-slim"
    yield name
    if bases.local_id(client, name):
        client.images.remove(name, force=True)


@pytest.mark.docker
def test_an_interrupted_build_leaves_nothing(
    client: docker.DockerClient, tmp_path: Path, scratch_name: str
) -> None:
    def press_ctrl_c(_: str) -> None:
        raise KeyboardInterrupt

    with bases.build_lock(tmp_path / "lock", "x", print) as lock:
        workplace = debootstrap.Workplace(tmp_path / "work", lock)
        with pytest.raises(KeyboardInterrupt):
            debootstrap.build(client, scratch_name, _here(), workplace, press_ctrl_c)
    assert not (tmp_path / "work").exists()
    assert bases.local_id(client, scratch_name) is None


@pytest.mark.docker
def test_what_a_killed_build_left_mounted_is_unmounted_and_not_emptied(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "work/root", tmp_path / "elsewhere"
    for folder in (root / "proc", root / "dev", elsewhere):
        folder.mkdir(parents=True)
    (elsewhere / "file").write_text("mine")
    subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], check=True)
    subprocess.run(["mount", "--bind", elsewhere, root / "dev"], check=True)
    clear(tmp_path / "work")
    assert mounts_below(tmp_path) == []
    assert not (tmp_path / "work").exists()
    assert (elsewhere / "file").read_text() == "mine"


@pytest.mark.docker
def test_packages_become_a_slim_base_that_can_install_more(
    client: docker.DockerClient, tmp_path: Path, scratch_name: str
) -> None:
    said: list[str] = []
    folder = tmp_path / "my projects"
    with bases.build_lock(tmp_path / "lock", "x", print) as lock:
        folder.mkdir()
        workplace = debootstrap.Workplace(folder / "work", lock)
        debootstrap.build(client, scratch_name, _here(), workplace, said.append)
    assert list(folder.iterdir()) == []
    assert [line.split(": ")[1].split()[0] for line in said] == [
        *("retrieving", "extracting", "unpacking", "configuring", "handing"),
    ]
    image = client.images.get(scratch_name)
    assert image.labels["mintmark.base"] == "debootstrap"
    assert image.attrs["Size"] < 130 * 2**20
    script = (
        "set -e; stat -c %a / /tmp; test ! -e /usr/share/doc/apt/changelog.gz;"
        "test -e /usr/share/doc/apt/copyright; test ! -e /debootstrap; apt-get update -qq;"
        "apt-get install -y -qq --no-install-recommends less >/dev/null; less --version | head -1"
    )
    output = client.containers.run(scratch_name, ["sh", "-c", script], remove=True)
    lines = output.decode().split("\n")
    assert lines[:2] == ["755", "1777"]
    assert lines[2].startswith("less ")


def _here() -> debootstrap.Release:
    return debootstrap.with_machine_mirror(replace(BOOKWORM, slim=True))
