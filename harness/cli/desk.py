"""What a running command leaves in `results/state/commands` for those who look on: one file.

It says whose it is, what it set out to make and what is under way; it is written anew as a whole
and goes with its command. Files of commands that were killed are swept by whoever looks next.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.domain.ids import BatchId, RunId
from harness.domain.record import Cell, RunRecord
from harness.domain.spec import RunSpec
from harness.report.progress import Command, UnderWay
from harness.report.words import line
from harness.sandbox.owner import is_alive, this_process
from harness.settings import Settings
from harness.store.codec import MISREAD, decode, encode
from harness.tools import Halt

FOLDER = "commands"
HALF = ".new"
TOLD_EVERY_S = 0.5
ANYWAY_S = 20.0
"""A command that has nothing new to say says so again: another host cannot see if it lives."""
SILENT = timedelta(minutes=5)
"""After so long a command of another host is taken for dead."""
LONGEST = 200
LARGEST_BYTES = 4 * 1024 * 1024


class Desk:
    """A watch that keeps the command's file up to date, a few times a second at most."""

    def __init__(self, settings: Settings) -> None:
        self._state = settings.state
        self._folder = settings.state / FOLDER
        owner = this_process()
        self._path = self._folder / f"{re.sub('[^A-Za-z0-9.-]', '-', owner)}.json"
        now = datetime.now(UTC)
        self._told = Command(owner, BatchId(""), now, now)
        self._runs: dict[RunId, UnderWay] = {}
        self._refused: set[tuple[Cell, int]] = set()
        self._lock = threading.Lock()
        self._is_new = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)

    def __enter__(self) -> Self:
        sweep(self._state)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._is_new.set()
        if self._thread.ident is not None:
            self._thread.join()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def planned(self, batch: BatchId, runs: int, jobs: int) -> None:
        """From now on others see the command."""
        with self._lock:
            self._told = replace(self._told, batch=batch, runs=self._told.runs + runs, jobs=jobs)
        self._write()
        if self._thread.ident is None:
            self._thread.start()

    def halts(self, halt: Halt, why: str) -> None:
        """No further run begins."""
        with self._lock:
            self._told = replace(self._told, halt=halt.value, why=line(why, LONGEST))
        self._is_new.set()

    def began(self, run: RunId, spec: RunSpec) -> None:
        """A run begins; one that was lost and begins anew is made after all."""
        with self._lock:
            self._runs[run] = UnderWay(run, spec.cell, spec.iteration, datetime.now(UTC))
            if (spec.cell, spec.iteration) in self._refused:
                self._refused.remove((spec.cell, spec.iteration))
                self._told = replace(self._told, runs=self._told.runs + 1)
        self._is_new.set()

    def stage(self, run: RunId, name: str) -> None:
        """A stage of the run begins."""
        self._change(run, stage=name, said="")

    def tell(self, run: RunId, text: str) -> None:
        """Something worth a glance within the stage."""
        self._change(run, said=line(text, LONGEST))

    def ended(self, record: RunRecord) -> None:
        """The run is stored."""
        with self._lock:
            self._runs.pop(record.id, None)
            self._told = replace(self._told, ended=self._told.ended + 1)
        self._is_new.set()

    def refused(self, run: RunId, why: str) -> None:
        """The run is not stored."""
        del why
        with self._lock:
            gone = self._runs.pop(run, None)
            if gone is not None:
                self._refused.add((gone.cell, gone.iteration))
            self._told = replace(self._told, runs=self._told.runs - 1)
        self._is_new.set()

    def _change(self, run: RunId, **said: str) -> None:
        with self._lock:
            if run in self._runs:
                self._runs[run] = replace(self._runs[run], **said)  # type: ignore[arg-type]  # texts only
        self._is_new.set()

    def _work(self) -> None:
        while not self._over.wait(TOLD_EVERY_S):
            self._is_new.wait(ANYWAY_S)
            self._is_new.clear()
            if not self._over.is_set():
                self._write()

    def _write(self) -> None:
        with self._lock:
            now = datetime.now(UTC)
            told = replace(self._told, told_at=now, under_way=tuple(self._runs.values()))
        hidden = self._path.with_suffix(HALF)
        # a full disk, say: who looks on sees less, and nothing else comes of it
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            hidden.write_text(encode(told), encoding="ascii")
            hidden.replace(self._path)


def commands(settings: Settings, batch: BatchId, now: datetime) -> tuple[Command, ...]:
    """The living commands that work on a batch, the oldest first."""
    found = [
        command
        for path, command in _all(settings.state / FOLDER)
        if command and command.batch == batch and _lives(command, now)
    ]
    return tuple(sorted(found, key=lambda command: command.began_at))


def sweep(state: Path) -> None:
    """Remove what dead commands left, and what is no command's file."""
    folder, now = state / FOLDER, datetime.now(UTC)
    for path, command in _all(folder):
        if command is None or not _lives(command, now):
            with suppress(OSError):
                path.unlink()
    for path in folder.glob(f"*{HALF}"):
        with suppress(OSError):
            if now.timestamp() - path.stat().st_mtime > SILENT.total_seconds():
                path.unlink()


def _lives(command: Command, now: datetime) -> bool:
    """One of this host is asked for; one of another has to speak up."""
    is_here = command.owner.partition("/")[0] == this_process().partition("/")[0]
    return is_alive(command.owner) and (is_here or now - command.told_at < SILENT)


def _all(folder: Path) -> Iterator[tuple[Path, Command | None]]:
    for path in sorted(folder.glob("*.json")):
        yield path, _read(path)


def _read(path: Path) -> Command | None:
    """None for what is none, and for one that has just gone."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return None
        command = decode(Command, path.read_text(encoding="utf-8"))
        is_alive(command.owner)
    except (OSError, *MISREAD):
        return None
    return command
