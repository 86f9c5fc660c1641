"""The way to a provider: one connection, one deadline, and what its answers mean as errors."""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from harness.errors import ProviderFault, UsageError
from harness.llm.base import ContextTooLong, OutOfBudget, Turn

REFUSAL_HEADER = "x-mintmark-refusal"
"""Of an answer that the gateway gave itself; a test holds it to the gateway's own word."""

SHOWN_CHARACTERS = 500
HTTP_ERROR = 400
TOO_LARGE = 413

_TOO_LONG = re.compile(
    r"context_length_exceeded|prompt is too long|maximum context length|context limit"
    r"|context window|exceed_context_size|context size",
    re.IGNORECASE,
)

GARBLED = (AttributeError, TypeError, LookupError)
"""What an event raises that is none: the SDKs build their types without looking at the values."""


class BrokenOff(Exception):
    """No whole answer came: worth asking again."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a provider's protocol is spoken."""

    base_url: str
    api_key: str = field(repr=False)
    socket: Path | None = None
    """A unix socket to go through; the host in `base_url` is then only a name."""
    timeout_s: float = 600.0
    """Silence that is taken for a dead provider."""

    def open(self) -> httpx2.Client:
        """A client that takes neither keys nor proxies from its surroundings."""
        # certificates take 20 ms to load, and the gateway's socket has none
        is_tls = self.base_url.startswith("https:")
        uds = str(self.socket) if self.socket else None
        transport = httpx2.HTTPTransport(verify=is_tls, trust_env=False, uds=uds)
        return httpx2.Client(
            transport=transport,
            timeout=self.timeout_s,
            trust_env=False,
            event_hooks={"request": [self._sign]},
        )

    def _sign(self, request: httpx2.Request) -> None:
        # the SDKs take headers from variables of the environment too, keys among them
        request.headers.pop("x-api-key", None)
        request.headers["authorization"] = f"Bearer {self.api_key}"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request that broke off is made again; refused ones are the gateway's to retry."""

    tries: int = 3
    first_pause_s: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def ask(self, request: Callable[[float], Turn], timeout_s: float) -> Turn:
        """The answer to a request, which is told how many seconds it has; raises ProviderFault."""
        deadline = time.monotonic() + timeout_s
        for tried in range(1, self.tries + 1):
            try:
                return request(deadline - time.monotonic())
            except BrokenOff as error:
                pause_s = self.first_pause_s * 2 ** (tried - 1) * (0.5 + self.jitter())
                if tried == self.tries or time.monotonic() + pause_s >= deadline:
                    times = "once" if tried == 1 else f"{tried} times"
                    raise ProviderFault(f"{error}; asked {times}") from error
                self.sleep(pause_s)
        raise ProviderFault("nothing was asked")


PATIENCE = Patience()


@contextlib.contextmanager
def cut_after(response: httpx2.Response, seconds: float) -> Iterator[None]:
    """Break off a stream at its deadline: a read timeout begins anew with every byte."""
    stream = response.extensions.get("network_stream")
    end: socket.socket | None = stream.get_extra_info("socket") if stream else None

    def cut() -> None:
        with contextlib.suppress(OSError):  # it closed by itself a moment ago
            if end is not None:
                end.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(min(max(seconds, 0), threading.TIMEOUT_MAX), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def meaning(response: httpx2.Response, text: str = "") -> Exception:
    """What an answer that is no completion means, as the exception to raise."""
    text = text or error_text(response)
    refusal = response.headers.get(REFUSAL_HEADER)
    if refusal is not None:
        return _refused(refusal, text)
    status = response.status_code
    if is_too_long(text) or status == TOO_LARGE:
        return ContextTooLong(text)
    if status < HTTP_ERROR:
        return BrokenOff(f"the provider broke its answer off: {text}")
    return ProviderFault(f"the provider answered {status}: {text}")


def _refused(refusal: str, text: str) -> Exception:
    match refusal:
        case "budget" | "turns":
            return OutOfBudget(text, turns=refusal == "turns")
        case "provider" | "replay":
            return ProviderFault(text)
        case _:
            return UsageError(text)


def is_too_long(text: str) -> bool:
    """A provider's words for a conversation that its model cannot read."""
    return _TOO_LONG.search(text) is not None


def error_text(response: httpx2.Response) -> str:
    """The message in an error's body; providers shape it alike. The code goes with it."""
    try:
        error = json.loads(response.text)["error"]
        parts = [error["message"], error.get("code")]
    except (ValueError, TypeError, LookupError, AttributeError, httpx2.StreamError):
        return _raw_text(response)
    text = " ".join(f"({part})" if index else str(part) for index, part in enumerate(parts) if part)
    return text[:SHOWN_CHARACTERS]


def _raw_text(response: httpx2.Response) -> str:
    try:
        return response.text[:SHOWN_CHARACTERS] or response.reason_phrase
    except httpx2.StreamError:
        return response.reason_phrase
