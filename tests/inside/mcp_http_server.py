"""The small MCP server's other transport: streamable HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

Message = dict[str, Any]
JSON: Mapping[str, str] = {"Content-Type": "application/json", "Mcp-Session-Id": "abc"}
STREAM: Mapping[str, str] = {"Content-Type": "text/event-stream; charset=utf-8"}
NOTE = b': hello\nevent: message\ndata: {"jsonrpc":"2.0",\ndata: "method":"x"}\n\n'


def serve(port: int, answer: Callable[[Message], Message], *, cut: str | None) -> None:
    """Until somebody ends it; the stream that answers the method `cut` ends before the answer."""

    def respond(path: str, headers: Mapping[str, str], message: Message) -> Response:
        if path == "/moved":
            return 307, b"", {"Location": "/mcp"}
        if path != "/mcp":
            return 404, b'{"error": {"message": "no such place"}}', {}
        asked = (headers.get("Mcp-Session-Id"), headers.get("MCP-Protocol-Version"))
        if message["method"] != "initialize" and asked != ("abc", "2025-06-18"):
            return 400, b"no session", {}
        if "id" not in message:
            return 202, b"", {}
        data = json.dumps({"jsonrpc": "2.0", **answer(message)}).encode()
        if message["method"] == "initialize":
            return 200, data, JSON
        event = b"" if message["method"] == cut else b"id: 1\r\ndata: " + data + b"\r\n\r\n"
        return 200, NOTE + event, STREAM

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, data, headers = respond(self.path, dict(self.headers), json.loads(body))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


Response = tuple[int, bytes, Mapping[str, str]]
