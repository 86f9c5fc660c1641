"""`--events FILE`: what happens to a batch as JSON lines, for programs that read along."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Full, Queue
from typing import IO

from harness.domain.ids import BatchId, RunId
from harness.domain.record import RunRecord
from harness.domain.spec import RunSpec
from harness.errors import UsageError
from harness.report import events
from harness.report.documents import Document
from harness.sandbox.owner import this_process
from harness.tools import Halt

STDOUT = "-"
MOST_WAITING = 20_000
"""Events that wait for whoever reads them; of more it is only said how many were left out."""
PATIENCE_S = 5.0
"""So long the end of a command waits for a reader."""


def open_lines(target: str) -> IO[bytes]:
    """A file to append to, or standard output; raises UsageError."""
    if target == STDOUT:
        return sys.stdout.buffer
    path = Path(target)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        file = os.fdopen(handle, "ab", buffering=0)
        with _alone(file):
            if _is_torn(path):
                file.write(b"\n")
    except OSError as error:
        raise UsageError(f"--events {target}: {error.strerror or error}; name a file") from error
    return file


class LineFile:
    """Each line whole, also beside other processes; whoever reads slowly holds nobody up."""

    def __init__(self, file: IO[bytes], name: str, warn: Callable[[str], None]) -> None:
        self._file = file
        self._name = name
        self._warn = warn
        self._lines: Queue[bytes | None] = Queue(MOST_WAITING)
        self._is_own = file is not sys.stdout.buffer
        self._left_out = 0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="events", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Hand a line over."""
        try:
            self._lines.put_nowait(f"{line}\n".encode())
        except Full:
            self._left_out += 1

    def close(self) -> None:
        """Wait until all is written, but not for ever."""
        self._closing = True
        with suppress(Full):
            # nothing comes after it; where there is no room, the reader is waited for anyway
            self._lines.put_nowait(None)
        self._thread.join(PATIENCE_S)
        left_out = self._left_out + self._lines.qsize() * self._thread.is_alive()
        if self._is_own and not self._thread.is_alive():
            self._file.close()
        if left_out and self._name:
            self._warn(f"{self._name}: {left_out:,} events were not taken and are left out")

    def _work(self) -> None:
        while not self._closing or not self._lines.empty():
            line = self._lines.get()
            if line is None:
                return
            try:
                _write_whole(self._file, line)
            except (OSError, ValueError) as error:
                # a batch does not end because nobody reads along
                said = getattr(error, "strerror", None) or error
                self._warn(f"{self._name}: {said}; no further event is written")
                self._name = ""
                return


class EventStream:
    """A watch that tells everything on, a line for each event."""

    def __init__(self, lines: LineFile, batch: BatchId) -> None:
        self._lines = lines
        self._batch = batch
        self._process = this_process()

    def put(self, event: Document) -> None:
        """Write one event."""
        name = event.pop("event")
        head = {
            "event": name,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "batch_id": self._batch,
            "process": self._process,
        }
        # plain ASCII: nothing that an agent named breaks a line or a terminal
        self._lines.put(json.dumps({**head, **event}, allow_nan=False))

    def planned(self, batch: BatchId, runs: int, jobs: int) -> None:
        """A command begins."""
        del batch
        self.put(events.planned(runs, jobs))

    def halts(self, halt: Halt, why: str) -> None:
        """No further run begins."""
        self.put(events.halted(halt, why))

    def began(self, run: RunId, spec: RunSpec) -> None:
        """A run begins."""
        self.put(events.began(run, spec))

    def stage(self, run: RunId, name: str) -> None:
        """A stage of the run begins."""
        self.put(events.stage(run, name))

    def tell(self, run: RunId, text: str) -> None:
        """What is worth a glance is no event."""

    def ended(self, record: RunRecord) -> None:
        """The run is stored."""
        self.put(events.ended(record))

    def refused(self, run: RunId, why: str) -> None:
        """The run is not stored."""
        self.put(events.refused(run, why))


@contextmanager
def _alone(file: IO[bytes]) -> Iterator[None]:
    """One process at a time, where the file can tell."""
    locked = False
    with suppress(OSError, ValueError):
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        locked = True
    try:
        yield
    finally:
        if locked:
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)


def _write_whole(file: IO[bytes], line: bytes) -> None:
    """All of a line or, where the disk is full, none of it."""
    with _alone(file):
        before = _size(file)
        left = memoryview(line)
        try:
            while left:
                left = left[file.write(left) :]
            file.flush()
        except OSError:
            if before is not None:
                with suppress(OSError):
                    os.ftruncate(file.fileno(), before)
            raise


def _size(file: IO[bytes]) -> int | None:
    """Of a file on a disk; nothing else can be cut."""
    with suppress(OSError, ValueError):
        found = os.fstat(file.fileno())
        return found.st_size if stat.S_ISREG(found.st_mode) else None
    return None


def _is_torn(path: Path) -> bool:
    """A power cut left half a line at the end."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
