"""Daemons to talk to: one on the host, and hardened containers."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inside.talking import AGENT, IMAGE, Talk, in_a_container, on_the_host

DOCKERFILE = b"""FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends python3 git nodejs
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Talk]:
    with on_the_host() as daemon:
        yield daemon


@pytest.fixture
def fresh() -> Iterator[Talk]:
    """A daemon for a test that ends or measures it."""
    with on_the_host() as daemon:
        yield daemon


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter and write, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="mintmark-inside-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def image() -> str:
    command = ["docker", "build", "--quiet", "--tag", IMAGE, "-"]
    env = {**os.environ, "DOCKER_BUILDKIT": "0"}
    subprocess.run(command, input=DOCKERFILE, check=True, env=env, timeout=600, capture_output=True)
    return IMAGE


@pytest.fixture(scope="module")
def agent_box(image: str) -> Iterator[Talk]:
    assert image
    with in_a_container(grading=False) as daemon:
        assert daemon.ready["uid"] == AGENT
        yield daemon


@pytest.fixture(scope="module")
def grading_box(image: str) -> Iterator[Talk]:
    assert image
    with in_a_container(grading=True) as daemon:
        assert daemon.ready["uid"] == 0
        yield daemon
