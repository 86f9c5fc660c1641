"""Faults of the world in the middle of a batch: what is stored stays, and the batch goes on."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from docker import DockerClient
from docker.errors import ImageNotFound

from harness import wiring
from harness.cli.entry import NOT_PASSED, PASSED, WORLD
from harness.load.scenarios import load_scenario
from harness.sandbox.images import DockerImages
from tests.endtoend.flaky_engine import FlakyEngine, flaky_engine
from tests.endtoend.projects import Project, new_project, ours

pytestmark = pytest.mark.docker

RUNS = 10
BRISK = """\
plays:
  - calls:
      - {tool: write_file, input: {path: mine.txt, content: "x"}}
      - {tool: run_command, input: {command: "sleep 1"}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "project", brisk=BRISK)


@pytest.fixture
def proxy(tmp_path: Path, project: Project) -> Iterator[FlakyEngine]:
    with flaky_engine(tmp_path) as made:
        project.env["DOCKER_HOST"] = made.host
        yield made


def begin(project: Project, *more: str) -> subprocess.Popen[str]:
    arguments = ("--agent", "scripted:brisk", "--iterations", str(RUNS), "--batch-id", "batch")
    return project.start("bench", "sample", "greet", *arguments, *more)


def runs_of(project: Project) -> list[dict[str, Any]]:
    done = project.bench("batch", "batch", "--json")
    found: list[dict[str, Any]] = json.loads(done.stdout)["runs"] if done.returncode == 0 else []
    return found


def wait_for_runs(project: Project, process: subprocess.Popen[str], count: int) -> None:
    deadline = time.monotonic() + 120
    while len(runs_of(project)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def check_whole(project: Project, engine: DockerClient) -> None:
    """Resumed, the batch is as if nothing had happened."""
    done = project.bench("resume", "batch", "--jobs", "2")
    assert done.returncode in {PASSED, NOT_PASSED}, done.stderr
    runs = [run for run in runs_of(project) if run["status"] == "finished"]
    assert sorted(run["iteration"] for run in runs) == [*range(1, RUNS + 1)]
    assert len({run["total_score"] for run in runs}) == 1
    assert ours(engine, project) == []


def test_an_engine_that_is_restarted_costs_the_runs_under_way_and_no_others(
    project: Project, engine: DockerClient, proxy: FlakyEngine
) -> None:
    assert project.bench("sample", "greet", "--agent", "echo").returncode == NOT_PASSED
    process = begin(project, "--jobs", "2")
    wait_for_runs(project, process, 2)
    proxy.restart(away_s=6)
    _, said = process.communicate(timeout=300)
    assert process.returncode == WORLD, said
    runs = runs_of(project)
    faulted = [run for run in runs if run["status"] != "finished"]
    assert len(runs) == RUNS, said
    assert 1 <= len(faulted) <= 2, said
    assert {run["status"] for run in faulted} == {"faulted"}
    assert {run["fault"]["cause"] for run in faulted} <= {"sandbox", "evaluator"}
    assert "Traceback" not in said
    check_whole(project, engine)


def test_connections_that_break_while_the_engine_goes_on_are_nobodys_score(
    project: Project, engine: DockerClient, proxy: FlakyEngine
) -> None:
    assert project.bench("sample", "greet", "--agent", "echo").returncode == NOT_PASSED
    process = begin(project, "--jobs", "2")
    for count in (1, 3):
        wait_for_runs(project, process, count)
        proxy.restart(away_s=0)
    _, said = process.communicate(timeout=300)
    finished = [run for run in runs_of(project) if run["status"] == "finished"]
    assert {run["session"]["ending"] for run in finished} == {"finished"}, said
    assert len({run["total_score"] for run in finished}) == 1, said
    check_whole(project, engine)


def test_an_image_that_vanishes_is_built_again_and_costs_at_most_the_runs_under_way(
    project: Project, engine: DockerClient
) -> None:
    assert project.bench("sample", "greet", "--agent", "echo").returncode == NOT_PASSED
    path = project.root / "suites/sample/scenarios/greet/scenario.yaml"
    described = "name: debian:bookworm-slim\n  packages: [git, python3]"
    assert described in path.read_text()
    # an image of this test alone, quick to build: others use the one that `bench new` describes
    alone = f'name: {tag_of(project, engine)}\n  setup: [": {uuid4().hex}"]'
    path.write_text(path.read_text().replace(described, alone))
    tag = tag_of(project, engine)
    process = begin(project, "--jobs", "2")
    for count in (1, 4, 7):
        wait_for_runs(project, process, count)
        vanish(engine, tag)
    _, said = process.communicate(timeout=300)
    assert process.returncode in {NOT_PASSED, WORLD}, said
    assert "Traceback" not in said
    faulted = [run for run in runs_of(project) if run["status"] != "finished"]
    assert len(faulted) <= 2 * 3, said
    assert {run["fault"]["cause"] for run in faulted} <= {"sandbox"}
    check_whole(project, engine)
    vanish(engine, tag)


def tag_of(project: Project, engine: DockerClient) -> str:
    """What the scenario's image is called, as its file is now."""
    scenario = load_scenario(project.root, "sample", "greet", wiring.evaluator_kinds())
    needed = DockerImages(engine, project.root / "results/state").needed([scenario])
    (tag,) = (tag for tag in needed.tags if "/prepared:" in tag)
    return tag


def vanish(engine: DockerClient, tag: str) -> None:
    with suppress(ImageNotFound):
        engine.api.remove_image(tag, force=True)
