"""One answer on its way from the provider to the client: metered, kept, and sent on as it comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, MutableMapping
from typing import Any

import httpx2
from starlette.types import Send

from harness.gateway.account import Heard
from harness.gateway.exchange import KEPT_HEADERS
from harness.gateway.metering import Metered, meter_for
from harness.gateway.policy import Ask
from harness.gateway.redaction import Redactor
from harness.gateway.upstream import Reply

RATE_LIMITS = ("anthropic-ratelimit-", "x-ratelimit-")
"""And whatever says what is left of the provider's rate limits."""
STREAM = "text/event-stream"
READ_BYTES = 4096
SHOWN = 120


class Sending:
    """A way back to the client that knows how far it has been used."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.began = False
        self.ended = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        """Send as an ASGI application does."""
        self.began = True
        self.ended = message["type"] == "http.response.body" and not message.get("more_body")
        await self._send(message)

    async def head(self, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        """What comes before a body."""
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self({"type": "http.response.start", "status": status, "headers": raw})

    async def body(self, data: bytes, *, more: bool) -> None:
        """A part of the body; one that is never finished is cut off for the client."""
        if data or not more:
            await self({"type": "http.response.body", "body": data, "more_body": more})


class Passage:
    """Passes one reply on."""

    def __init__(self, ask: Ask, reply: Reply, redactor: Redactor) -> None:
        self._ask = ask
        self._reply = reply
        self._redactor = redactor
        self._ok = reply.response.is_success
        streamed = self._ok and is_stream(reply.response.headers, asked=ask.streamed)
        self._meter = meter_for(ask.api, streamed=streamed, hide_usage=streamed and ask.hide_usage)
        self._chunks: list[bytes] = []
        self._first_byte_s: float | None = None
        self._first_token_s: float | None = None
        self._metered: Metered | None = None
        self._broken: str | None = None

    async def run(self, sending: Sending) -> bytes | None:
        """Pass everything on but the end, and return that; None when the provider broke off."""
        response = self._reply.response
        await sending.head(response.status_code, self._headers)
        # never waits for the client: one that does not read would hold a place at the provider for
        # ever, or make it break off; all of it is kept in memory anyway
        ready: asyncio.Queue[bytes | None] = asyncio.Queue()
        sender = asyncio.create_task(_send_on(ready, sending))
        try:
            async for chunk in response.aiter_bytes() if self._ok else self._whole():
                if passed := self._read(chunk):
                    ready.put_nowait(passed)
            self._reply.release()
        except (httpx2.RequestError, httpx2.StreamError) as error:
            self._broken = self._redactor.clean_text(
                f"{type(error).__name__}: {error}".rstrip(": ")
            )
        except BaseException:
            sender.cancel()
            raise
        ready.put_nowait(None)
        try:
            await sender
        finally:
            sender.cancel()
        if self._broken:
            return None
        rest, self._metered = self._meter.finish()
        if self._ok and not self._metered.complete:
            self._broken = self._stranger() or "it ended too early"
        return rest

    def heard(self) -> Heard:
        """The answer as far as it came; what was streamed until then was paid for."""
        response = self._reply.response
        return Heard(
            status=response.status_code,
            headers=self._headers,
            body=b"".join(self._chunks),
            metered=self._metered or self._meter.finish()[1],
            first_byte_s=self._first_byte_s,
            first_token_s=self._first_token_s,
            duration_s=time.monotonic() - self._reply.asked_at,
            retries=self._reply.retries,
            waited_s=self._reply.waited_s,
            broken=self._broken,
        )

    def _stranger(self) -> str | None:
        """What it is that somebody else answered in the provider's place."""
        kind = self._reply.response.headers.get("content-type", "").partition(";")[0].strip()
        if not kind or kind.lower() in {"application/json", STREAM}:
            return None
        text = " ".join(b"".join(self._chunks)[:READ_BYTES].decode("utf-8", "replace").split())
        shown = self._redactor.clean_text(text)[:SHOWN]
        return f"it is {kind[:SHOWN]}, not JSON: {shown!r}; is the address right?"

    @property
    def _headers(self) -> tuple[tuple[str, str], ...]:
        """An error has been tried again as often as makes sense: agents need not."""
        headers = handed_back(self._reply.response.headers)
        if self._ok:
            return headers
        kept = tuple(pair for pair in headers if pair[0] != "x-should-retry")
        return (*kept, ("x-should-retry", "false"))

    def _read(self, chunk: bytes) -> bytes:
        since_s = time.monotonic() - self._reply.asked_at
        if self._first_byte_s is None:
            self._first_byte_s = since_s
        self._chunks.append(chunk)
        passed = self._meter.feed(chunk)
        if self._first_token_s is None and self._meter.began:
            self._first_token_s = since_s
        return passed

    async def _whole(self) -> AsyncIterator[bytes]:
        """An error, which may quote the key that it did not like."""
        yield self._redactor.clean(await self._reply.response.aread())


async def _send_on(ready: asyncio.Queue[bytes | None], sending: Sending) -> None:
    while (data := await ready.get()) is not None:
        await sending.body(data, more=True)


def is_stream(headers: Mapping[str, str], *, asked: bool) -> bool:
    """Whether a body is events; a server that says nothing does as it was asked."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == STREAM or (asked and kind != "application/json")


def handed_back(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The headers of an answer that mean something to an agent, and can be sent."""
    return tuple(
        (name, value)
        for name, value in headers.items()
        if (name in KEPT_HEADERS or name.startswith(RATE_LIMITS)) and is_plain(value)
    )


def is_plain(value: str) -> bool:
    """A header's value that every library sends."""
    return value.isascii() and value.isprintable()
