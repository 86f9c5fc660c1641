"""A batch whose command is killed again and again: no stored run is lost or made twice.

`make chaos` kills it two hundred times; here it is a handful, at places that differ every time.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from docker import DockerClient

from harness.cli.entry import NOT_PASSED, PASSED
from harness.sandbox.reaper import owner_of
from tests.endtoend.projects import Project, new_project, ours

pytestmark = pytest.mark.docker

KILLS = int(os.environ.get("MINTMARK_CHAOS_KILLS", "4"))
RUNS = int(os.environ.get("MINTMARK_CHAOS_RUNS", "16"))
SEED = int(os.environ.get("MINTMARK_CHAOS_SEED", "0")) or time.time_ns() % 1_000_000
JOBS = "8"
AT_WORK = 0.8
"""So many of the kills come when runs are under way, the others as the command begins."""
LINGERS_S = 1.0
QUICK = """\
plays:
  - calls:
      - {tool: write_file, input: {path: mine.txt, content: "x"}}
      - {tool: run_command, input: {command: "echo done"}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "project", quick=QUICK)


def command(project: Project) -> tuple[str, ...]:
    """What begins the batch, or goes on with it once it is planned."""
    if project.bench("batch", "chaos").returncode == PASSED:
        return ("resume", "chaos")
    iterations = ("--iterations", str(RUNS), "--batch-id", "chaos")
    return ("sample", "greet", "--agent", "scripted:quick", *iterations)


def wait_for_work(project: Project, process: subprocess.Popen[str], runs: int) -> None:
    """Until a workspace is open and so many runs are stored, or the command has ended."""
    folders = project.root / "results" / "state" / "run"
    mine = f"/{process.pid}/"
    while process.poll() is None:
        with suppress(OSError):
            if any(mine in owner_of(f) for f in folders.iterdir()) and (
                project.in_store("chaos") >= runs
            ):
                return
        time.sleep(0.02)


def stored(project: Project) -> dict[str, str]:
    """Every run of the batch, as text that says if anything of it changed."""
    document = project.bench("batch", "chaos", "--json")
    if document.returncode == 2:
        # killed before the batch was planned
        return {}
    runs = json.loads(document.stdout)["runs"]
    return {run["run_id"]: json.dumps(run, sort_keys=True) for run in runs}


def test_a_batch_that_is_killed_again_and_again_is_finished_as_if_it_were_not(
    project: Project, engine: DockerClient
) -> None:
    print(f"MINTMARK_CHAOS_SEED={SEED}")  # noqa: T201  # to see the same again
    dice = random.Random(SEED)  # noqa: S311  # no secret
    # the image is built before, so that it is runs that are killed
    assert project.bench("sample", "greet", "--agent", "echo").returncode == NOT_PASSED
    seen: dict[str, str] = {}
    killed = 0
    for number in range(KILLS):
        process = project.start("bench", *command(project), "--jobs", JOBS)
        if dice.random() < AT_WORK:
            left_for_each = (RUNS - len(seen)) / (KILLS - number)
            wait_for_work(project, process, len(seen) + int(dice.uniform(0, 2 * left_for_each)))
        try:
            process.communicate(timeout=dice.uniform(0.0, LINGERS_S))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
        now = stored(project)
        assert {run: now.get(run) for run in seen} == seen, "a stored run was lost or changed"
        seen = now
        print(f"kill {number + 1} of {KILLS}: {len(seen)} of {RUNS} runs stored")  # noqa: T201
    # a command that had ended by itself was not killed, and shows nothing
    assert killed > KILLS // 2
    done = project.bench(*command(project), "--jobs", JOBS)
    assert done.returncode in {PASSED, NOT_PASSED}, done.stderr
    document = project.document("batch", "chaos")
    runs = json.loads(json.dumps(document["runs"]))
    assert sorted(run["iteration"] for run in runs) == [*range(1, RUNS + 1)]
    assert {run["status"] for run in runs} == {"finished"}
    assert len({run["total_score"] for run in runs}) == 1
    assert json.loads(json.dumps(document["batch"]))["finished"] is True
    assert ours(engine, project) == []
