"""A real HTTP server that webhooks are sent to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANGS = 0
"""A status that never comes."""
DRIPS = 1
"""An answer that never comes to its end."""


@dataclass(slots=True)
class Hook:
    """What it answers, one after the other and the last again and again, and what it was told."""

    answers: Sequence[int]
    port: int = 0
    bodies: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/secret-token"


@contextmanager
def a_hook(*answers: int) -> Iterator[Hook]:
    hook = Hook(answers or (200,))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = hook.answers[min(len(hook.paths), len(hook.answers) - 1)]
            hook.paths.append(self.path)
            if status == HANGS:
                hook.over.wait(60)
                return
            if status == DRIPS:
                while not hook.over.wait(0.05):
                    self.wfile.write(b"H")
                return
            assert self.headers["Content-Type"] == "application/json"
            hook.bodies.append(json.loads(body))
            self.send_response(status)
            if status // 100 == 3:
                self.send_header("Location", f"http://127.0.0.1:{hook.port}/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            hook.paths.append(f"GET {self.path}")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
