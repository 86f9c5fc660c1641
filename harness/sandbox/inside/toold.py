"""The container's command: does what the harness asks, one JSON line at a time.

A request is a line on stdin; its reply is one line, or several, on stdout with the same id.
Nothing that a request says and nothing that a command does ends the daemon: only `bye` and the end
of stdin do. It is meant to be the container's first process: nobody inside can signal that one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import files
import trees
from lines import Lines, Replies
from processes import LEFTOVER_PERIOD_S, Command, Processes, SpawnError
from protocol import (
    KINDS,
    Problem,
    flag,
    from_os,
    identity,
    items,
    line,
    seconds,
    table,
    text,
    to_bytes,
    to_text,
    whole,
)

MYPY = False
if MYPY:
    from collections.abc import Callable, Iterator, Sequence

    from processes import Finished
    from protocol import Reply, Request

    Operation = Callable[[Request], Reply]

PROTOCOL = 1
WORKSPACE = "/workspace"
REPLY_BYTES = 64 * 1024 * 1024
OUTPUT_BYTES, OUTPUT_MOST = 64 * 1024, 16 * 1024 * 1024
LONGEST_S = 24 * 3600.0
CHILD_TIMEOUT_S = 50.0
BASH = "/bin/bash"
SIGNAL_BASE = 128
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)
ANSWERS: dict[str, Operation] = {
    "read": files.read,
    "write": files.write,
    "stat": files.status,
    "list": files.list_folder,
    "search": files.search,
    "apply": trees.apply,
    "put": trees.put,
}
IN_A_CHILD = (*ANSWERS, "scan")


class Daemon:
    """One request after the other."""

    def __init__(self, processes: Processes, replies: Replies) -> None:
        self._processes = processes
        self._replies = replies

    def serve(self, lines: Lines) -> None:
        """Until `bye` or the end of stdin; then nothing of ours is left running."""
        goes_on = True
        while goes_on:
            try:
                request = lines.take()
            except Problem as problem:
                self._replies.send(line(dict(problem.reply(), id=None)))
                continue
            goes_on = self._await_more(lines) if request is None else self._answer(request)
        self._processes.warden.end(os.getuid())

    def _await_more(self, lines: Lines) -> bool:
        poll = select.poll()
        poll.register(lines.fd, select.POLLIN)
        poll.register(self._processes.wake, select.POLLIN)
        while True:
            held = self._processes.drain_leftovers()
            ready = [fd for fd, _ in poll.poll(LEFTOVER_PERIOD_S * 1000 if held else None)]
            self._processes.tidy()
            if lines.fd in ready:
                return lines.more()

    def _answer(self, said: bytes) -> bool:
        """Answer one line; False when it was the last."""
        name: object = None
        try:
            request = _parsed(said)
            name = request.get("id")
            reply = self._do(text(request, "op"), request)
        except Problem as problem:
            reply = problem.reply()
        except Exception as error:  # noqa: BLE001  # the harness hears of it, the daemon lives on
            reply = Problem("internal", "{}: {}".format(type(error).__name__, error)).reply()
        if reply:
            self._replies.send(line(dict(reply, id=name)))
        return "bye" not in reply

    def _do(self, operation: str, request: Request) -> Reply:
        if operation in IN_A_CHILD:
            return self._in_child(operation, request)
        if operation == "run":
            return self._run(request)
        if operation == "ping":
            return {"pong": True}
        if operation == "end":
            who = identity(request)
            return {"survivors": self._processes.warden.end(os.getuid() if who is None else who[0])}
        if operation == "bye":
            return {"bye": True}
        raise Problem("bad_request", "no operation {!r:.80}".format(operation))

    def _run(self, request: Request) -> Reply:
        done = self._start(_command(request))
        exit_code = done.exit_code
        if exit_code is None and not done.timed_out:  # as a shell says it
            exit_code = SIGNAL_BASE + (done.signal or 0)
        return {
            "exit_code": None if done.timed_out else exit_code,
            "signal": done.signal,
            "timed_out": done.timed_out,
            "stdout": to_text(done.stdout.kept()),
            "stderr": to_text(done.stderr.kept()),
            "stdout_dropped": done.stdout.dropped,
            "stderr_dropped": done.stderr.dropped,
            "duration_s": round(done.duration_s, 6),
            "survivors": done.survivors,
        }

    def _in_child(self, operation: str, request: Request) -> Reply:
        """The child writes the reply; only where it could not finish is there one from here."""
        command = Command([], cwd=text(request, "cwd", "/"), timeout_s=CHILD_TIMEOUT_S)
        command.identity = identity(request)
        command.result_bytes = REPLY_BYTES
        command.sink = self._replies
        command.action = lambda: _lines(operation, request)
        self._replies.forget()
        done = self._start(command)
        if done.timed_out:
            raise Problem("timed_out", "not done after {:g} s".format(CHILD_TIMEOUT_S))
        if done.exit_code != 0:
            raise Problem("internal", "{} ended with signal {}".format(operation, done.signal))
        return {}

    def _start(self, command: Command) -> Finished:
        try:
            return self._processes.run(command)
        except SpawnError as error:
            kind = KINDS.get(error.errno, "io")
            where = {"folder": command.cwd, "program": (command.argv or [""])[0]}.get(error.stage)
            raise Problem(kind, str(error), where) from None


def _parsed(said: bytes) -> Request:
    try:
        request = table(json.loads(said.decode("utf-8")), "request")
    except (ValueError, RecursionError) as error:
        raise Problem("bad_request", "no JSON: {}".format(error)) from None
    if isinstance(request.get("id"), bool) or not isinstance(request.get("id"), (int, str)):
        raise Problem("bad_request", "a request needs an id, a number or a string")
    return request


def _command(request: Request) -> Command:
    cwd = text(request, "cwd", WORKSPACE)
    command = Command(_argv(request), cwd=cwd, timeout_s=seconds(request, "timeout_s", LONGEST_S))
    command.env = _environment(table(request.get("env") or {}, "env"))
    if request.get("stdin") is not None:
        command.stdin = to_bytes(request["stdin"], "stdin")
    command.output_bytes = whole(request, "output_bytes", OUTPUT_BYTES, OUTPUT_MOST)
    command.identity = identity(request)
    command.end_all_after = flag(request, "kill_after", default=False)
    return command


def _argv(request: Request) -> Sequence[str]:
    if request.get("shell") is not None:
        return [BASH if os.path.exists(BASH) else "/bin/sh", "-c", text(request, "shell")]
    argv = [word for word in items(request, "argv") if isinstance(word, str) and "\0" not in word]
    if not argv or not argv[0] or argv != request["argv"]:
        raise Problem("bad_request", "'argv' must be a list of words, or 'shell' a line")
    return argv


def _environment(more: Request) -> dict[str, str]:
    """The daemon's own, with what the request adds; null takes away."""
    env = dict(os.environ)
    for key, value in more.items():
        if value is None:
            env.pop(key, None)
            continue
        if not key or "=" in key or "\0" in key:
            raise Problem("bad_request", "{!r:.80} names no environment variable".format(key))
        env[key] = text(more, key)
    return env


def _lines(operation: str, request: Request) -> Iterator[bytes]:
    """Runs in the child: its replies, an error being one."""
    try:
        if operation == "scan":
            yield from trees.pages(request)
            return
        reply = ANSWERS[operation](request)
    except Problem as problem:
        reply = problem.reply()
    except OSError as error:
        place = request.get("path", request.get("root"))
        reply = from_os(error, place if isinstance(place, str) else None).reply()
    except (ValueError, RecursionError, MemoryError) as error:
        reply = Problem("bad_request", "{}: {}".format(type(error).__name__, error)).reply()
    data = line(dict(reply, id=request["id"]))
    if len(data) > REPLY_BYTES:
        too_large = Problem("too_large", "a reply has at most {} bytes".format(REPLY_BYTES))
        data = line(dict(too_large.reply(), id=request["id"]))
    yield data


def main() -> int:
    """Serve on stdin and stdout."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    replies = Replies(1)
    processes = Processes()
    version = ".".join(str(part) for part in sys.version_info[:3])
    hello: Reply = {"ready": True, "protocol": PROTOCOL, "python": version}
    replies.send(line(dict(hello, uid=os.getuid(), pid=os.getpid())))
    Daemon(processes, replies).serve(Lines(0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
