"""The daemon where it lives: as the agent's user, and as root of the grading container."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.inside.talking import (
    AGENT,
    Talk,
    grade_in_a_container,
    in_a_container,
    messages,
    pack,
    unpack,
    verdicts,
)

pytestmark = pytest.mark.docker

AGENT_IDS = [AGENT, AGENT]
HIDES = "(setsid sh -c 'echo $$; exec sleep 77' & ) ; setsid sleep 78 & nohup sleep 79 &"
BOMB = """python3 -c '
import os, time
while True:
    try: os.fork()
    except OSError: time.sleep(0.001)
'"""


@pytest.fixture(scope="module", params=["first process", "under an init"])
def agent_box(image: str, request: pytest.FixtureRequest) -> Iterator[Talk]:
    assert image
    with in_a_container(grading=False, init=request.param == "under an init") as daemon:
        assert daemon.ready["uid"] == AGENT
        yield daemon


@pytest.fixture(scope="module", params=["first process", "under an init"])
def grading_box(image: str, request: pytest.FixtureRequest) -> Iterator[Talk]:
    assert image
    with in_a_container(grading=True, init=request.param == "under an init") as daemon:
        assert daemon.ready["uid"] == 0
        yield daemon


@pytest.fixture(scope="module")
def first_box(image: str) -> Iterator[Talk]:
    assert image
    with in_a_container(grading=False, init=False) as daemon:
        yield daemon


def others_of(box: Talk) -> list[str]:
    """What runs beside the daemon, its init, and the command that looks."""
    own = {"1", str(box.ready["pid"])}
    look = "for p in /proc/[0-9]*; do echo ${p#/proc/}; done; echo $$"
    found = box.output(look).split()
    return [pid for pid in found if pid not in own and found.count(pid) == 1]


@pytest.mark.parametrize("name", ["mem", "environ", "maps", "fd/0", "fd/1", "cwd", "root"])
def test_a_command_of_the_same_user_cannot_open_the_daemon(agent_box: Talk, name: str) -> None:
    path = f"/proc/{agent_box.ready['pid']}/{name}"
    done = agent_box.run(f"head -c 1 {path} >/dev/null 2>&1 || readlink {path}")
    assert (done["exit_code"], done["stdout"]) == (1, "")
    assert agent_box.run(f"ls /proc/{agent_box.ready['pid']}/fd")["exit_code"] == 2


def test_nobody_inside_reaches_the_stream_of_a_daemon_that_is_the_first_process(
    first_box: Talk,
) -> None:
    """Under an init of the same user its /proc/1/fd would be the same stream, open to all."""
    forge = "for f in /proc/[0-9]*/fd/[01]; do echo '{\"id\": 1}' 2>/dev/null > $f; done; true"
    first_box.run(forge)
    assert first_box.ask("ping")["pong"] is True


def test_nobody_inside_ends_a_daemon_that_is_the_first_process(first_box: Talk) -> None:
    assert first_box.run("kill -9 1; kill -STOP 1; kill -9 -1; true")["signal"] in (None, 9)
    assert first_box.ask("ping")["pong"] is True


def test_a_daemon_that_is_the_first_process_buries_the_dead(first_box: Talk) -> None:
    first_box.run("for i in 1 2 3; do (sleep 0.05 &); done")
    time.sleep(0.3)
    assert "Z" not in first_box.output("cat /proc/[0-9]*/stat | sed 's/.*) //' | cut -c1")


def test_hidden_processes_end_at_the_deadline(agent_box: Talk) -> None:
    done = agent_box.run(f"{HIDES} sleep 80", timeout_s=0.5)
    assert (done["timed_out"], done["survivors"]) == (True, 0)
    assert others_of(agent_box) == []


def test_hidden_processes_of_the_agent_end_at_the_deadline_while_grading(grading_box: Talk) -> None:
    done = grading_box.run(f"{HIDES} sleep 80", timeout_s=0.5, who=AGENT_IDS)
    assert (done["timed_out"], done["survivors"]) == (True, 0)
    assert others_of(grading_box) == []


def test_hidden_processes_end_with_a_graded_command(grading_box: Talk) -> None:
    assert grading_box.run(HIDES, kill_after=True, who=AGENT_IDS)["survivors"] == 0
    assert others_of(grading_box) == []


def test_a_fork_bomb_is_gone_after_the_deadline(agent_box: Talk) -> None:
    done = agent_box.run(BOMB, timeout_s=1)
    assert (done["timed_out"], done["survivors"]) == (True, 0)
    assert others_of(agent_box) == []


def test_a_fork_bomb_is_gone_after_the_deadline_while_grading(grading_box: Talk) -> None:
    done = grading_box.run(BOMB, timeout_s=1, who=AGENT_IDS)
    assert (done["timed_out"], done["survivors"]) == (True, 0)
    assert others_of(grading_box) == []


