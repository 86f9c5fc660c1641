"""HTTP on one unix socket, in whatever loop runs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

MOST_CONNECTIONS = 128
"""Of one line: whoever holds it cannot use up the files of all."""
BACKLOG = 512
"""Who connects to a full one with a deadline is turned away at once, not kept waiting."""
MOST_HEAD_BYTES = 256 * 1024
KEEP_ALIVE_S = 3600
"""An agent's tools may run for long between two requests of one connection."""


@asynccontextmanager
async def served(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    """Serve on a socket until the block ends, which cuts every connection and closes it."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        # what goes wrong in the application, the application tells; a cut answer is meant to be
        log_level="critical",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    make = partial(_Protocol, config=config, server_state=state, app_state={})
    server = await loop.create_unix_server(make, sock=listening, backlog=BACKLOG)
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            cast("_Protocol", connection).transport.abort()
        if state.tasks:
            await asyncio.wait(state.tasks)


class _Protocol(HttpToolsProtocol):
    """Takes so many connections and such long heads, and no more."""

    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base class
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name + value)
        super().on_header(name, value)

    def _count(self, data: bytes) -> None:
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES:
            raise ValueError("the head is too long")
