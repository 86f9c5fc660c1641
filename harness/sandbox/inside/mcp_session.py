"""A client of one server of the Model Context Protocol: says hello, lists tools, calls them."""

from __future__ import annotations

import json
import time

from mcp_http import Http
from mcp_wire import METHOD_NOT_FOUND, Gone, Inbox, Late, Stdio, is_answer, refusal, result

MYPY = False
if MYPY:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mcp_wire import Message, Transport

OFFERED = "2025-06-18"
UNDERSTOOD = ("2024-11-05", "2025-03-26", OFFERED, "2025-11-25")
CLIENT = {"name": "mintmark", "version": "1"}
MOST_PAGES = 100
QUOTED = 2000
NOTICE_S = 2.0


class Refused(Exception):
    """The server answered with an error, or with what the protocol does not allow."""


class Server:
    """What the harness says of a server: how it is started or found, and what it may be asked."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.name: str = told["name"]
        self.argv: Sequence[str] = told.get("argv") or ()
        self.env: Mapping[str, str] = told.get("env") or {}
        self.url: str | None = told.get("url")
        self._allowed = None if told.get("allow") is None else frozenset(told["allow"])

    def allows(self, tool: object) -> bool:
        """Whether a tool may be seen and called."""
        return self._allowed is None or (isinstance(tool, str) and tool in self._allowed)

    def connect(self, inbox: Inbox, deadline: float) -> Transport:
        """Start or find it; raises Gone."""
        if self.url is None:
            return Stdio(self.argv, self.env, inbox)
        found = Http(self.url, self.argv, self.env, inbox)
        try:
            found.await_start(deadline)
        except Gone:
            found.close()
            raise
        return found

    def not_allowed(self, tool: object) -> str:
        """What is said of a tool that may not be called."""
        return "{!r:.200} is not among the tools that are allowed here".format(tool)


class Session:
    """A conversation with one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.tools: list[Message] = []
        self._inbox = Inbox()
        self._transport: Transport | None = None
        self._last = 0

    def open(self, deadline: float) -> None:
        """Start the server, agree on a protocol and learn its tools; raises Gone, Late, Refused."""
        self._transport = self.server.connect(self._inbox, deadline)
        offer = {"protocolVersion": OFFERED, "capabilities": {}, "clientInfo": CLIENT}
        hello = self._request("initialize", offer, deadline)
        if hello.get("protocolVersion") not in UNDERSTOOD:
            version = hello.get("protocolVersion")
            raise Refused("it speaks protocol {!r:.80}, which is not known here".format(version))
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"}, deadline)
        capabilities = hello.get("capabilities")
        if isinstance(capabilities, dict) and "tools" in capabilities:
            self.tools = self._list_tools(deadline)

    def call(self, tool: str, arguments: Mapping[str, object], deadline: float) -> Message:
        """What a tool answers; raises Gone, Late, Refused."""
        if not self.server.allows(tool):
            raise Refused(self.server.not_allowed(tool))
        return self._request("tools/call", {"name": tool, "arguments": arguments}, deadline)

    def answer_waiting(self) -> None:
        """Heed what the server said while nobody asked it anything."""
        now = time.monotonic()
        try:
            while True:
                self._heed(self._inbox.take(now), now + NOTICE_S)
        except (Gone, Late):
            return

    def close(self) -> None:
        """End the server."""
        if self._transport is not None:
            self._transport.close()

    def _list_tools(self, deadline: float) -> list[Message]:
        tools: list[Message] = []
        cursor: object = None
        for _ in range(MOST_PAGES):
            params = {} if cursor is None else {"cursor": cursor}
            page = self._request("tools/list", params, deadline)
            listed = page.get("tools")
            if not isinstance(listed, list):
                raise Refused("its list of tools is none: {!r:.200}".format(listed))
            tools += [tool for tool in listed if isinstance(tool, dict)]
            cursor = page.get("nextCursor")
            if cursor is None:
                return tools
        raise Refused("its list of tools does not end")

    def _request(self, method: str, params: Mapping[str, object], deadline: float) -> Message:
        self._last += 1
        name = self._last
        self._send({"jsonrpc": "2.0", "id": name, "method": method, "params": params}, deadline)
        while True:
            try:
                message = self._inbox.take(deadline)
            except Gone:
                raise Gone(self._why()) from None
            except Late:
                self._cancel(name)
                raise Late("no answer to {}".format(method)) from None
            if is_answer(message) and message["id"] == name:
                return _outcome(message)
            self._heed(message, deadline)

    def _heed(self, message: Message, deadline: float) -> None:
        """Notifications and late answers change nothing; a request gets its answer."""
        if "method" not in message or "id" not in message:
            return
        if message["method"] == "ping":
            self._send(result(message["id"], {}), deadline)
            return
        text = "{!r:.80} is not for this client".format(message["method"])
        self._send(refusal(message["id"], METHOD_NOT_FOUND, text), deadline)

    def _cancel(self, name: int) -> None:
        params = {"requestId": name, "reason": "it took too long"}
        told = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
        try:
            self._send(told, time.monotonic() + NOTICE_S)
        except (Gone, Late):
            return

    def _send(self, message: Message, deadline: float) -> None:
        if self._transport is None:
            raise Gone("it was never started")
        try:
            self._transport.send(message, deadline)
        except Late:
            raise Late("it does not read what it is told") from None

    def _why(self) -> str:
        return "it was never started" if self._transport is None else self._transport.why()


def _outcome(message: Message) -> Message:
    found = message.get("result")
    if isinstance(found, dict):
        return found
    error = message.get("error")
    if isinstance(error, dict):
        text = "{} (error {})".format(error.get("message"), error.get("code"))
        raise Refused(text[:QUOTED])
    raise Refused("an answer without a result: {:.200}".format(json.dumps(message)))
