"""The event stream: whole lines, whoever else writes and however slowly somebody reads."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from harness.cli import events
from harness.cli.events import EventStream, LineFile, open_lines
from harness.domain.ids import BatchId, RunId
from harness.errors import UsageError
from harness.testing.store import a_record
from harness.tools import Halt

ROOT = Path(__file__).parents[2]
WRITER = """\
import sys
from harness.cli.events import EventStream, LineFile, open_lines
from harness.domain.ids import BatchId
stream = EventStream(LineFile(open_lines(sys.argv[1]), "f", print), BatchId(sys.argv[2]))
for number in range(300):
    stream.put({"event": "x", "number": number, "filler": sys.argv[2] * 3000})
stream._lines.close()
"""


def never(text: str) -> None:
    pytest.fail(text)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_two_processes_write_whole_lines_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    argv = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*argv, name], cwd=ROOT) for name in ("a", "b")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    lines = read(path)
    for name in ("a", "b"):
        mine = [line for line in lines if line["batch_id"] == name]
        assert [line["number"] for line in mine] == [*range(300)]
    assert len({line["process"] for line in lines}) == 2


def test_every_event_has_its_name_its_time_its_batch_and_its_process(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    lines = LineFile(open_lines(str(path)), "f", never)
    stream = EventStream(lines, BatchId("b"))
    stream.planned(BatchId("b"), 3, 2)
    stream.stage(RunId("run_1"), "work")
    stream.halts(Halt.LIMIT, "the batch's budget is spent")
    stream.ended(a_record())
    stream.refused(RunId("run_2"), "bad\nfile \x1b[31m \ud800")
    lines.close()
    found = read(path)
    assert [event["event"] for event in found] == [
        "batch_planned", "run_stage", "batch_limited", "run_ended", "run_refused",
    ]  # fmt: skip
    for event in found:
        assert list(event)[:4] == ["event", "at", "batch_id", "process"]
        assert event["at"].endswith("+00:00")
    assert found[3]["checks"] == [{"name": "test", "score": 0.75}]
    assert path.read_bytes().isascii()
    assert b"\x1b" not in path.read_bytes()


def test_half_a_line_of_an_earlier_crash_is_closed_first(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "run_be')
    lines = LineFile(open_lines(str(path)), "f", never)
    lines.put("{}")
    lines.close()
    assert path.read_text() == '{"event": "run_be\n{}\n'


class Full(io.FileIO):
    """A disk that has room for so many bytes more."""

    room = 10

    def write(self, data: Any) -> int:  # noqa: ANN401  # any buffer
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        took = super().write(bytes(data)[: self.room])
        self.room -= took
        return took


def test_a_full_disk_leaves_no_half_line_and_ends_no_batch(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("{}\n")
    warned: list[str] = []
    with Full(path, "ab") as file:
        lines = LineFile(file, "--events f", warned.append)
        for _ in range(3):
            lines.put('{"event": "run_began"}')
        lines.close()
    assert path.read_text() == "{}\n"
    assert warned == ["--events f: No space left on device; no further event is written"]


def test_a_reader_that_has_gone_ends_no_batch() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    warned: list[str] = []
    with os.fdopen(writing, "wb", buffering=0) as file:
        lines = LineFile(file, "--events", warned.append)
        lines.put("{}")
        lines.close()
    assert warned == ["--events: Broken pipe; no further event is written"]


def test_a_reader_that_does_not_read_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PATIENCE_S", 0.3)
    monkeypatch.setattr(events, "MOST_WAITING", 50)
    reading, writing = os.pipe()
    warned: list[str] = []
    with os.fdopen(writing, "wb", buffering=0) as file:
        lines = LineFile(file, "--events", warned.append)
        done = threading.Event()

        def put() -> None:
            for _ in range(500):
                lines.put("x" * 1000)
            done.set()

        threading.Thread(target=put, daemon=True).start()
        assert done.wait(5)
        lines.close()
        assert "were not taken" in warned[0]
        # the writer ends with its reader
        os.close(reading)
        lines._thread.join(5)


@pytest.mark.parametrize("place", [".", "no/such/folder/events.jsonl"])
def test_a_place_that_cannot_be_written_is_refused(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="name a file"):
        open_lines(place)
