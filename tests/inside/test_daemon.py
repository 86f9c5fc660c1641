from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.inside.talking import INSIDE, Talk, on_the_host, others, pack, runs, unpack


@pytest.mark.parametrize("path", sorted(INSIDE.glob("*.py")), ids=lambda path: path.name)
def test_every_file_is_python_3_7(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 7))


def test_it_says_who_it_is(fresh: Talk) -> None:
    assert fresh.ready["ready"] is True
    assert fresh.ready["uid"] == os.getuid()
    assert fresh.ask("ping") == {"id": 1, "pong": True}


def test_a_command_gives_its_exit_code_and_both_streams(host: Talk, tmp_path: Path) -> None:
    done = host.run("cat; pwd; echo oops >&2; exit 3", cwd=str(tmp_path), stdin=pack(b"in\n"))
    assert (done["exit_code"], done["signal"], done["timed_out"]) == (3, None, False)
    assert unpack(done["stdout"]).decode() == f"in\n{tmp_path}\n"
    assert unpack(done["stderr"]) == b"oops\n"


def test_an_argv_is_not_seen_by_a_shell(host: Talk) -> None:
    done = host.ask("run", argv=["echo", "$HOME", "a b"], cwd="/", timeout_s=5)
    assert unpack(done["stdout"]) == b"$HOME a b\n"


def test_the_environment_is_the_daemons_with_additions_and_removals(host: Talk) -> None:
    os_path = os.environ["PATH"]
    said = host.output('echo "$A:${HOME-none}:$PATH"', env={"A": "1", "HOME": None})
    assert said == f"1:none:{os_path}\n"


def test_without_stdin_a_command_reads_nothing(host: Talk) -> None:
    assert host.output("cat; echo end") == "end\n"


def test_a_command_that_does_not_read_its_stdin_ends(host: Talk) -> None:
    assert host.run("exit 0", stdin=pack(b"x" * 1_000_000))["exit_code"] == 0


def test_large_stdin_and_stdout_move_at_the_same_time(host: Talk) -> None:
    data = os.urandom(500_000)
    done = host.run("cat", stdin=pack(data), output_bytes=1_000_000)
    assert unpack(done["stdout"]) == data


def test_a_flood_keeps_its_head_and_tail_and_says_what_is_missing(host: Talk) -> None:
    done = host.run("seq 1000000; seq 9 >&2", output_bytes=20)
    assert unpack(done["stdout"]) == b"1\n2\n3\n4\n5\n" + b"9\n1000000\n"
    total = sum(len(f"{n}\n") for n in range(1, 1_000_001))
    assert done["stdout_dropped"] == total - 20
    assert (unpack(done["stderr"]), done["stderr_dropped"]) == (b"1\n2\n3\n4\n5\n6\n7\n8\n9\n", 0)


def test_a_flood_leaves_the_daemons_memory_bounded(fresh: Talk) -> None:
    def resident_kb() -> int:
        status = Path(f"/proc/{fresh.ready['pid']}/status").read_text()
        return int(next(line for line in status.splitlines() if "VmHWM" in line).split()[1])

    before = resident_kb()
    done = fresh.run("yes | head -c 100000000")
    assert done["stdout_dropped"] == 100_000_000 - 65536
    assert resident_kb() - before < 8_000


def test_a_killed_command_has_the_exit_code_of_a_shell(host: Talk) -> None:
    done = host.ask("run", argv=["sh", "-c", "kill -9 $$"], cwd="/", timeout_s=5)
    assert (done["exit_code"], done["signal"], done["timed_out"]) == (137, 9, False)


def test_the_deadline_ends_everything_a_command_began(host: Talk) -> None:
    began = time.monotonic()
    hides = "(setsid sh -c 'echo $$; exec sleep 77' &)"
    done = host.run(f"{hides}; sleep 77 & nohup sleep 77", timeout_s=0.4)
    assert (done["exit_code"], done["timed_out"], done["survivors"]) == (None, True, 0)
    assert time.monotonic() - began < 3
    assert not runs(int(unpack(done["stdout"]).split()[0]))


