"""Talks to the tool daemon, on the host or in a container, and grades with the trusted runner."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

INSIDE = Path(__file__).parents[2] / "harness" / "sandbox" / "inside"
SECCOMP = INSIDE.with_name("seccomp.json")
IMAGE = "mintmark-test/inside"
AGENT = 64321
MEMORY_BYTES = 512 * 1024 * 1024

Reply = dict[str, Any]
Who = Sequence[int] | None


def pack(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unpack(text: str) -> bytes:
    return base64.b64decode(text)


class Talk:
    """One conversation with a daemon."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.last = 0
        self.ready = self.receive()

    def send_raw(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def receive(self) -> Reply:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the daemon ended"
        reply: Reply = json.loads(line)
        return reply

    def pages(self, op: str, *, who: Who = None, **fields: object) -> list[Reply]:
        self.last += 1
        request = {"id": self.last, "op": op, "as": who, **fields}
        self.send_raw(json.dumps(request).encode() + b"\n")
        replies = [self.receive()]
        while replies[-1].get("more"):
            replies.append(self.receive())
        assert {reply["id"] for reply in replies} == {self.last}
        return replies

    def ask(self, op: str, *, who: Who = None, **fields: object) -> Reply:
        return self.pages(op, who=who, **fields)[-1]

    def error(self, op: str, *, who: Who = None, **fields: object) -> str:
        problem = self.ask(op, who=who, **fields)["error"]
        assert problem["message"]
        return str(problem["kind"])

    def run(self, shell: str, *, cwd: str = "/", who: Who = None, **fields: object) -> Reply:
        fields.setdefault("timeout_s", 20)
        reply = self.ask("run", shell=shell, cwd=cwd, who=who, **fields)
        assert "error" not in reply
        return reply

    def output(self, shell: str, **fields: object) -> str:
        reply = self.run(shell, cwd="/", who=None, **fields)
        return unpack(reply["stdout"]).decode()


@contextmanager
def talk(command: Sequence[str]) -> Iterator[Talk]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Talk(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextmanager
def on_the_host(python: str = sys.executable) -> Iterator[Talk]:
    with talk([python, "-I", "-S", str(INSIDE / "toold.py")]) as daemon:
        yield daemon


@contextmanager
def in_a_container(
    *, grading: bool, workspace: Path | None = None, init: bool = False
) -> Iterator[Talk]:
    """The hardened container that the harness opens, started with the engine's own client."""
    name = f"mintmark-test-inside-{uuid.uuid4().hex[:12]}"
    caps = ["--cap-add=SETUID", "--cap-add=SETGID", "--cap-add=KILL"]
    command = [
        *("docker", "run", "--interactive", "--rm", "--name", name),
        *("--network", "none", "--read-only", "--cap-drop", "ALL", "--log-driver", "none"),
        *("--security-opt", "no-new-privileges", "--security-opt", f"seccomp={SECCOMP}"),
        *("--pids-limit", "128", "--memory", str(MEMORY_BYTES), "--memory-swap", str(MEMORY_BYTES)),
        *("--tmpfs", "/tmp:rw,exec,mode=1777", "--tmpfs", "/grading:rw,mode=0700"),
        *("--volume", f"{INSIDE}:/mintmark:ro"),
        *(["--init"] if init else []),
        *(["--user", "0:0", *caps] if grading else ["--user", f"{AGENT}:{AGENT}"]),
        *(
            ["--volume", f"{workspace}:/workspace"]
            if workspace
            else ["--tmpfs", "/workspace:mode=1777"]
        ),
        *(IMAGE, "python3", "-I", "-S", "/mintmark/toold.py"),
    ]
    try:
        with talk(command) as daemon:
            yield daemon
    finally:
        subprocess.run(["docker", "rm", "-f", name], capture_output=True, check=False)


def verdicts(report: bytes) -> dict[str, str]:
    """Test id to passed, failure, error or skipped."""
    found = {}
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314  # our runner's own report
        kind = case[0].tag if len(case) else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = kind
    return found


def messages(report: bytes) -> dict[str, str]:
    """Test id to what went wrong."""
    cases = ET.fromstring(report).iter("testcase")  # noqa: S314  # our runner's own report
    return {
        f"{case.get('classname')}::{case.get('name')}": f"{case[0].get('message')}\n{case[0].text}"
        for case in cases
        if len(case)
    }


def lay(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files, so that every user can read them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def runner(hidden: Path, workspace: Path, report: str) -> list[str]:
    """The command that the harness gives, without a uid: workers run under our own."""
    command = [sys.executable, "-I", str(INSIDE / "grading.py"), "run-hidden"]
    where = ["--tests", str(hidden), "--workspace", str(workspace), "--report", report]
    return [*command, *where]


def grade_on_the_host(
    folder: Path, tests: Mapping[str, str], files: Mapping[str, str], *options: str
) -> bytes:
    """The report of the runner, its workers under our own uid."""
    hidden, workspace = lay(folder / "hidden", tests), lay(folder / "workspace", files)
    command = [*runner(hidden, workspace, "-"), *options]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, cwd=workspace)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def grade_in_a_container(
    daemon: Talk, tests: Mapping[str, str], *, test_timeout_s: float = 15
) -> bytes:
    """The report of the runner as the harness asks for it."""
    files = [{"path": name, "data": pack(text.encode())} for name, text in tests.items()]
    assert daemon.ask("put", root="/grading", files=files)["applied"] == len(files)
    runner = ["python3", "-I", "/mintmark/grading.py", "run-hidden", "--tests", "/grading"]
    report = f"/grading/report-{uuid.uuid4().hex}.xml"
    who = ["--uid", str(AGENT), "--gid", str(AGENT), "--test-timeout-s", str(test_timeout_s)]
    argv = [*runner, "--workspace", "/workspace", "--report", report, *who]
    done = daemon.ask("run", argv=argv, timeout_s=60, kill_after=True)
    assert done["exit_code"] == 0, unpack(done["stderr"]).decode()
    reply = daemon.ask("read", path=report, limit=1 << 20)
    return unpack(reply["data"])


def runs(pid: int) -> bool:
    """Whether a process still runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state != b"Z"


def others(uid: int = os.getuid()) -> list[int]:
    """An unprivileged user and group where this one may become somebody, else this one itself."""
    return [60000 + os.getpid() % 5000, 60000] if uid == 0 else [uid, os.getgid()]