def test_a_fork_bomb_left_behind_is_ended_on_request(agent_box: Talk) -> None:
    agent_box.run(f"({BOMB} &) ; sleep 0.5", timeout_s=5)
    assert agent_box.ask("end")["survivors"] == 0
    assert others_of(agent_box) == []


def test_victims_cannot_strike_first(grading_box: Talk) -> None:
    """They kill all of their user in a loop; who ends them is none of theirs to kill."""
    strike = "while [ 1 ]; do kill -9 -1; done"
    for _ in range(3):
        grading_box.run(
            f"setsid sh -c '{strike}' & setsid sh -c '{strike}' & sleep 9", who=AGENT_IDS
        )
    assert others_of(grading_box) != []
    assert grading_box.ask("end", who=AGENT_IDS)["survivors"] == 0
    assert others_of(grading_box) == []
    assert grading_box.output("id -u").strip() == "0"


def test_a_flood_leaves_the_container_running(agent_box: Talk) -> None:
    done = agent_box.run("yes & yes >&2 & yes", timeout_s=2)
    assert done["timed_out"] is True
    assert len(unpack(done["stdout"])) == len(unpack(done["stderr"])) == 65536
    assert done["stdout_dropped"] > 1_000_000


def test_who_eats_the_memory_dies_and_not_the_daemon(agent_box: Talk) -> None:
    hog = "python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 20))'"
    assert agent_box.run(f"for i in 1 2 3 4 5; do {hog} & done; wait; exit 3")["exit_code"] in (
        3,
        137,
    )
    assert agent_box.ask("ping")["pong"] is True


def test_hidden_files_are_closed_to_the_agent(grading_box: Talk) -> None:
    files = [{"path": "secret.txt", "data": pack(b"canary"), "mode": 0o644}]
    assert grading_box.ask("put", root="/grading", files=files)["applied"] == 1
    path = "/grading/secret.txt"
    assert grading_box.run(f"cat {path} || ls /grading", who=AGENT_IDS)["stdout"] == ""
    for op in ("read", "stat", "search"):
        assert grading_box.error(op, path=path, pattern="canary", who=AGENT_IDS) in (
            "denied",
            "not_found",
        )
    assert grading_box.error("scan", root="/grading", who=AGENT_IDS) == "denied"
    assert unpack(grading_box.ask("read", path=path)["data"]) == b"canary"


def test_the_agents_daemon_takes_no_hidden_files_and_becomes_nobody(agent_box: Talk) -> None:
    assert agent_box.error("put", root="/tmp/hidden", files=[]) == "denied"
    assert agent_box.error("run", argv=["id"], cwd="/", timeout_s=5, who=[0, 0]) == "denied"


def test_the_agent_writes_its_workspace_through_the_graders_daemon(grading_box: Talk) -> None:
    fields = {"path": "/workspace/deep/file", "data": pack(b"1")}
    assert grading_box.ask("write", **fields, who=AGENT_IDS)["size"] == 1
    assert grading_box.output("stat -c %u /workspace/deep/file").strip() == str(AGENT)
    assert grading_box.error("write", path="/etc/x", data="", who=AGENT_IDS) == "denied"


def test_javascript_answers_with_values(grading_box: Talk) -> None:
    module = b"export const add = (a, b) => a + b; export class Odd extends RangeError {}\n"
    grading_box.ask("write", path="/workspace/app.mjs", data=pack(module), who=AGENT_IDS)
    test = """
from grading import Raised, node
USE = "import {add, Odd} from './app.mjs'; export default "
def kind(source, *args, **more):
    try:
        return node(source, *args, **more)
    except Raised as error:
        return [error.type, error.is_a("Error")]
def test_values():
    assert node(USE + "async (a) => add(a, 1)", 3) == 4
    assert node(USE + "function (a) { return {a, b: [null, true, 'é']} }", "x") == {
        "a": "x", "b": [None, True, "é"]}
    assert node(USE + "() => undefined") is None
def test_errors():
    assert kind(USE + "() => { throw new Odd('no') }") == ["Odd", True]
    assert kind(USE + "() => process.exit(0)") == ["ExitedEarly", False]
    assert kind("import './none.mjs'; export default () => 1") == ["ExitedEarly", False]
    assert kind(USE + "() => new Promise(() => setInterval(() => 0, 9))", timeout_s=1) == [
        "Timeout", False]
def test_what_json_would_change():
    for value in ("NaN", "[1 / 0]", "new Map()", "new Set([1])", "() => 1", "10n"):
        assert kind(USE + "() => (" + value + ")") == ["NotPlain", True], value
"""
    report = grade_in_a_container(grading_box, {"test_js.py": test})
    assert set(verdicts(report).values()) == {"passed"}, messages(report)
