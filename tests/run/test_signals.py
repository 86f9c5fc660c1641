"""Real signals to a real process."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness.cli.entry import INTERRUPTED
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.session import Ending
from harness.interrupts import DRAINING
from harness.store.sqlite import SqliteStore

PATIENCE_S = 60
"""Far more than it takes, and far less than the provider would."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
@pytest.mark.parametrize("agent", ["anthropic", "openai"])
def test_a_signal_ends_a_run_that_waits_for_its_provider_and_the_store_is_whole(
    agent: str, number: signal.Signals, request: pytest.FixtureRequest
) -> None:
    # a short path, because a socket's address is short
    made = TemporaryDirectory(prefix="mm-")
    request.addfinalizer(made.cleanup)
    folder = Path(made.name)
    command = [sys.executable, "-m", "tests.run.stopped_command", "run", agent, str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == "asked\n"
            process.send_signal(number)
            assert process.stderr.readline().strip() == DRAINING
            process.send_signal(number)
            assert process.wait(PATIENCE_S) == INTERRUPTED
            assert "asked" not in process.stdout.read()
        finally:
            process.kill()
    store = SqliteStore.open(folder / "bench.db")
    (record,) = store.runs(BatchId("batch"))
    assert record.fault is not None
    assert (record.fault.cause, record.fault.stage) == (Cause.CANCELLED, "work")
    assert record.session is not None
    assert record.session.ending is Ending.INTERRUPTED
    assert len(store.missing(BatchId("batch"))) == 1


def test_who_insists_ends_a_command_that_does_not_end() -> None:
    command = [sys.executable, "-m", "tests.run.stopped_command", "stuck"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == "asked\n"
            for _ in range(PATIENCE_S):
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(1)
                    break
            assert process.returncode == -signal.SIGINT
            assert "once more to leave everything as it is" in process.stderr.read()
        finally:
            process.kill()
