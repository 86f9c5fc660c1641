"""engine.sh against stand-ins for Docker, apt and init; nothing real is installed or started."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.sandbox.engine import SETUP_SCRIPT

BORROWED = (
    *("cat", "chmod", "dirname", "flock", "grep", "head", "mkdir", "mv", "printf", "rm", "sed"),
    *("setsid", "sh", "tail", "timeout", "touch", "true"),
)
PACKAGES = "docker.io containerd runc iptables debootstrap debian-archive-keyring"


@dataclass(frozen=True, slots=True)
class Machine:
    """A root folder with a PATH of its own."""

    root: Path

    def put(self, name: str, script: str) -> None:
        """A stand-in for a command."""
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\nR={self.root}\n{textwrap.dedent(script)}")
        path.chmod(0o755)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """The script, on this machine."""
        return subprocess.run(
            [str(self.root / "bin/sh"), str(SETUP_SCRIPT), *arguments],
            env={"PATH": str(self.root / "bin"), "MINTMARK_ENGINE_ROOT": str(self.root), **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def log(self) -> list[str]:
        """What the stand-ins wrote down."""
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian, root, nothing installed, no engine."""
    made = Machine(tmp_path)
    for folder in ("bin", "etc", "var/run", "run/systemd"):
        (tmp_path / folder).mkdir(parents=True)
    for name in BORROWED:
        found = shutil.which(name)
        assert found, name
        (tmp_path / "bin" / name).symlink_to(found)
    (tmp_path / "etc/os-release").write_text("ID=ubuntu\nID_LIKE=debian\n")
    made.put("id", 'if [ "$1" = -u ]; then echo 0; else echo root; fi')
    made.put("sleep", "exit 0")
    made.put("docker", 'test -e "$R/up" && echo 20.10.24')
    made.put("apt-get", 'echo "apt-get $*" >>"$R/calls"')
    return made


def _install_all(machine: Machine) -> None:
    for name in ("containerd", "runc", "iptables", "debootstrap"):
        machine.put(name, "exit 0")
    machine.put("dockerd", 'echo dockerd >>"$R/calls"; touch "$R/up"; exec /bin/sleep 3')
    keyring = machine.root / "usr/share/keyrings/debian-archive-keyring.gpg"
    keyring.parent.mkdir(parents=True)
    keyring.touch()


def test_an_engine_that_runs_is_left_alone(machine: Machine) -> None:
    (machine.root / "up").touch()
    done = machine.run()
    assert done.returncode == 0
    assert "Docker 20.10.24 answers" in done.stderr
    assert machine.log() == []


def test_a_check_says_what_would_happen_and_does_none_of_it(machine: Machine) -> None:
    done = machine.run("--check")
    assert done.returncode == 3
    assert f"would install {PACKAGES}" in done.stderr
    assert "would start dockerd" in done.stderr
    assert machine.log() == []
    assert not (machine.root / "run/lock").exists()


def test_what_is_missing_is_installed_and_the_daemon_started(machine: Machine) -> None:
    machine.put("dockerd.deb", 'echo dockerd >>"$R/calls"; touch "$R/up"; exec /bin/sleep 3')
    machine.put(
        "apt-get",
        """
        echo "apt-get $*" >>"$R/calls"
        case "$*" in *install*)
            mv "$R/bin/dockerd.deb" "$R/bin/dockerd" ;;
        esac
        """,
    )
    done = machine.run()
    assert done.returncode == 0, done.stderr
    update, install, daemon = machine.log()
    assert update.endswith("update")
    assert install.endswith(f"install -y --no-install-recommends {PACKAGES}")
    assert daemon == "dockerd"
    assert "log: " in done.stderr


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    _install_all(machine)
    (machine.root / "bin/iptables").unlink()
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert machine.log()[1].endswith("--no-install-recommends iptables")


def test_a_second_run_does_nothing(machine: Machine) -> None:
    _install_all(machine)
    assert machine.run().returncode == 0
    calls = machine.log()
    assert machine.run().returncode == 0
    assert machine.log() == calls == ["dockerd"]


