"""A PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

USER = "mintmark"
PATIENCE_S = 60.0
QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=16MB")
NAMES = count(1)


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs; it compares text as people do, to see that the store does not."""

    port: int
    password: str
    process: subprocess.Popen[bytes]

    def url(self, database: str, *, user: str = USER, password: str | None = None) -> str:
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def new(self, *options: str) -> str:
        """An empty database; its URL."""
        name = f"test_{next(NAMES)}"
        self.run(" ".join([f"CREATE DATABASE {name}", *options]))
        return self.url(name)

    def new_schema(self) -> str:
        """The URL of an empty place that is made in no time: a schema of a common database."""
        name = f"test_{next(NAMES)}"
        self.run(f"CREATE SCHEMA {name}")
        return f"{self.url('postgres')}?options=-csearch_path%3D{name}"

    def run(self, sql: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as db:
            db.execute(sql.encode())


@contextmanager
def running() -> Iterator[Server]:
    """A server that ends with this process, however that ends."""
    folder = Path(tempfile.mkdtemp(prefix="mintmark-postgres-"))
    try:
        password = secrets.token_hex(8)
        _make(folder, password)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = (*QUICK, "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}")
        options = [part for setting in settings for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*_as_nobody("--pdeathsig=QUIT"), _program("postgres"), "-D", str(folder / "data"),
                 "-p", str(port), *options],
                stdout=log, stderr=log, cwd="/",
            )  # fmt: skip
        try:
            server = Server(port, password, process)
            _wait_for(server, folder / "log")
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(PATIENCE_S)
    finally:
        shutil.rmtree(folder)


def _make(folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    for path in (folder, secret):
        if os.geteuid() == 0:
            os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
    subprocess.run(
        [*_as_nobody(), _program("initdb"), "-D", str(folder / "data"), "-U", USER, "-E", "UTF8",
         "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync", "--locale=C.UTF-8",
         "--locale-provider=icu", "--icu-locale=en-US"],
        check=True, capture_output=True, cwd="/",
    )  # fmt: skip


def _as_nobody(*more: str) -> Sequence[str]:
    """A prefix for a command: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return ("setpriv", *more) if more else ()
    nobody = pwd.getpwnam("nobody")
    own = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    return ("setpriv", *own, *more)


def _program(name: str) -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(installed[-1]) if installed else shutil.which(name)
    if found is None:
        pytest.fail(f"there is no PostgreSQL server ({name}) on this machine: run 'make postgres'")
    return found


def _wait_for(server: Server, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the PostgreSQL server does not answer: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        else:
            return
