from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from harness.sandbox import bases, debootstrap
from harness.sandbox.debootstrap import RELEASES, clear, finish, mounts_below

BOOKWORM = RELEASES["debian:bookworm"]

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
