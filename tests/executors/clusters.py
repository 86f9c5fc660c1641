"""Clusters whose nodes are all this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

MIB = 2**20
SMALL = {"memory": 4096 * MIB, "object_store_memory": 80 * MIB, "include_dashboard": False}
Nodes = Any
"""Ray has no types to speak of."""


@contextmanager
def cluster_of(nodes: int, cpus: int, settings: Mapping[str, str] | None = None) -> Iterator[Nodes]:
    """A head without processors, and so many nodes with some; a test may add and kill others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        for name, value in (settings or {}).items():
            patch.setenv(name, value)
        from ray.cluster_utils import Cluster  # noqa: PLC0415  # the settings come before

        made = Cluster(initialize_head=True, head_node_args={**SMALL, "num_cpus": 0})
        for _ in range(nodes):
            made.add_node(num_cpus=cpus, **SMALL)
        try:
            yield made
        finally:
            made.shutdown()
