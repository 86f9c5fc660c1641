"""An npm registry on the loopback, and packages for it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.sandbox.base import Archive, Program

PACKAGE, VERSION = "@some/cli", "1.2.3"
SCRIPT = b"#!/bin/sh\necho it runs: $*\n"
TARBALL = f"/{PACKAGE}/-/cli-{VERSION}.tgz"
METADATA = f"/{PACKAGE}/{VERSION}"


def package(files: Mapping[str, bytes] | None = None, *odd: tarfile.TarInfo) -> bytes:
    """A package's archive; executables are those below bin/."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, data in (files or {"bin/cli": SCRIPT, "README.md": b"#"}).items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size, member.mode = len(data), 0o755 if name.startswith("bin/") else 0o600
            tar.addfile(member, io.BytesIO(data))
        for member in odd:
            tar.addfile(member)
    return held.getvalue()


def integrity(data: bytes) -> str:
    return f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"


def archive(data: bytes) -> Archive:
    return Archive(PACKAGE, VERSION, integrity(data), "bin/cli")


def program(data: bytes, name: str = "cli", machine: str = "x86_64") -> Program:
    return Program(name, VERSION, ((machine, archive(data)),))


def metadata(said: object) -> bytes:
    return json.dumps({"name": PACKAGE, "dist": {"integrity": said}}).encode()


@dataclass(slots=True)
class Served:
    """What a registry has, and what it was asked for; a number is a status to answer with."""

    files: Mapping[str, bytes | int]
    url: str = ""
    asked: list[str] = field(default_factory=list)
    announced: int = 0
    """Bytes that it announces beyond those that it sends."""


@contextmanager
def registry(files: Mapping[str, bytes | int], announced: int = 0) -> Iterator[Served]:
    """Listens while the block lasts."""
    served = Served(files, announced=announced)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.replace("%2F", "/")
            served.asked.append(path)
            found = served.files.get(path, 404)
            data = found if isinstance(found, bytes) else b"{}"
            self.send_response(200 if isinstance(found, bytes) else found)
            self.send_header("content-length", str(len(data) + served.announced))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()
