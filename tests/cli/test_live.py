"""Progress where nobody looks at a terminal: lines for a log."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import live
from harness.cli.live import LiveWatch
from harness.domain.failures import Cause
from harness.domain.ids import BatchId, RunId
from harness.domain.record import Fault
from harness.testing.builders import a_scenario, a_spec
from harness.testing.store import a_record
from harness.tools import Halt

RUNS = [RunId(f"run_{n}") for n in range(3)]


def test_many_runs_at_once_are_a_line_each_and_each_line_says_whose_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = a_spec(a_scenario(tmp_path))
    with LiveWatch(3) as watch:
        watch.planned(BatchId("b"), 3, 3)
        for number, run in enumerate(RUNS, start=1):
            watch.began(run, replace(spec, iteration=number))
            watch.stage(run, "prepare")
        watch.tell(RUNS[1], "building the image\x1b[31m")
        watch.ended(replace(a_record(RUNS[2]), iteration=3))
        watch.halts(Halt.LIMIT, "the batch's budget is spent")
        fault = Fault(Cause.SANDBOX, "work", "gone")
        watch.ended(replace(a_record(RUNS[0]), passed=False, total_score=None, fault=fault))
        watch.refused(RUNS[1], "bad file")
    assert capsys.readouterr().err.splitlines() == [
        "         scenario L1 fake #2: building the image\\x1b[31m",
        "[1/3] PASS  0.75    0.0s  slots L1 echo #3",
        "no further run begins: the batch's budget is spent",
        "[2/3] FAULTED  –    0.0s  slots L1 echo #1",
        "        work: gone",
    ]


def test_a_long_silence_in_a_log_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SILENT_S", 0.05)
    with LiveWatch(3) as watch:
        watch.began(RUNS[0], a_spec(a_scenario(tmp_path)))
        watch.stage(RUNS[0], "work")
        time.sleep(0.5)
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 10
    assert lines[0] == "         0/3, 1 under way, the longest for 0 s: scenario L1 fake #1 (work)"


@pytest.mark.parametrize("quiet", [True, False])
def test_who_wants_no_progress_hears_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, quiet: bool
) -> None:
    monkeypatch.setattr(live, "SILENT_S", 0.01)
    with LiveWatch(3, quiet=quiet):
        time.sleep(0.3)
    assert bool(capsys.readouterr().err) is not quiet
