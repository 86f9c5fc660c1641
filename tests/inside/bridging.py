"""Talks to the MCP bridge as the harness and as agents' programs do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.inside.talking import INSIDE

BRIDGE = [sys.executable, "-I", "-S", str(INSIDE / "mcp_bridge.py")]
SERVER = Path(__file__).with_name("mcp_server.py")

Message = dict[str, Any]


def server(*flags: str, name: str = "test", **more: object) -> Message:
    """A server that errs as the flags say, as the bridge is told of it."""
    return {"name": name, "argv": [sys.executable, str(SERVER), *flags], **more}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def over_http(
    *flags: str, name: str = "test", path: str = "/mcp", allow: list[str] | None = None
) -> Message:
    port = free_port()
    url = f"http://127.0.0.1:{port}{path}"
    return server("http", str(port), *flags, name=name, url=url, allow=allow)


def bridge(
    words: Sequence[str], said: object, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BRIDGE, *words],
        input=json.dumps(said),
        text=True,
        capture_output=True,
        check=False,
        timeout=30,
        env={**os.environ, **(env or {})},
    )


def look(*servers: Message, timeout_s: float = 10) -> list[Message]:
    done = bridge(["look"], {"servers": servers, "timeout_s": timeout_s})
    assert done.returncode == 0, done.stderr
    found: list[Message] = json.loads(done.stdout)["servers"]
    return found


@contextmanager
def hub(folder: Path, *servers: Message) -> Iterator[str]:
    """A running hub's socket; the hub and its servers end with the block."""
    path = str(folder / "home" / "mcp.sock")
    done = bridge(["start", path], {"servers": servers, "timeout_s": 10})
    assert done.returncode == 0, done.stderr
    process = hub_of(path)
    try:
        yield path
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)


def hub_of(path: str) -> int:
    """The process that serves a socket."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(path)
        peer = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(peer[:4], sys.byteorder)


def call(
    path: str, tool: str, *, timeout_s: float = 5, limit: int = 10_000, **arguments: object
) -> tuple[str, bool]:
    request = {"server": "test", "tool": tool, "arguments": arguments}
    done = bridge(["call", path, "10"], {**request, "timeout_s": timeout_s, "limit": limit})
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    return reply["text"], reply["is_error"]


class Program:
    """An agent's program at the filter's other end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def say(self, message: object) -> None:
        self.say_raw(json.dumps(message).encode())

    def say_raw(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def hear(self) -> Message:
        assert self.process.stdout is not None
        message: Message = json.loads(self.process.stdout.readline())
        return message

    def ask(self, method: str, name: object = 1, **params: object) -> Message:
        self.say({"jsonrpc": "2.0", "id": name, "method": method, "params": params})
        return self.hear()


@contextmanager
def filtering(told: Message) -> Iterator[Program]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*BRIDGE, "filter", json.dumps(told)], stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        try:
            yield Program(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            finally:
                process.kill()
