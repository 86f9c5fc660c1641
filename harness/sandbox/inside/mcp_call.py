"""One call through the hub: little is loaded for it, because an agent waits for every call."""

from __future__ import annotations

import json
import os
import socket

MYPY = False
if MYPY:
    from mcp_wire import Message

NOBODY = 3
REQUEST_BYTES = 64 * 1024 * 1024
PIECE = 65536


def call(path: str, request: bytes, timeout_s: float) -> int:
    """Pass one request on and print the answer; NOBODY when there is no hub."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as hub:
        hub.settimeout(timeout_s)
        try:
            hub.connect(path)
            hub.sendall(request.strip().replace(b"\n", b" ") + b"\n")
            answer = line_of(hub)
        except socket.timeout:
            said = reply("no answer within {:g} s".format(timeout_s), is_error=True)
            answer = json.dumps(said).encode("ascii")
        except OSError:
            answer = b""
    write_all(1, answer)
    return 0 if answer else NOBODY


def reply(text: str, *, is_error: bool) -> Message:
    """What a call is answered with."""
    return {"text": text, "is_error": is_error}


def line_of(stream: socket.socket) -> bytes:
    """Up to a newline; what is too long, or ends before it, is nothing."""
    data = bytearray()
    while not data.endswith(b"\n"):
        piece = stream.recv(PIECE)
        data += piece
        if not piece or len(data) > REQUEST_BYTES:
            return b""
    return bytes(data)


def write_all(fd: int, data: bytes) -> None:
    """Write, however little a pipe takes at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
