"""Stands between an agent's own program and one server, and lets only allowed tools through.

To the program it is a server on standard streams, wherever the real one listens. It passes on tools
and nothing else, because agents without a program of their own get nothing else either. It is no
wall: who runs commands in the sandbox can start the server's program too.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from mcp_session import Server
from mcp_wire import (
    FAILED,
    INVALID_PARAMS,
    MESSAGE_BYTES,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Gone,
    Inbox,
    Late,
    encoded,
    is_answer,
    messages,
    refusal,
)

MYPY = False
if MYPY:
    from collections.abc import Mapping
    from typing import IO, Any

    from mcp_wire import Message, Transport

START_S = 30.0
SEND_S = 30.0
TELL_S = 5.0
FOREVER_S = 7 * 24 * 3600.0
PROBE = "server/discover"
OTHER_THAN_TOOLS = ("resources/", "prompts/", "completion/")
PASSED_ON = ("tools", "logging", "experimental")


def serve(told: Mapping[str, Any], stream: IO[bytes]) -> int:
    """Be the server on our standard streams; the exit code is 0 when the program ended first."""
    return Filter(Server(told), 1).serve(stream)


class Filter:
    """Two directions: what the program says is judged here, what the server says is cleaned."""

    def __init__(self, server: Server, output: int) -> None:
        self._server = server
        self._output = output
        self._inbox = Inbox()
        self._transport: Transport | None = None
        self._lock = threading.Lock()
        self._open: dict[str, str] = {}
        self._closing = False
        self._problem: str | None = None
        self._told = threading.Event()

    def serve(self, stream: IO[bytes]) -> int:
        """Until the program closes its end or the server ends."""
        try:
            self._transport = self._server.connect(self._inbox, time.monotonic() + START_S)
        except Gone as error:
            self._give_up(str(error))
        threading.Thread(target=self._from_program, args=(stream,), daemon=True).start()
        if self._transport is not None:
            self._pump(self._transport)
        if self._closing:
            return 0
        self._told.wait(TELL_S)
        return 1

    def _pump(self, transport: Transport) -> None:
        try:
            while True:
                self._from_server(self._inbox.take(time.monotonic() + FOREVER_S))
        except Gone:
            if not self._closing:
                self._give_up(transport.why())
        finally:
            transport.close()

    def _give_up(self, problem: str) -> None:
        """Whoever waits is told why, else whoever asks next: programs show that, and no stderr."""
        self._problem = "MCP server {!r}: {}".format(self._server.name, problem)
        sys.stderr.write(self._problem + "\n")
        self._refuse_open(self._problem)

    def _from_program(self, stream: IO[bytes]) -> None:
        for line in iter(lambda: stream.readline(MESSAGE_BYTES), b""):
            said = messages(line)
            if said is None:
                self._say(refusal(None, PARSE_ERROR, "this is no JSON-RPC message"))
            for message in said or ():
                self._pass_on(message)
        self._closing = True
        self._told.set()
        self._inbox.end()

    def _pass_on(self, message: Message) -> None:
        no = self._refused(message)
        if no is not None:
            if "id" in message:
                self._say(no)
            return
        if "id" in message and "method" in message:
            self._note(message)
        if self._problem is not None:
            self._refuse_open(self._problem)
        elif self._transport is not None:
            self._send(self._transport, message)

    def _send(self, transport: Transport, message: Message) -> None:
        try:
            transport.send(message, time.monotonic() + SEND_S)
        except Late:
            self._refuse_open("it does not read what it is told")
        except Gone:
            return  # the end of its output tells the other thread

    def _refused(self, message: Message) -> Message | None:
        name, method = message.get("id"), message.get("method")
        if method == PROBE or str(method).startswith(OTHER_THAN_TOOLS):
            # of the protocol's versions only those with a handshake can be passed on; programs
            # that know the later ones fall back when they hear this
            return refusal(name, METHOD_NOT_FOUND, "Method not found")
        if method != "tools/call":
            return None
        params = message.get("params")
        tool = params.get("name") if isinstance(params, dict) else None
        if self._server.allows(tool):
            return None
        return refusal(name, INVALID_PARAMS, self._server.not_allowed(tool))

    def _from_server(self, message: Message) -> None:
        if is_answer(message):
            with self._lock:
                method = self._open.pop(_key(message["id"]), None)
            outcome = message.get("result")
            if isinstance(outcome, dict):
                self._clean(method, outcome)
        self._say(message)

    def _clean(self, method: str | None, outcome: Message) -> None:
        """Take out of a result what is not to be seen."""
        if method == "initialize" and isinstance(outcome.get("capabilities"), dict):
            offered = outcome["capabilities"].items()
            outcome["capabilities"] = {name: what for name, what in offered if name in PASSED_ON}
        if method == "tools/list" and isinstance(outcome.get("tools"), list):
            outcome["tools"] = [
                tool
                for tool in outcome["tools"]
                if isinstance(tool, dict) and self._server.allows(tool.get("name"))
            ]

    def _note(self, message: Message) -> None:
        with self._lock:
            self._open[_key(message["id"])] = str(message.get("method"))

    def _refuse_open(self, problem: str) -> None:
        """Answer all that the server left unanswered."""
        with self._lock:
            waiting, self._open = list(self._open), {}
        for key in waiting:
            self._say(refusal(json.loads(key), FAILED, problem))
            self._told.set()

    def _say(self, message: Message) -> None:
        with self._lock:
            rest = memoryview(encoded(message))
            try:
                while rest:
                    rest = rest[os.write(self._output, rest) :]
            except BrokenPipeError:
                self._closing = True
                self._inbox.end()


def _key(name: object) -> str:
    """1, 1.0, True and "1" are different ids."""
    return json.dumps(name)
