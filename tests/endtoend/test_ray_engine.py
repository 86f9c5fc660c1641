"""The command with a cluster, on the real engine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient

from harness.cli.entry import NOT_PASSED
from tests.endtoend.projects import new_project, ours
from tests.executors.clusters import Nodes, cluster_of

pytestmark = [pytest.mark.docker, pytest.mark.ray]

RUNS = int(os.environ.get("MINTMARK_RAY_RUNS", "18"))
PATIENCE_S = 600.0
HALF = """\
plays:
  - calls:
      - {tool: write_file, input: {path: mine.txt, content: "x"}}
      - {tool: run_command, input: {command: "sleep 0.5"}}
"""


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    with cluster_of(3, cpus=1) as made:
        yield made


def test_a_batch_that_loses_one_of_three_nodes_scores_as_on_this_machine(
    nodes: Nodes, engine: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    project = new_project(tmp_path / "project", half=HALF)
    agents = [word for name in ("echo", "oracle", "scripted:half") for word in ("--agent", name)]
    cells = ("sample", "greet", *agents, "--iterations", str(-(-RUNS // 3)), "--jobs", "8")
    here = project.bench(*cells, "--batch-id", "here")
    assert here.returncode == NOT_PASSED, here.stderr

    far = project.start("bench", *cells, "--batch-id", "far", "--executor", "ray")
    end = time.monotonic() + PATIENCE_S
    while project.in_store("far") < RUNS // 3:
        assert far.poll() is None, far.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)
    nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)
    _, said = far.communicate(timeout=PATIENCE_S)

    assert far.returncode == NOT_PASSED, said
    # its run was under way, and begun anew
    assert "run_lost" in said
    assert scores(project.document("batch", "far")) == scores(project.document("batch", "here"))
    assert len({score for *_, score in scores(project.document("batch", "far"))}) > 1
    project.bench("doctor", "--clean")
    assert os.listdir(project.root / "results/state/run") == []  # noqa: PTH208  # names
    assert ours(engine, project) == []


def scores(document: dict[str, Any]) -> list[tuple[str, int, float]]:
    return sorted((r["agent"], r["iteration"], r["total_score"]) for r in document["runs"])
