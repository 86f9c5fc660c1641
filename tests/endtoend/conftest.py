from __future__ import annotations

from collections.abc import Iterator

import pytest
from docker import DockerClient

from harness.sandbox.engine import connect


@pytest.fixture
def engine() -> Iterator[DockerClient]:
    client = connect()
    yield client
    client.close()
