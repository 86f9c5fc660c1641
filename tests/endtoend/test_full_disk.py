"""A disk that fills up in the middle of a batch: nothing stored is damaged, and it goes on."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.entry import NOT_PASSED, PASSED, WORLD
from tests.endtoend.projects import Project, new_project

pytestmark = pytest.mark.docker

DISK_KIB = 6 * 1024
PLAN = ("sample", "greet", "--agent", "scripted:noisy", "--batch-id", "batch")
ANY_ROOM = ("--min-free-disk", "0")
IMPATIENT = "from harness.store import patience; patience.PATIENCE_S = 3.0\n"
NOISY = """\
plays:
  - calls:
      - {tool: run_command, input: {command: "head -c 40000 /dev/urandom | base64 > noise.txt"}}
      - {tool: run_command, input: {command: "cat noise.txt"}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    root = tmp_path / "project"
    results = root / "results"
    results.mkdir(parents=True)
    disk = ["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "tmpfs", str(results)]
    subprocess.run(disk, check=True)
    try:
        made = new_project(root, noisy=NOISY)
        made.first = IMPATIENT
        yield made
    finally:
        subprocess.run(["umount", "--lazy", str(results)], check=True)


def fill(project: Project, leave_kib: int) -> Path:
    """Take all of the disk but so much."""
    ballast = project.root / "results/ballast"
    disk = ballast.parent
    with ballast.open("wb") as file:
        free = int(subprocess.check_output(["stat", "-f", "-c", "%a", str(disk)]))
        size = int(subprocess.check_output(["stat", "-f", "-c", "%S", str(disk)]))
        file.write(bytes(max(0, free * size - leave_kib * 1024)))
    return ballast


def begin(project: Project, *more: str) -> subprocess.CompletedProcess[str]:
    return project.bench(*PLAN, *ANY_ROOM, *more)


def stored(project: Project) -> dict[str, str]:
    done = project.bench("batch", "batch", "--json")
    runs = json.loads(done.stdout)["runs"] if done.returncode == PASSED else []
    return {run["run_id"]: json.dumps(run, sort_keys=True) for run in runs}


def check_database(project: Project) -> None:
    path = project.root / "results/bench.db"
    if path.exists() and path.stat().st_size:
        with sqlite3.connect(path) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()


@pytest.mark.parametrize("leave_kib", [0, 90, 240])
def test_a_disk_that_is_full_from_the_start_ends_in_words_and_the_batch_can_be_made(
    project: Project, leave_kib: int
) -> None:
    ballast = fill(project, leave_kib)
    done = begin(project)
    assert done.returncode == WORLD, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "room" in done.stderr + done.stdout
    ballast.unlink()
    check_database(project)
    before = stored(project)
    done = project.bench("resume", "batch", *ANY_ROOM) if before else begin(project)
    assert done.returncode in {PASSED, NOT_PASSED}, done.stderr
    after = stored(project)
    assert {run: after[run] for run in before} == before


def test_a_disk_that_fills_up_between_runs_damages_nothing_that_is_stored(
    project: Project,
) -> None:
    done = begin(project)
    assert done.returncode in {PASSED, NOT_PASSED}, done.stderr
    before = stored(project)
    for leave_kib in (0, 60):
        ballast = fill(project, leave_kib)
        done = begin(project)
        assert done.returncode in {WORLD, NOT_PASSED}, done.stderr
        assert "Traceback" not in done.stderr
        ballast.unlink()
        check_database(project)
        now = stored(project)
        assert {run: now[run] for run in before} == before
    for run in before:
        for view in ("--diff", "--transcript"):
            assert project.bench("show", run, view).returncode == PASSED
    done = project.bench("resume", "batch", *ANY_ROOM)
    assert done.returncode in {PASSED, NOT_PASSED}, done.stderr
    batch = project.document("batch", "batch")["batch"]
    assert batch["finished"] is True  # type: ignore[index]  # an object


def test_a_record_that_finds_no_room_is_stored_when_some_is_made(project: Project) -> None:
    project.first = ""
    assert begin(project, "--iterations", "1").returncode in {PASSED, NOT_PASSED}
    process = project.start("bench", *PLAN, "--iterations", "1", *ANY_ROOM)
    assert process.stderr is not None
    run = project.root / "results/state/run"
    deadline = time.monotonic() + 120
    while not list(run.glob("*/t/u/noise.txt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
    ballast = fill(project, 0)
    while "run_not_stored_yet" not in process.stderr.readline():
        assert process.poll() is None
    ballast.unlink()
    process.communicate(timeout=120)
    assert process.returncode == WORLD
    check_database(project)
    runs = [json.loads(run) for run in stored(project).values()]
    assert sorted(run["status"] for run in runs) == ["faulted", "finished"]
    assert project.bench("resume", "batch", *ANY_ROOM).returncode in {PASSED, NOT_PASSED}
