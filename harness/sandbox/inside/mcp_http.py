"""Servers of the Model Context Protocol that speak streamable HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

from mcp_wire import (
    FAILED,
    MESSAGE_BYTES,
    PATIENCE_S,
    Gone,
    Inbox,
    Program,
    encoded,
    is_answer,
    messages,
    refusal,
)

MYPY = False
if MYPY:
    from collections.abc import Iterator, Mapping, Sequence

    from mcp_wire import Message

ACCEPT = "application/json, text/event-stream"
LONGEST_S = 3600.0
NOTICE_S = 10.0
REDIRECTS = 3
TRY_AGAIN_S = 0.05
QUOTED = 500
SUCCESS, REDIRECT, WRONG = 200, 300, 400


class Http:
    """A server at a URL, started first where a command is given and nobody listens there yet.

    Answers to requests come on the responses to them. No stream is opened for what a server says
    without having been asked.
    """

    def __init__(self, url: str, argv: Sequence[str], env: Mapping[str, str], inbox: Inbox) -> None:
        self._url = url
        self._inbox = inbox
        self._session: str | None = None
        self._version: str | None = None
        self._program: Program | None = None
        if argv and not _listens(url):
            self._program = Program(argv, env)
            self._program.listen(self._program.note, lambda: None)

    def await_start(self, deadline: float) -> None:
        """Until somebody listens; raises Gone."""
        while not _listens(self._url):
            if self._program is not None and not self._program.runs:
                raise Gone(self._program.why())
            if self._program is None or time.monotonic() > deadline:
                raise Gone("nobody listens at {}".format(self._url))
            time.sleep(TRY_AGAIN_S)

    def send(self, message: Message, deadline: float) -> None:
        """A request is posted in a thread, for its answer may take long; others are waited for."""
        if "id" in message and "method" in message:
            threading.Thread(target=self._ask, args=(message,), daemon=True).start()
            return
        try:
            self._post(message, min(NOTICE_S, max(0.1, deadline - time.monotonic())))
        except (OSError, http.client.HTTPException):
            return  # nobody waits for an answer; the next request tells what is wrong

    def why(self) -> str:
        """What is known of the end of a server that was started here."""
        if self._program is None or self._program.runs:
            return "it does not answer at {}".format(self._url)
        return self._program.why()

    def close(self) -> None:
        """Give the session back and end the program."""
        if self._session is not None:
            with suppress(OSError, http.client.HTTPException):
                self._exchange("DELETE", None, PATIENCE_S)[0].close()
        if self._program is not None:
            self._program.close(at_once=True)

    def _ask(self, message: Message) -> None:
        try:
            if self._post(message, LONGEST_S):
                return
            problem = "the stream ended before the answer"
        except (OSError, http.client.HTTPException) as error:
            problem = "{}; {!r}".format(self.why(), error)
        self._inbox.put(refusal(message["id"], FAILED, problem))

    def _post(self, message: Message, timeout_s: float) -> bool:
        """Pass on what is answered; False when the answer is not among it."""
        connection, response = self._exchange("POST", encoded(message), timeout_s)
        try:
            return self._heed(message, response)
        finally:
            connection.close()

    def _heed(self, message: Message, response: http.client.HTTPResponse) -> bool:
        if message.get("method") == "initialize" and response.status < REDIRECT:
            self._session = response.getheader("Mcp-Session-Id")
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if kind == "text/event-stream" and response.status < REDIRECT:
            answered = False
            for data in events(response):
                answered = self._pass_on(message, data) or answered
            return answered
        body = response.read(MESSAGE_BYTES)
        if response.status >= SUCCESS and response.status < REDIRECT:
            return self._pass_on(message, body)
        if "id" in message and "method" in message:
            self._inbox.put(refusal(message["id"], FAILED, _explained(response.status, body)))
        return True

    def _pass_on(self, asked: Message, data: bytes) -> bool:
        answered = False
        for said in messages(data) or ():
            if is_answer(said) and said["id"] == asked.get("id"):
                answered = True
                self._learn(asked, said)
            self._inbox.put(said)
        return answered

    def _learn(self, asked: Message, said: Message) -> None:
        outcome = said.get("result")
        if asked.get("method") == "initialize" and isinstance(outcome, dict):
            version = outcome.get("protocolVersion")
            self._version = version if isinstance(version, str) else None

    def _exchange(
        self, method: str, body: bytes | None, timeout_s: float
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        headers = {"Accept": ACCEPT, "Content-Type": "application/json"}
        if self._session is not None:
            headers["Mcp-Session-Id"] = self._session
        if self._version is not None:
            headers["MCP-Protocol-Version"] = self._version
        url = self._url
        for _ in range(REDIRECTS):
            parts = urlsplit(url)
            secure = parts.scheme == "https"
            make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            connection = make(parts.hostname or "", parts.port, timeout=timeout_s)
            target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
            try:
                connection.request(method, target, body, headers)
                response = connection.getresponse()
            except BaseException:
                connection.close()
                raise
            place = response.getheader("Location")
            if not place or not REDIRECT <= response.status < WRONG:
                return connection, response
            connection.close()
            url = urljoin(url, place)
        raise http.client.HTTPException("it redirects without end")


def events(lines: http.client.HTTPResponse) -> Iterator[bytes]:
    """The data of every event of a stream."""
    data: list[bytes] = []
    for raw in iter(lambda: lines.readline(MESSAGE_BYTES), b""):
        line = raw.rstrip(b"\r\n")
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value[1:] if value.startswith(b" ") else value)
        elif not line and data:
            yield b"\n".join(data)
            data = []


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=PATIENCE_S).close()
    except OSError:
        return False
    return True


def _explained(status: int, body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    with suppress(ValueError, KeyError, TypeError, RecursionError):  # else the body says it
        text = str(json.loads(text)["error"]["message"])
    return "HTTP {}: {}".format(status, text[:QUOTED])