def test_a_pid_file_of_a_dead_daemon_is_cleared(machine: Machine) -> None:
    _install_all(machine)
    pid_file = machine.root / "var/run/docker.pid"
    pid_file.write_text(f"{os.getpid()}\n")  # alive, and no dockerd
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert "the dockerd it names is dead" in done.stderr
    assert not pid_file.exists()


def test_a_daemon_that_somebody_else_started_is_waited_for(machine: Machine) -> None:
    _install_all(machine)
    machine.put("dockerd", "while :; do /bin/sleep 0.05; done")
    machine.put("sleep", 'touch "$R/up"')
    with subprocess.Popen([machine.root / "bin/dockerd"]) as theirs:
        try:
            (machine.root / "var/run/docker.pid").write_text(str(theirs.pid))
            done = machine.run()
        finally:
            theirs.kill()
    assert done.returncode == 0, done.stderr
    assert f"dockerd runs already (pid {theirs.pid})" in done.stderr
    assert machine.log() == []


def test_a_daemon_that_dies_shows_the_end_of_its_log(machine: Machine) -> None:
    _install_all(machine)
    machine.put("dockerd", "echo 'failed to start: no cgroups'; exit 1")
    machine.put("sleep", "exec /bin/sleep 0.05")
    done = machine.run()
    assert done.returncode == 3
    assert "failed to start: no cgroups" in done.stderr
    assert "dockerd ended by itself" in done.stderr


def test_a_daemon_that_never_answers_is_given_up(machine: Machine) -> None:
    _install_all(machine)
    machine.put("dockerd", "exec /bin/sleep 20")
    done = machine.run()
    assert done.returncode == 3
    assert "waiting for dockerd, 5 s" in done.stderr
    assert "did not answer within 60 s" in done.stderr


def test_systemd_starts_the_daemon_where_it_runs(machine: Machine) -> None:
    _install_all(machine)
    (machine.root / "run/systemd/system").mkdir()
    machine.put("systemctl", 'echo "systemctl $*" >>"$R/calls"; touch "$R/up"')
    assert machine.run().returncode == 0
    assert machine.log() == ["systemctl start docker"]


def test_packages_that_cannot_be_installed_show_the_end_of_the_log(machine: Machine) -> None:
    machine.put("apt-get", "echo 'E: Unable to fetch some archives'; exit 100")
    done = machine.run()
    assert done.returncode == 3
    assert "E: Unable to fetch some archives" in done.stderr


def test_somebody_who_is_not_root_is_told_and_nothing_is_tried(machine: Machine) -> None:
    machine.put("id", 'if [ "$1" = -u ]; then echo 1000; else echo ann; fi')
    done = machine.run()
    assert done.returncode == 3
    assert "run 'sudo sh " in done.stderr
    assert machine.log() == []


def test_another_system_is_told_where_docker_comes_from(machine: Machine) -> None:
    (machine.root / "etc/os-release").write_text("ID=fedora\n")
    done = machine.run()
    assert done.returncode == 3
    assert "docs.docker.com/engine/install" in done.stderr


def test_an_engine_that_the_user_chose_is_never_replaced(machine: Machine) -> None:
    done = machine.run(DOCKER_HOST="tcp://127.0.0.1:1")
    assert done.returncode == 3
    assert "nothing answers at DOCKER_HOST=tcp://127.0.0.1:1" in done.stderr
    assert machine.log() == []


def test_an_unknown_argument_is_a_usage_error(machine: Machine) -> None:
    assert machine.run("--chekc").returncode == 2


def test_two_at_once_start_one_daemon(machine: Machine) -> None:
    _install_all(machine)
    machine.put(
        "dockerd", 'echo dockerd >>"$R/calls"; /bin/sleep 0.5; touch "$R/up"; exec /bin/sleep 3'
    )
    machine.put("sleep", "exec /bin/sleep 0.1")
    command = [str(machine.root / "bin/sh"), str(SETUP_SCRIPT)]
    env = {"PATH": str(machine.root / "bin"), "MINTMARK_ENGINE_ROOT": str(machine.root)}
    running = [
        subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert machine.log() == ["dockerd"]
