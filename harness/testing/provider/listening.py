"""An ASGI application on a socket, in a thread that ends when its block does."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KEEP_ALIVE_S = 300
ENDS_WITHIN_S = 5


class Closing:
    """Pauses that end when the server does."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    async def pause(self, seconds: float) -> bool:
        """Wait; False when the server closes."""
        if seconds <= 0:
            return not self._event.is_set()
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return True
        return False

    async def wait(self) -> None:
        """Until the server closes."""
        await self._event.wait()

    def begin(self) -> None:
        """End every pause; on the server's own thread."""
        self._event.set()


@contextmanager
def listening(app: ASGIApp, listener: socket.socket, closing: Closing) -> Iterator[None]:
    """Serve the application until the block ends; closes the socket."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    server = _Server(config, closing)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="provider-double", daemon=True
    )
    thread.start()
    loop = server.ready.result(ENDS_WITHIN_S)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(closing.begin)
        thread.join()


class _Protocol(HttpToolsProtocol):
    """Keeps quiet about responses that are cut on purpose."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base class
        super().connection_made(transport)
        self.logger = logging.getLogger(__name__)
        self.logger.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return "without completing response" not in record.getMessage()


class _Server(uvicorn.Server):
    """Stops at once, where uvicorn looks ten times a second whether it should."""

    def __init__(self, config: uvicorn.Config, closing: Closing) -> None:
        super().__init__(config)
        self.ready: Future[asyncio.AbstractEventLoop] = Future()
        self._closing = closing

    async def main_loop(self) -> None:
        self.ready.set_result(asyncio.get_running_loop())
        await self._closing.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=ENDS_WITHIN_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        while self.server_state.connections:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0)
