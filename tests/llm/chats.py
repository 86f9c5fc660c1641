"""Both clients against whatever listens at an address, and a server that only refuses."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from harness.domain.model import ModelRef, ModelSettings
from harness.llm.anthropic import AnthropicChat
from harness.llm.base import ToolSpec
from harness.llm.openai import OpenAIChat
from harness.llm.wire import Connection, Patience
from harness.testing.provider import KEY

AnyChat = AnthropicChat | OpenAIChat
MakeChat = Callable[..., AnyChat]
PLAIN = ModelSettings()

TOOL = ToolSpec(
    "read_file",
    "Read a text file.",
    {
        "type": "object",
        "properties": {"path": {"type": "string", "description": "Which."}},
        "required": ["path"],
        "additionalProperties": False,
    },
)


def hurried(slept: list[float] | None = None) -> Patience:
    """Three tries, and notes of the pauses instead of pauses."""
    return Patience(sleep=[].append if slept is None else slept.append, jitter=lambda: 0.5)


def anthropic_chat(
    url: str,
    settings: ModelSettings = PLAIN,
    *,
    patience: Patience | None = None,
    socket: Path | None = None,
    timeout_s: float = 20,
) -> AnthropicChat:
    connection = Connection(url, KEY, socket, timeout_s)
    return AnthropicChat(connection, "claude-double", settings, patience or hurried())


def openai_chat(
    url: str,
    settings: ModelSettings = PLAIN,
    *,
    patience: Patience | None = None,
    socket: Path | None = None,
    timeout_s: float = 20,
    model: ModelRef | None = None,
) -> OpenAIChat:
    connection = Connection(f"{url}/v1", KEY, socket, timeout_s)
    ref = model or ModelRef("openai", "gpt-double")
    return OpenAIChat(connection, ref, settings, patience or hurried())


BOTH: dict[str, MakeChat] = {"anthropic": anthropic_chat, "openai": openai_chat}


@contextmanager
def refusing(path: Path, refusal: str, message: str, status: int = 400) -> Iterator[list[str]]:
    """A unix socket where every request is refused as the gateway does it; yields their paths."""
    asked: list[str] = []
    error: dict[str, Any] = {"type": "error", "error": {"type": "refused", "message": message}}
    body = json.dumps(error).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("x-mintmark-refusal", refusal)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to standard error."""

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()
