"""The command with a cluster, on the real engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient

from harness.cli.entry import NOT_PASSED
from tests.endtoend.projects import ROOT, new_project, ours

pytestmark = [pytest.mark.docker, pytest.mark.ray]

MIB = 2**20


@pytest.fixture
def address() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(ROOT))
        from ray.cluster_utils import Cluster  # noqa: PLC0415  # the settings come before

        few = {"object_store_memory": 80 * MIB, "include_dashboard": False}
        made: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **few})
        for _ in range(2):
            made.add_node(num_cpus=1, memory=4096 * MIB, **few)
        try:
            yield str(made.address)
        finally:
            made.shutdown()


def test_a_batch_on_a_cluster_scores_as_on_this_machine(
    address: str, engine: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    project = new_project(tmp_path / "project")
    cells = ("sample", "greet", "--agent", "echo", "--agent", "oracle", "--iterations", "2")
    here = project.bench(*cells, "--batch-id", "here")
    assert here.returncode == NOT_PASSED, here.stderr
    far = project.document(*cells, "--batch-id", "far", "--executor", "ray", "--jobs", "auto")
    assert scores(far) == scores(project.document("batch", "here"))
    assert os.listdir(project.root / "results/state/run") == []  # noqa: PTH208  # names
    assert ours(engine, project) == []


def scores(document: dict[str, Any]) -> list[tuple[str, int, float]]:
    return sorted((r["agent"], r["iteration"], r["total_score"]) for r in document["runs"])
