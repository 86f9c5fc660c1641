"""Messages of the Model Context Protocol, and programs that say them line by line."""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import subprocess
import threading
import time
from contextlib import suppress

MYPY = False
if MYPY:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Protocol

    Message = dict[str, Any]

    class Transport(Protocol):
        """A way to one server; what it says is put into the inbox it was made with."""

        def send(self, message: Message, deadline: float) -> None:
            """Say something; raises Gone and Late."""

        def why(self) -> str:
            """What is known of the server's end."""

        def close(self) -> None:
            """End the server."""


METHOD_NOT_FOUND, INVALID_PARAMS, PARSE_ERROR, FAILED = -32601, -32602, -32700, -32000
MESSAGE_BYTES = 32 * 1024 * 1024
LAST_WORDS = 2000
PATIENCE_S = 0.5
INHERITED = (
    *("CI", "HOME", "LANG", "LC_ALL", "LOGNAME", "NO_COLOR", "PATH", "SHELL"),
    *("TERM", "TMPDIR", "TZ", "USER"),
)


class Gone(Exception):
    """The server ended, or never began."""


class Late(Exception):
    """The server did not answer in time."""


class Inbox:
    """What a server said and nobody read yet; its end is told as often as it is asked for."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Message | None] = queue.Queue()

    def put(self, message: Message) -> None:
        """Add something that was said."""
        self._queue.put(message)

    def end(self) -> None:
        """Nothing more will come."""
        self._queue.put(None)

    def take(self, deadline: float) -> Message:
        """The next message; raises Gone, without a reason, and Late."""
        try:
            message = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise Late from None
        if message is None:
            self.end()
            raise Gone
        return message


class Program:
    """A process in a session of its own; the end of what it says beside the point is kept."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        try:
            self._process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(inherited, **env),
                start_new_session=True,
            )
        except OSError as error:
            raise Gone(_not_started(argv[0], error)) from None
        self._words = bytearray()
        self._broken = False
        self._readers = [self._reading(self._process.stderr, self.note)]

    def listen(self, hear: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """Hand over every line of its stdout, in a thread."""
        self._readers.append(self._reading(self._process.stdout, hear, ended))

    def say(self, data: bytes, deadline: float) -> None:
        """Write to its stdin; raises Gone and Late."""
        if self._broken or self._process.stdin is None:
            raise Gone(self.why())
        fd = self._process.stdin.fileno()
        os.set_blocking(fd, False)
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        rest = memoryview(data)
        while rest:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                self._broken = True  # half a line is in its stdin: nothing can follow that
                raise Late
            poll.poll(left_s * 1000)
            try:
                rest = rest[os.write(fd, rest[:65536]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise Gone(self.why()) from None

    def note(self, words: bytes) -> None:
        """Keep the end of what was said where no message was expected."""
        self._words += words
        del self._words[:-LAST_WORDS]

    @property
    def runs(self) -> bool:
        """It did not end yet."""
        return self._process.poll() is None

    def why(self) -> str:
        """How it ended and what it said last."""
        try:
            code = self._process.wait(PATIENCE_S)
            for reader in self._readers:
                reader.join(PATIENCE_S)
            how = "it ended with exit code {}".format(code)
        except subprocess.TimeoutExpired:
            how = "it does not listen any more"
        words = self._words.decode("utf-8", "replace").strip()
        return "{}; it said:\n{}".format(how, words) if words else how

    def close(self, *, at_once: bool = False) -> None:
        """End it and all that stayed in its session, after a moment to end by itself."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        if at_once:
            self._signal(signal.SIGTERM)
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._signal(number)
        self._signal(signal.SIGKILL)
        self._process.wait()
        for reader in self._readers:
            reader.join(PATIENCE_S)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def _reading(
        self,
        stream: Any,  # noqa: ANN401  # optional for Popen, there for whoever asked for pipes
        hear: Callable[[bytes], None],
        ended: Callable[[], None] | None = None,
    ) -> threading.Thread:
        def read() -> None:
            with stream:
                for line in iter(lambda: stream.readline(MESSAGE_BYTES), b""):
                    hear(line)
            if ended is not None:
                ended()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread


class Stdio:
    """A server that is a program and speaks on its standard streams."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], inbox: Inbox) -> None:
        self._inbox = inbox
        self._program = Program(argv, env)
        self._program.listen(self._hear, inbox.end)

    def send(self, message: Message, deadline: float) -> None:
        """One line to its stdin."""
        self._program.say(encoded(message), deadline)

    def why(self) -> str:
        """How it ended."""
        return self._program.why()

    def close(self) -> None:
        """End the program."""
        self._program.close()

    def _hear(self, line: bytes) -> None:
        found = messages(line)
        if found is None:
            self._program.note(line)
        for message in found or ():
            self._inbox.put(message)


def encoded(message: Message) -> bytes:
    """A message as a line."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def messages(data: bytes) -> list[Message] | None:
    """The messages in a line, several where it is a batch; None when it is no such thing."""
    try:
        said = json.loads(data.decode("utf-8"), parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    found = said if isinstance(said, list) else [said]
    return found if all(isinstance(message, dict) for message in found) else None


def result(name: object, said: object) -> Message:
    """A good answer to a request."""
    return {"jsonrpc": "2.0", "id": name, "result": said}


def refusal(name: object, code: int, text: str) -> Message:
    """A bad one."""
    return {"jsonrpc": "2.0", "id": name, "error": {"code": code, "message": text}}


def is_answer(message: Message) -> bool:
    """Whether it answers a request, instead of asking or telling something."""
    return "method" not in message and "id" in message


def _not_started(program: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no program {!r} in the sandbox: the image has to bring it".format(program)
    return "{!r} does not start: {}".format(program, error.strerror)
