"""Requests to a provider: retried where that helps, and held back while it asks for patience."""

from __future__ import annotations

import asyncio
import json
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import count

import httpx2

from harness.errors import UsageError

CONNECT_S = 15.0
READ_S = 900.0
"""A model may think for long before its first word, and the run has its own clock."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
TRIES = 7
PATIENCE_S = 600.0
"""A provider that asks for a longer pause than this has said no."""
MOST_AT_ONCE = 64
CALM = 10
"""So many answers in a row let one more request go out at once."""
OVERLOADED = 529
RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, OVERLOADED})
HOPELESS = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
"""Words of an error that no waiting will change, whatever its status says."""
MAX_ERROR_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Question:
    """One request as it goes to the provider."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Reply:
    """An answer whose headers are there; `response` is open and may still stream."""

    response: httpx2.Response
    retries: int
    waited_s: float
    asked_at: float
    release: Callable[[], None]
    """Gives the place at the provider back: everything was read."""


class UnreachableError(Exception):
    """No answer came, after every retry."""

    def __init__(self, why: str, retries: int, waited_s: float) -> None:
        super().__init__(why)
        self.retries = retries
        self.waited_s = waited_s


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, from whenever on, and a way to let it pass."""

    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(slots=True)
class Limiter:
    """How many requests a provider gets at once, and when the next may go.

    All runs of this process share one per provider: where one is told to wait, all wait.
    """

    clock: Clock = field(default_factory=Clock)

    most: int = MOST_AT_ONCE
    allowed: int = MOST_AT_ONCE
    not_before: float = 0.0
    _busy: int = 0
    _answers: int = 0
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)

    async def enter(self) -> None:
        """Wait for a place and for the end of a pause."""
        while self._busy >= self.allowed:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._busy += 1
        try:
            while (pause := self.not_before - self.clock.now_s()) > 0:
                # not all in the same instant
                jitter_s = random.random() * min(pause, 1.0)  # noqa: S311  # no secret
                await self.clock.sleep(pause + jitter_s)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Give the place back."""
        self._busy -= 1
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            # whoever was cut off while it waited has ended already
            if not turn.done():
                turn.set_result(None)

    def answered(self, *, well: bool) -> None:
        """The provider keeps up, where it answered well."""
        self._answers += well
        if self._answers >= CALM and self.allowed < self.most:
            self.allowed, self._answers = self.allowed + 1, 0

    def overrun(self, pause_s: float) -> None:
        """The provider asks for patience."""
        self._answers = 0
        self.allowed = max(1, self.allowed // 2)
        self.not_before = max(self.not_before, self.clock.now_s() + pause_s)


class Upstream:
    """The providers, over one pool of connections; lives in one event loop."""

    def __init__(self, client: httpx2.AsyncClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._limiters: dict[str, Limiter] = {}

    @asynccontextmanager
    async def ask(self, provider: str, question: Question) -> AsyncIterator[Reply]:
        """The provider's answer; the place at the provider is held until the block ends.

        Raises UnreachableError.
        """
        limiter = self._limiters.setdefault(provider, Limiter(self._clock))
        began = self._clock.now_s()
        for retries in count():
            await limiter.enter()
            place = ExitStack()
            place.callback(limiter.leave)
            try:
                waited_s = self._clock.now_s() - began
                asked_at = time.monotonic()
                attempt = await self._try(question, retries)
                if attempt.response is not None:
                    limiter.answered(well=attempt.response.is_success)
                    try:
                        yield Reply(attempt.response, retries, waited_s, asked_at, place.close)
                    finally:
                        await attempt.response.aclose()
                    return
            finally:
                place.close()
            if attempt.pause_s is None:
                raise UnreachableError(attempt.why, retries, self._clock.now_s() - began)
            if attempt.busy:
                limiter.overrun(attempt.pause_s)
            else:
                await self._clock.sleep(attempt.pause_s)

    async def _try(self, question: Question, retries: int) -> _Attempt:
        request = self._client.build_request(
            question.method, question.url, headers=dict(question.headers), content=question.body
        )
        last = retries + 1 >= TRIES
        backoff_s = pause(retries)
        try:
            response = await self._client.send(request, stream=True)
        except (httpx2.TransportError, OSError) as error:
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            return _Attempt(None, None if last else backoff_s, why)
        try:
            return await _judged(response, backoff_s, last=last)
        except BaseException:
            await response.aclose()
            raise


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An answer to pass on, or how long to pause before the next try; neither: no hope is left."""

    response: httpx2.Response | None
    pause_s: float | None = None
    why: str = ""
    busy: bool = False


async def _judged(response: httpx2.Response, backoff_s: float, *, last: bool) -> _Attempt:
    """Whether to pass an answer on or to ask again."""
    says_no = response.headers.get("x-should-retry") == "false"
    if response.status_code not in RETRIED or says_no or last:
        return _Attempt(response)
    asked_s = retry_after_s(response.headers, datetime.now(UTC))
    body = b""
    with suppress(httpx2.RequestError):
        body = await response.aread()
    if is_hopeless(body) or (asked_s is not None and asked_s > PATIENCE_S):
        return _Attempt(response)
    await response.aclose()
    busy = response.status_code in {HTTPStatus.TOO_MANY_REQUESTS, OVERLOADED}
    pause_s = backoff_s if asked_s is None else asked_s
    return _Attempt(None, pause_s, f"status {response.status_code}", busy=busy)


def pause(retries: int) -> float:
    """Twice as long each time, and never quite the same for two who wait together."""
    longest: float = min(FIRST_PAUSE_S * 2**retries, LONGEST_PAUSE_S)
    return longest * (0.5 + random.random() / 2)  # noqa: S311  # jitter


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the provider asks to wait: in milliseconds, in seconds or as a date."""
    asked: tuple[Callable[[], float], ...] = (
        lambda: float(headers["retry-after-ms"]) / 1000,
        lambda: float(headers["retry-after"]),
        lambda: _seconds_until(headers["retry-after"], now),
    )
    for read in asked:
        with suppress(KeyError, ValueError, TypeError, OverflowError):
            seconds = read()
            if not math.isnan(seconds):
                return max(seconds, 0.0)
    return None


def _seconds_until(date: str, now: datetime) -> float:
    at = parsedate_to_datetime(date)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp()


def is_hopeless(body: bytes) -> bool:
    """Whether an error says that the account, not the moment, is the trouble."""
    try:
        error = json.loads(body[:MAX_ERROR_BYTES])["error"]
        return not HOPELESS.isdisjoint((error.get("code"), error.get("type")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def new_client() -> httpx2.AsyncClient:
    """A pool of connections that follows the environment's proxies and trusts what it trusts.

    Raises UsageError.
    """
    timeout = httpx2.Timeout(READ_S, connect=CONNECT_S, pool=None)
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=MOST_AT_ONCE)
    try:
        return httpx2.AsyncClient(timeout=timeout, limits=limits)
    except (ValueError, ImportError, OSError) as error:
        raise UsageError(
            f"no model can be reached with these proxies and certificates: {error}; "
            "look at HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE"
        ) from error
