"""What a running command leaves for those who look on."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.cli import desk
from harness.cli.desk import Desk, commands, sweep
from harness.domain.ids import BatchId, RunId
from harness.report.progress import Command
from harness.sandbox.owner import this_process
from harness.settings import Settings
from harness.store.codec import encode
from harness.testing.builders import a_scenario, a_spec
from harness.testing.store import a_record
from harness.tools import Halt

B = BatchId("b")
RUN = RunId("run_1")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(desk, "TOLD_EVERY_S", 0.01)
    return Settings(tmp_path)


def folder(settings: Settings) -> Path:
    return settings.state / "commands"


def seen(settings: Settings) -> Command:
    (command,) = commands(settings, B, datetime.now(UTC))
    return command


def soon(settings: Settings, holds: Callable[[Command], bool]) -> Command:
    ends = time.monotonic() + 5
    while not holds(seen(settings)) and time.monotonic() < ends:
        time.sleep(0.01)
    return seen(settings)


def left(settings: Settings, command: Command, name: str = "other.json") -> Path:
    path = folder(settings) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(encode(command))
    return path


def a_command(owner: str, told_at: datetime | None = None) -> Command:
    now = datetime.now(UTC)
    return Command(owner, B, now, told_at or now, runs=3)


def test_a_command_says_what_is_under_way_and_leaves_nothing(settings: Settings) -> None:
    spec = a_spec(a_scenario(settings.root))
    with Desk(settings) as told:
        told.planned(B, 5, 2)
        assert (seen(settings).runs, seen(settings).jobs) == (5, 2)
        assert seen(settings).owner == this_process()
        told.began(RUN, spec)
        told.stage(RUN, "work")
        told.tell(RUN, "read_file\n\x1b[31m")
        (run,) = soon(settings, lambda c: bool(c.under_way and c.under_way[0].said)).under_way
        assert (run.run, run.cell, run.stage) == (RUN, spec.cell, "work")
        assert run.said == "read_file \\x1b[31m"
        told.ended(replace(a_record(RUN)))
        told.halts(Halt.DRAINING, "a signal")
        now = soon(settings, lambda c: c.halt is not None)
        assert (now.ended, now.under_way, now.halt) == (1, (), "draining")
        told.began(RUN, spec)
        told.refused(RUN, "a bad file")
        assert soon(settings, lambda c: c.runs == 4).under_way == ()
    assert [*folder(settings).iterdir()] == []


def test_a_run_that_is_lost_and_begun_anew_is_still_one_of_those_to_come(
    settings: Settings,
) -> None:
    spec = a_spec(a_scenario(settings.root))
    with Desk(settings) as told:
        told.planned(B, 5, 2)
        told.began(RUN, spec)
        told.refused(RUN, "its node was lost")
        told.began(RunId("run_2"), spec)
        told.began(RunId("run_3"), replace(spec, iteration=2))
        now = soon(settings, lambda c: len(c.under_way) == 2)
        assert now.runs == 5
        told.refused(RunId("run_2"), "its node was lost again")
        assert soon(settings, lambda c: len(c.under_way) == 1).runs == 4


def test_a_command_that_never_began_leaves_nothing(settings: Settings) -> None:
    with Desk(settings):
        pass
    assert not folder(settings).exists()


def test_what_a_killed_command_left_is_not_seen_and_swept_by_the_next(settings: Settings) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    dead = left(settings, a_command(f"{socket.gethostname()}/{process.pid}/1"))
    assert commands(settings, B, datetime.now(UTC)) == ()
    assert dead.exists()
    with Desk(settings):
        assert not dead.exists()


def test_a_command_of_another_host_lives_as_long_as_it_says_so(settings: Settings) -> None:
    now = datetime.now(UTC)
    path = left(settings, a_command("elsewhere/1/1"))
    sweep(settings.state)
    assert len(commands(settings, B, now)) == 1
    assert commands(settings, B, now + timedelta(hours=1)) == ()
    left(settings, a_command("elsewhere/1/1", now - timedelta(hours=1)))
    sweep(settings.state)
    assert not path.exists()


def test_a_command_of_this_host_that_was_stopped_for_long_is_alive(settings: Settings) -> None:
    path = left(settings, a_command(this_process(), datetime.now(UTC) - timedelta(hours=1)))
    sweep(settings.state)
    assert path.exists()
    assert len(commands(settings, B, datetime.now(UTC))) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"owner": 5}', '"x"', "\udcff"])
def test_garbage_is_passed_over_and_swept(settings: Settings, text: str) -> None:
    path = left(settings, a_command(this_process()))
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert commands(settings, B, datetime.now(UTC)) == ()
    sweep(settings.state)
    assert not path.exists()


def test_a_folder_that_cannot_be_written_ends_no_batch(settings: Settings) -> None:
    settings.state.mkdir(parents=True)
    folder(settings).write_text("a file in its place")
    with Desk(settings) as told:
        told.planned(B, 1, 1)
        told.began(RUN, a_spec(a_scenario(settings.root)))
        time.sleep(0.05)
    assert commands(settings, B, datetime.now(UTC)) == ()
