"""A socket in front of the Docker engine that breaks off and refuses, as an engine restarted does.

The engine itself goes on: others use it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ENGINE = "/var/run/docker.sock"
CHUNK = 1 << 16


class FlakyEngine:
    """Passes everything on, until it is told to go away."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.host = f"unix://{place}"
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def appear(self) -> None:
        """Listen."""
        self.place.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.place))
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def vanish(self) -> None:
        """Break off every connection and take no new one."""
        listener, self._listener = self._listener, None
        if listener:
            # a thread that waits in accept keeps the socket open beyond its close
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            for each in list(self._open):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def restart(self, away_s: float) -> None:
        """Be away for a while."""
        self.vanish()
        time.sleep(away_s)
        self.appear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as engine:
            engine.connect(ENGINE)
            with self._lock:
                self._open |= {client, engine}
            back = threading.Thread(target=self._pump, args=(engine, client), daemon=True)
            back.start()
            self._pump(client, engine)
            back.join()
            with self._lock:
                self._open -= {client, engine}

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(CHUNK):
                target.sendall(data)
        except OSError:
            pass
        finally:
            for each, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
                with suppress(OSError):
                    each.shutdown(how)


@contextmanager
def flaky_engine(folder: Path) -> Iterator[FlakyEngine]:
    """A way to the engine of one's own."""
    made = FlakyEngine(folder / "engine.sock")
    made.appear()
    try:
        yield made
    finally:
        made.vanish()
