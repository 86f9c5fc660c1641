"""What an agent can reach, use up and leave behind: nothing, its share, and its files."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from docker import DockerClient

from harness.domain.scenario import Scenario
from harness.sandbox.base import Box, Purpose, User
from harness.testing.sandbox import OpenBox as Open

pytestmark = pytest.mark.docker

BOTH = pytest.mark.parametrize("purpose", list(Purpose), ids=lambda p: p.value)


def python(box: Box, code: str, timeout_s: float = 20) -> str:
    done = box.run(["python3", "-c", code], timeout_s=timeout_s)
    return (done.stdout + done.stderr).strip()


@BOTH
def test_nobody_is_root_and_nothing_can_become_it(open_box: Open, purpose: Purpose) -> None:
    with open_box(purpose) as (box, _):
        status = box.run("id -u; cat /proc/self/status", timeout_s=10).stdout
        assert status.startswith("64321\n")
        assert "CapEff:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" in status


@BOTH
def test_there_is_no_network(open_box: Open, purpose: Purpose) -> None:
    with open_box(purpose) as (box, _):
        assert box.run("cat /proc/net/dev", timeout_s=10).stdout.count(":") == 1
        code = "import socket; socket.create_connection(('1.1.1.1', 80), 2)"
        assert "unreachable" in python(box, code)


REFUSED = "\nraise OSError(ctypes.get_errno(), 'refused') if r < 0 else SystemExit(0)"
LIBC = "import ctypes; c = ctypes.CDLL(None, use_errno=True); "


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.socket(40, socket.SOCK_STREAM)",
        f"{LIBC}r = c.syscall(425, 4, 0){REFUSED}",
        f"{LIBC}r = c.unshare(0x10000000){REFUSED}",
        f"{LIBC}r = c.mount(b'x', b'/tmp', b'tmpfs', 0, 0){REFUSED}",
    ],
    ids=["vsock", "io_uring", "user-namespace", "mount"],
)
def test_ways_around_the_container_are_closed(open_box: Open, code: str) -> None:
    with open_box() as (box, _):
        assert "Error" in python(box, code)


@BOTH
def test_only_the_workspace_tmp_and_home_can_be_written(open_box: Open, purpose: Purpose) -> None:
    places = "/ /etc /usr/bin /mintmark /root /var /grading /workspace /tmp /home/agent"
    line = f"for d in {places}; do touch $d/x 2>/dev/null && echo $d; done; true"
    with open_box(purpose) as (box, _):
        wrote = box.run(line, timeout_s=10).stdout.split()
        assert set(wrote) - {"/dev", "/dev/shm"} == {"/workspace", "/tmp", "/home/agent"}


def test_the_hosts_paths_and_the_run_do_not_show_in_the_mount_table(
    open_box: Open, scenario: Scenario, state: object
) -> None:
    with open_box() as (box, _):
        table = box.run("cat /proc/self/mountinfo; env; hostname", timeout_s=10).stdout
        assert str(state) not in table
        assert str(scenario.folder) not in table
        assert "/workspace" in table


def test_a_command_that_outlives_its_deadline_dies_with_all_its_children(open_box: Open) -> None:
    fork = "if os.fork(): os._exit(0)"
    hider = f"import os,time\n{fork}\nos.setsid()\n{fork}\ntime.sleep(600)"
    with open_box() as (box, _):
        done = box.run(f'python3 -c "{hider}"; sleep 600', timeout_s=1)
        assert done.timed_out
        left = box.run("cat /proc/[0-9]*/comm", timeout_s=10).stdout.split()
        assert "sleep" not in left
        assert left.count("python3") <= 1


def test_a_background_process_does_not_hold_a_command_up(open_box: Open) -> None:
    with open_box() as (box, _):
        began = time.monotonic()
        done = box.run("sleep 300 & echo started", timeout_s=60)
        assert done.stdout == "started\n"
        assert time.monotonic() - began < 30


def test_when_grading_nothing_of_a_command_survives_it(open_box: Open) -> None:
    with open_box(Purpose.GRADE) as (box, _):
        box.run("(setsid sleep 300 &) ; sleep 300 & echo started", timeout_s=60)
        assert "sleep" not in box.run("cat /proc/[0-9]*/comm", timeout_s=10).stdout.split()


def test_a_fork_bomb_stays_in_its_sandbox_and_the_sandbox_can_be_used_again(open_box: Open) -> None:
    with open_box() as (box, _):
        box.run(["bash", "-c", ":(){ :|:& };:; sleep 5"], timeout_s=3)
        assert box.run("echo alive", timeout_s=30).stdout == "alive\n"


def test_output_is_bounded_and_says_how_much_was_dropped(open_box: Open) -> None:
    with open_box() as (box, _):
        done = box.run("yes | head -c 50000000", timeout_s=60, output_bytes=10_000)
        assert len(done.stdout) <= 10_100
        assert done.dropped_bytes >= 50_000_000 - 10_100


def test_the_disk_is_bounded_in_bytes_and_in_files(open_box: Open) -> None:
    with open_box() as (box, _):
        done = box.run("head -c 100000000 /dev/zero > big", timeout_s=60)
        assert not done.ok
        many = "i=0; while : > f$i; do i=$((i+1)); done 2>/dev/null; rm -f big; ls | wc -l"
        assert int(box.run(many, timeout_s=120).stdout) < 10_000


def test_memory_is_bounded_and_the_daemon_outlives_the_glutton(open_box: Open) -> None:
    with open_box() as (box, _):
        done = box.run(["python3", "-c", "x = bytearray(10**9); print('got it')"], timeout_s=60)
        assert "got it" not in done.stdout
        assert box.run("echo alive", timeout_s=30).stdout == "alive\n"


def test_an_agent_can_neither_kill_its_daemon_nor_speak_for_it(open_box: Open) -> None:
    with open_box() as (box, _):
        box.run("kill -9 -1", timeout_s=10)
        box.run("for p in /proc/[0-9]*; do kill -9 ${p#/proc/}; done", timeout_s=10)
        box.run("for f in /proc/1/fd/*; do echo forged > $f; done", timeout_s=10)
        assert box.run("echo alive", timeout_s=10).stdout == "alive\n"


def test_the_graders_files_are_closed_to_the_agents_code(open_box: Open) -> None:
    with open_box(Purpose.GRADE) as (box, _):
        box.put_hidden({"test_secret.py": b"CANARY", "data/x.json": b"CANARY"})
        assert "CANARY" not in box.run("cat /grading/* /grading/*/*; true", timeout_s=10).stdout
        assert box.run("ls /grading", timeout_s=10).exit_code != 0
        read = box.run(["cat", "/grading/test_secret.py"], user=User.GRADER, timeout_s=10)
        assert read.stdout == "CANARY"


def test_the_container_is_what_the_policy_says(
    open_box: Open, engine: DockerClient, scenario: Scenario
) -> None:
    with open_box():
        (container,) = engine.containers.list(filters={"label": "mintmark=test"})
        host = container.attrs["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Init"] is False
    assert host["Privileged"] is False
    assert host["Memory"] == host["MemorySwap"] == scenario.limits.memory_bytes
    assert host["PidsLimit"] == scenario.limits.pids
    assert "no-new-privileges" in host["SecurityOpt"]
    assert host["LogConfig"]["Type"] == "none"


def test_no_container_is_left_when_a_block_ends_badly(open_box: Open, engine: DockerClient) -> None:
    with pytest.raises(ZeroDivisionError), open_box():
        raise ZeroDivisionError
    assert not engine.containers.list(all=True, filters={"label": "mintmark=test"})


def test_the_wall_clock_of_a_command_is_not_what_the_agent_says(open_box: Open) -> None:
    with open_box(limits=None) as (box, _):
        began = time.monotonic()
        done = box.run("trap '' TERM INT HUP; while :; do :; done", timeout_s=2)
        assert done.timed_out
        assert time.monotonic() - began < 30


def test_limits_can_be_changed_per_scenario(open_box: Open, scenario: Scenario) -> None:
    wanted = replace(scenario.limits, pids=20)
    with open_box(limits=wanted) as (box, _):
        start = "threading.Thread(target=time.sleep, args=(3,)).start()"
        code = f"import threading,time\nfor i in range(60): {start}"
        assert "can't start new thread" in python(box, code)