def test_a_command_that_ignores_every_signal_ends_at_the_deadline(host: Talk) -> None:
    done = host.run("trap '' TERM INT HUP; while :; do sleep 1; done", timeout_s=0.3)
    assert done["timed_out"] is True


def test_a_background_process_does_not_keep_a_command_waiting(host: Talk) -> None:
    began = time.monotonic()
    done = host.run("sleep 5 & echo $!")
    assert time.monotonic() - began < 2
    pid = unpack(done["stdout"]).strip().decode()
    assert host.run(f"kill -0 {pid}")["exit_code"] == 0
    host.ask("end")
    assert host.run(f"kill -0 {pid} 2>/dev/null")["exit_code"] == 1


def test_a_background_process_may_go_on_writing(host: Talk, tmp_path: Path) -> None:
    """A server's log must neither end it (SIGPIPE) nor stop it (a full pipe)."""
    line = "seq 100000; touch done; sleep 9"
    host.run(f"(sleep 0.2; {line}) &", cwd=str(tmp_path))
    wait = "until [ -e done ]; do sleep 0.02; done"
    assert host.run(wait, cwd=str(tmp_path), timeout_s=8)["exit_code"] == 0


OPEN_AND_CLOSE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from processes import Command, Processes, SpawnError
processes, fork = Processes(), os.fork
def no_fork():
    raise BlockingIOError(11, "no more processes")
def run(*argv, timeout_s=5.0, fork=fork):
    os.fork = fork
    command = Command(argv, cwd="/", timeout_s=timeout_s)
    command.stdin, command.env, command.result_bytes = b"x", {"PATH": os.defpath}, 9
    try:
        return processes.run(command).exit_code
    except SpawnError as error:
        return error.stage
def everything():
    found = [run("cat"), run("sleep", "9", timeout_s=0.02), run("no-such-program")]
    return [*found, run("cat", fork=no_fork)]
