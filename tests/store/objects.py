"""An S3-compatible server of the tests' own, and artefacts wherever they are kept."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pytest

from harness import wiring
from harness.settings import Settings
from harness.store.base import Artifacts

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Held:
    """Artefacts, and the files behind them for a test to look at and to damage."""

    artifacts: Artifacts
    files: Any
    root: str

    def paths(self) -> list[str]:
        return [p for p in self.files.find(self.root) if "/unfinished/" not in p]

    def damage(self, data: bytes) -> None:
        (path,) = self.paths()
        self.files.pipe_file(path, data)


def held_at(location: str) -> Held:
    """The artefacts at a folder or URL, as a command opens them."""
    artifacts = wiring.open_artifacts(Settings(Path("/nowhere"), artifacts=location))
    files, root = fsspec.url_to_fs(location, use_listings_cache=False)
    return Held(artifacts, files, root)


@contextmanager
def running(log: Path) -> Iterator[str]:
    """A server that speaks S3; where it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=said,
            stderr=said,
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the S3 server does not answer: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def lead_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment lead there, and to no other store of this machine's user."""
    env = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(8),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    # file systems are remembered with the keys of the test before
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
