"""The gateway: one event loop in a thread, one unix socket and one token per line."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import datetime
from typing import Any, Self, TypeVar

from harness.domain.ids import BatchId
from harness.errors import ProviderFault
from harness.gateway import cassette
from harness.gateway.account import Account
from harness.gateway.base import Access
from harness.gateway.budget import Purse
from harness.gateway.line import GatewayLine
from harness.gateway.matching import Player
from harness.gateway.prices import Prices
from harness.gateway.recording import Recorder
from harness.gateway.serving import served
from harness.gateway.sockets import open_socket
from harness.gateway.targets import Targets
from harness.gateway.upstream import Clock, Upstream, new_client
from harness.log import log

T = TypeVar("T")

TOKEN_BYTES = 24
LOOK_S = 1.0
"""How often whoever waits for the loop looks whether it still runs."""
ENDED = "the model gateway has ended"


class ModelGateway:
    """Opens lines; its loop starts with the first and runs until the gateway is closed."""

    def __init__(
        self,
        targets: Targets,
        prices: Prices,
        now: Callable[[], datetime],
        owner: str,
        purses: Mapping[BatchId, Purse] | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._targets = targets
        self._prices = prices
        self._now = now
        self._owner = owner
        self._purses = dict(purses or {})
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._denied: str | None = None
        self._loop: _Loop | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every line and the loop."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()

    @contextmanager
    def open(self, access: Access) -> Iterator[GatewayLine]:
        """A line that works until the block ends."""
        target = self._targets.find(access.model) if access.replay is None else None
        token = f"mintmark-{secrets.token_urlsafe(TOKEN_BYTES)}"
        hidden = [token, *([target.key] if target and target.key else [])]
        purses = [Purse(access.budget, whose="budget")]
        if access.batch in self._purses:
            purses.append(self._purses[access.batch])
        recorder = Recorder(hidden, access.model.label)
        player = Player(cassette.load(access.replay), hidden) if access.replay is not None else None
        account = Account(access, purses, self._prices, recorder, self._now)
        loop = self._running()
        with open_socket(self._owner) as (path, listening):
            line = GatewayLine(
                access,
                account,
                token=token,
                socket=path,
                target=target,
                player=player,
                upstream=loop.upstream,
                in_loop=loop.settle,
            )
            try:
                with loop.serving(line, listening):
                    yield line
            finally:
                self._denied = line.denied or self._denied

    def stopped(self, batch: BatchId) -> str | None:
        """Why no further run of a batch can ask a model."""
        purse = self._purses.get(batch)
        return self._denied or (purse.empty() if purse else None)

    def _running(self) -> _Loop:
        with self._lock:
            if self._loop is None or not self._loop.is_alive:
                self._loop = _Loop(self._clock)
            return self._loop


class _Loop:
    """The event loop and what lives in it; however it ends, nobody is left waiting."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: dict[GatewayLine, AsyncExitStack] = {}
        self._ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, Upstream]] = Future()
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        self._loop, self._stop, self.upstream = self._ready.result()

    @property
    def is_alive(self) -> bool:
        """It has not ended, by itself or otherwise."""
        return self._thread.is_alive()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop and wait for it; raises ProviderFault when the loop is gone."""
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:
            work.close()
            raise ProviderFault(ENDED) from error
        while True:
            try:
                return future.result(LOOK_S)
            except CancelledError as error:
                raise ProviderFault(ENDED) from error
            except TimeoutError as error:
                if not future.done() and not self.is_alive:
                    work.close()
                    raise ProviderFault(ENDED) from error

    def settle(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something, unless the loop is gone: then there is nothing left to do it to."""
        with suppress(ProviderFault):
            self.do(work)

    @contextmanager
    def serving(self, line: GatewayLine, listening: socket.socket) -> Iterator[None]:
        """HTTP on a socket; when the block ends, what is still under way is cut off."""
        try:
            self.do(self._begin(line, listening))
            yield
        finally:
            self.settle(self._end(line))

    def close(self) -> None:
        """End everything in the loop, and the loop."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _begin(self, line: GatewayLine, listening: socket.socket) -> None:
        stack = AsyncExitStack()
        await stack.enter_async_context(served(line, listening))
        self._lines[line] = stack

    async def _end(self, line: GatewayLine, fault: str | None = None) -> None:
        if stack := self._lines.pop(line, None):
            async with stack:
                await line.close(fault)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001  # told to whoever waits, or logged
            if self._ready.done():
                log().error("gateway_ended", exc_info=error)
            else:
                self._ready.set_exception(error)

    async def _main(self) -> None:
        stop = asyncio.Event()
        async with new_client() as client:
            upstream = Upstream(client, self._clock)
            self._ready.set_result((asyncio.get_running_loop(), stop, upstream))
            try:
                await stop.wait()
            finally:
                for line in list(self._lines):
                    await self._end(line, ENDED)