everything()
before = os.listdir("/proc/self/fd")
assert everything() == [0, None, "program", "fork"]
assert os.listdir("/proc/self/fd") == before
"""


def test_nothing_stays_open_after_a_command() -> None:
    command = [sys.executable, "-I", "-c", OPEN_AND_CLOSE, str(INSIDE)]
    subprocess.run(command, check=True, timeout=20)


def test_kill_after_ends_what_a_command_left(host: Talk) -> None:
    done = host.run("sleep 77 & echo $!", kill_after=True)
    assert done["exit_code"] == 0
    pid = unpack(done["stdout"]).strip().decode()
    assert host.run(f"kill -0 {pid} 2>/dev/null")["exit_code"] == 1


def test_a_command_as_somebody_else_has_that_uid_and_no_other_groups(host: Talk) -> None:
    uid, gid = others()
    done = host.run("id -u; id -g; grep -E 'NoNewPrivs' /proc/self/status", who=[uid, gid])
    assert unpack(done["stdout"]).decode().split() == [str(uid), str(gid), "NoNewPrivs:", "1"]


def test_the_deadline_reaches_somebody_elses_hidden_process(host: Talk) -> None:
    who = others()
    shell = "(setsid sh -c 'echo $$; exec sleep 77' &); sleep 77"
    done = host.run(shell, timeout_s=0.4, who=who)
    assert (done["timed_out"], done["survivors"]) == (True, 0)
    assert not runs(int(unpack(done["stdout"]).split()[0]))


def test_a_command_inherits_nothing_but_its_streams(host: Talk) -> None:
    listing = host.output("ls /proc/self/fd").split()
    assert listing == ["0", "1", "2", "3"]  # 3 is the folder that ls reads


def test_a_command_has_ordinary_signals(host: Talk) -> None:
    status = host.output("grep -E 'SigIgn|SigBlk' /proc/self/status").split()
    # 32 and 33 belong to the C library: where they are ignored from outside, nobody can tell
    c_library = 0b11 << 31
    assert [int(mask, 16) & ~c_library for mask in status[1::2]] == [0, 0]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"argv": ["no-such-program"], "cwd": "/", "env": {"PATH": "/bin"}}, "not_found"),
        ({"argv": ["true"], "cwd": "/no/such/folder"}, "not_found"),
        ({"argv": ["/etc/passwd"], "cwd": "/"}, "denied"),
        ({"argv": ["x" * 200_000], "cwd": "/"}, "bad_request"),
        ({"argv": ["echo", "x" * 200_000], "cwd": "/"}, "too_large"),
        ({"argv": []}, "bad_request"),
        ({"argv": "true"}, "bad_request"),
        ({"argv": ["a\0b"]}, "bad_request"),
        ({"argv": [1]}, "bad_request"),
        ({"shell": 1}, "bad_request"),
        ({}, "bad_request"),
        ({"shell": "true", "timeout_s": 0}, "bad_request"),
        ({"shell": "true", "timeout_s": True}, "bad_request"),
        ({"shell": "true", "timeout_s": 1e30}, "bad_request"),
        ({"shell": "true", "output_bytes": -1}, "bad_request"),
        ({"shell": "true", "stdin": "é"}, "bad_request"),
        ({"shell": "true", "env": {"A=B": "1"}}, "bad_request"),
        ({"shell": "true", "env": {"A": 1}}, "bad_request"),
        ({"shell": "true", "as": [1]}, "bad_request"),
        ({"shell": "true", "as": [-1, 0]}, "bad_request"),
        ({"shell": "true", "as": [True, 0]}, "bad_request"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_run_is_answered_with_an_error(
    host: Talk, fields: dict[str, Any], kind: str
) -> None:
    assert host.error("run", **{"timeout_s": 5, **fields}) == kind


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"[]",
        b"3",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": null, "op": "ping"}',
        b'{"id": {}, "op": "ping"}',
        b'{"op": "ping"}',
        b'{"id": 1}',
        b'{"id": 1, "op": "fly"}',
        b'{"id": 1, "op": []}',
    ],
    ids=lambda line: repr(line[:30]),
)
def test_a_malformed_request_is_answered_and_the_daemon_lives(host: Talk, line: bytes) -> None:
    host.send_raw(line + b"\n")
    assert host.receive()["error"]["kind"] == "bad_request"
    assert host.ask("ping")["pong"] is True


def test_a_request_that_is_too_long_is_refused_and_the_daemon_lives(host: Talk) -> None:
    for _ in range(66):
        host.send_raw(b"x" * (1 << 20))
    host.send_raw(b"\n")
    reply = host.receive()
    assert (reply["id"], reply["error"]["kind"]) == (None, "too_large")
    assert host.ask("ping")["pong"] is True


def test_several_requests_in_one_write_are_answered_in_order(host: Talk) -> None:
    lines = [json.dumps({"id": f"n{n}", "op": "ping"}).encode() for n in range(3)]
    host.send_raw(b"\n".join(lines) + b"\n")
    assert [host.receive()["id"] for _ in range(3)] == ["n0", "n1", "n2"]


def test_bye_ends_the_daemon_and_what_it_started(fresh: Talk) -> None:
    pid = int(fresh.output("sleep 77 & echo $!"))
    assert fresh.ask("bye")["bye"] is True
    assert fresh.process.wait(5) == 0
    assert not runs(pid)


def test_the_end_of_stdin_ends_the_daemon(fresh: Talk) -> None:
    assert fresh.process.stdin is not None
    fresh.process.stdin.close()
    assert fresh.process.wait(5) == 0


@pytest.mark.parametrize("signal", ["TERM", "INT", "HUP", "PIPE"])
def test_polite_signals_do_not_end_the_daemon(host: Talk, signal: str) -> None:
    subprocess.run(["kill", f"-{signal}", str(host.ready["pid"])], check=True)
    assert host.ask("ping")["pong"] is True


def test_it_works_when_descriptors_were_inherited() -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)  # what is tested
    with on_the_host() as daemon:
        assert daemon.output("ls /proc/self/fd").split() == ["0", "1", "2", "3"]
    os.close(read)
    os.close(write)
