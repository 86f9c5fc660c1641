"""A small MCP server for tests, of the standard library only; it errs as its arguments say.

hang METHOD, die METHOD, raw METHOD TEXT    instead of answering it
noise                                       before every answer
version V, endless, toolless                what it says of itself
ask                                         asks the client before it answers a call
http PORT                                   over streamable HTTP instead of standard streams
"""

from __future__ import annotations

import json
import os
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

Message = dict[str, Any]

FLAGS = sys.argv[1:]
NAMES = ["echo", "count", "secret", "where", "blocks", "fail", "large"]
CALLS = count(1)


def flag(name: str, index: int = 1) -> str | None:
    return FLAGS[FLAGS.index(name) + index] if name in FLAGS else None


def write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def send(message: Message) -> None:
    write(json.dumps({"jsonrpc": "2.0", **message}))


def misbehave(method: str) -> None:
    if flag("hang") == method:
        time.sleep(3600)
    if flag("die") == method:
        sys.stderr.write("no licence\n")
        sys.exit(3)
    if flag("raw") == method:
        write(flag("raw", 2) or "")


def text(value: str) -> Message:
    return {"content": [{"type": "text", "text": value}]}


def hello(_params: Message) -> Message:
    if "noise" in FLAGS:
        write("Server started!")
        write("[1, 2")
    capabilities = {} if "toolless" in FLAGS else {"tools": {}, "resources": {}}
    return {
        "protocolVersion": flag("version") or "2025-06-18",
        "capabilities": capabilities,
        "serverInfo": {"name": "test", "version": "1"},
    }


def listed(params: Message) -> Message:
    start = int(params.get("cursor", 0))
    tools = [
        {"name": name, "description": name.upper(), "inputSchema": {"type": "object"}}
        for name in NAMES[start : start + 3]
    ]
    if "endless" in FLAGS:
        return {"tools": tools, "nextCursor": "0"}
    return {"tools": tools} | ({"nextCursor": str(start + 3)} if start + 3 < len(NAMES) else {})


def called(params: Message) -> Message:
    name, arguments = params["name"], params["arguments"]
    number = next(CALLS)
    plain = {
        "echo": json.dumps(arguments),
        "count": str(number),
        "where": json.dumps({"cwd": str(Path.cwd()), "env": sorted(os.environ)}),
        "large": "a" * 100_000 + "b",
        "secret": "the secret",
    }
    if name == "fail":
        return {**text("it went wrong"), "isError": True}
    if name == "blocks":
        return {
            "content": [
                {"type": "text", "text": "one \ud800"},
                {"type": "image", "data": "AAAA", "mimeType": "image/png"},
                {"type": "resource", "resource": {"uri": "file:///a", "text": "two"}},
                {"type": "resource", "resource": {"uri": "file:///b", "blob": "AAAA"}},
                {"type": "resource_link", "uri": "file:///c", "name": "c"},
                {"type": "novelty", "x": 1},
            ]
        }
    return text(plain[name])


def ask_client() -> list[Message]:
    send({"id": "p", "method": "ping"})
    send({"id": "s", "method": "sampling/createMessage", "params": {}})
    send({"method": "notifications/message", "params": {"data": "hello"}})
    return [json.loads(sys.stdin.readline()) for _ in range(2)]


METHODS = {"initialize": hello, "tools/list": listed, "tools/call": called, "ping": lambda _: {}}


def answer(message: Message) -> Message:
    misbehave(message["method"])
    if message["method"] not in METHODS:
        return {"id": message["id"], "error": {"code": -32601, "message": "no such method"}}
    return {"id": message["id"], "result": METHODS[message["method"]](message.get("params", {}))}


def speak() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            misbehave(message["method"])
            continue
        if "ask" in FLAGS and message["method"] == "tools/call":
            send({"id": message["id"], "result": text(json.dumps(ask_client()))})
            continue
        send(answer(message))


if __name__ == "__main__":
    if "http" in FLAGS:
        from mcp_http_server import serve

        serve(int(flag("http") or 0), answer, cut=flag("cut"))
    speak()
