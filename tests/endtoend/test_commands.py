"""The commands as processes, on the real engine, in a project made by `bench new`."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from docker import DockerClient

from harness.interrupts import DRAINING
from tests.endtoend.projects import Project, new_project, ours

pytestmark = pytest.mark.docker

SLOW = "plays:\n  - calls:\n      - {tool: write_file, input: {path: half.txt, content: x}}\n"
SLEEP = "      - {tool: run_command, input: {command: sleep 100}}\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return new_project(tmp_path_factory.mktemp("project"), slow=SLOW + SLEEP)


def begin_slow(project: Project, batch: str) -> subprocess.Popen[str]:
    """A run whose agent has written a file and sleeps."""
    process = project.start(
        "bench", "sample", "greet", "--agent", "scripted:slow", "--batch-id", batch
    )
    run = project.root / "results" / "state" / "run"
    deadline = time.monotonic() + 300
    while not list(run.glob("*/t/u/half.txt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return process


def test_what_bench_new_writes_is_proved(project: Project) -> None:
    done = project.bench("validate", "--prove", "--all", "--json")
    (found,) = json.loads(done.stdout)["scenarios"]
    assert found["ok"], found
    assert found["proof"]["wrong_solutions"] == 3
    assert found["warnings"] == []
    assert done.returncode == 0


def test_a_run_is_stored_shown_diffed_and_checked_out(project: Project, tmp_path: Path) -> None:
    done = project.bench("sample", "greet", "--agent", "oracle", "--json")
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert run["total_score"] == 1.0
    assert '+    return f"Hello, {name}!"' in project.bench("show", run["run_id"], "--diff").stdout
    folder = tmp_path / "out"
    assert project.bench("checkout", run["run_id"], str(folder)).returncode == 0
    assert "{name}" in (folder / "src/greeting.py").read_text()
    assert not (folder / ".git").exists()
    assert "test_greeting.py" not in str(sorted(folder.rglob("*")))
    assert project.bench("checkout", run["run_id"], str(folder)).returncode == 2


def test_the_agents_that_do_nothing_and_everything_exit_apart(project: Project) -> None:
    assert project.bench("sample", "greet", "--agent", "echo").returncode == 1
    assert project.bench("sample", "greet", "--agent", "oracle").returncode == 0


def stop(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Ask it twice: once to begin no more, once to stop what is under way."""
    assert process.stderr is not None
    process.send_signal(number)
    while DRAINING not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    process.communicate(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_an_interrupt_stores_the_run_and_leaves_nothing_behind(
    project: Project, engine: DockerClient, number: signal.Signals
) -> None:
    batch = f"stopped-{number.name}"
    process = begin_slow(project, batch)
    stop(process, number)
    assert process.returncode == 130
    assert ours(engine, project) == []
    (run,) = project.document("batch", batch)["runs"]  # type: ignore[misc]  # a list of runs
    assert run["status"] == "interrupted"
    assert run["total_score"] is None
    assert "half.txt" in project.bench("show", run["run_id"], "--diff").stdout


def test_after_kill_9_doctor_cleans_up_and_the_batch_can_be_finished(
    project: Project, engine: DockerClient
) -> None:
    process = begin_slow(project, "killed")
    process.kill()
    process.communicate(timeout=60)
    assert ours(engine, project)
    assert "leftovers" in project.bench("doctor").stdout
    assert project.bench("doctor", "--clean").returncode == 0
    assert ours(engine, project) == []
    document = project.document("batch", "killed")
    assert document["runs"] == []
    assert document["batch"]["finished"] is False  # type: ignore[index]  # an object


def test_a_batch_is_watched_from_another_process_until_its_command_is_killed(
    project: Project, engine: DockerClient
) -> None:
    process = begin_slow(project, "watched")
    seen = json.loads(project.bench("watch", "watched", "--json").stdout)
    assert seen["states"]["under_way"] == 1
    (run,) = seen["under_way"]
    assert (run["scenario"], run["stage"]) == ("greet", "work")
    assert f"/{process.pid}/" in seen["commands"][0]["owner"]
    watching = project.start("bench", "watch", "watched")
    assert watching.stderr is not None
    assert "1 under way" in watching.stderr.readline()
    process.kill()
    process.communicate(timeout=60)
    _, said = watching.communicate(timeout=60)
    assert watching.returncode == 3
    assert "nobody works on it; to go on: bench resume watched" in said
    left = project.root / "results/state/commands"
    assert len([*left.iterdir()]) == 1
    assert project.bench("doctor", "--clean").returncode == 0
    assert [*left.iterdir()] == []
    assert ours(engine, project) == []


def test_the_next_command_sweeps_what_a_killed_one_left(
    project: Project, engine: DockerClient
) -> None:
    process = begin_slow(project, "killed-again")
    process.kill()
    process.communicate(timeout=60)
    project.bench("sample", "greet", "--agent", "echo")
    assert ours(engine, project) == []


def test_a_living_command_is_not_swept(project: Project, engine: DockerClient) -> None:
    process = begin_slow(project, "living")
    try:
        project.bench("doctor", "--clean")
        project.bench("sample", "greet", "--agent", "echo")
        assert process.poll() is None
        assert ours(engine, project)
    finally:
        stop(process, signal.SIGINT)


def test_two_commands_at_once_on_one_batch_keep_every_run(project: Project) -> None:
    arguments = ("sample", "greet", "--agent", "echo", "--iterations", "2", "--batch-id", "both")
    processes = [project.start("bench", *arguments) for _ in range(2)]
    for process in processes:
        process.communicate(timeout=300)
    runs = project.document("batch", "both")["runs"]
    assert sorted(run["iteration"] for run in runs) == [1, 2, 3, 4]  # type: ignore[attr-defined]  # a list


def test_an_engine_that_is_absent_is_said_and_nothing_is_changed(project: Project) -> None:
    before = project.document("batches")
    lost = Project(project.root)
    lost.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    done = lost.bench("sample", "greet")
    assert done.returncode == 3
    assert "/nowhere/docker.sock" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.document("batches") == before
