from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from docker import DockerClient

from harness.domain.digests import tree_digest
from harness.domain.scenario import ImageSource, Limits, Network, Scenario
from harness.sandbox.base import Box, BoxSpec, PreparedImage, Purpose, Workspace
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.engine import connect
from harness.sandbox.images import DockerImages
from harness.sandbox.owner import this_process
from harness.testing.builders import a_scenario
from harness.testing.sandbox import OpenBox as Open
from harness.workspace import OverlayWorkspaces

FILES = {
    "README.md": "# Fixture\n",
    "src/app.py": "x = 1\n",
    "src/deep/er/file.txt": "deep\n",
    "tests/test_app.py": "def test(): ...\n",
    "run.sh": "#!/bin/sh\n",
}


@pytest.fixture(scope="session")
def engine() -> DockerClient:
    return connect()


@pytest.fixture(scope="session")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    made = a_scenario(tmp_path_factory.mktemp("scenario"), files=FILES)
    (made.fixture / "run.sh").chmod(0o755)
    (made.fixture / "link").symlink_to("README.md")
    image = ImageSource(packages=("git", "python3"))
    limits = Limits(memory_bytes=256 * 2**20, pids=64, disk_bytes=32 * 2**20)
    digests = replace(made.digests, fixture=tree_digest(made.fixture))
    return replace(made, image=image, limits=limits, digests=digests)


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
def image(engine: DockerClient, scenario: Scenario, state: Path) -> PreparedImage:
    bundle = os.environ.get("SSL_CERT_FILE")
    images = DockerImages(engine, state, ca_bundle=Path(bundle) if bundle else None)
    return images.prepare(scenario, lambda _text: None)


@pytest.fixture
def open_box(engine: DockerClient, scenario: Scenario, image: PreparedImage, state: Path) -> Open:
    """Open a sandbox over a fresh workspace; `limits` and `purpose` may be given."""
    workspaces, sandboxes = OverlayWorkspaces(state), DockerSandboxes(engine)

    @contextmanager
    def opened(
        purpose: Purpose = Purpose.WORK, limits: Limits | None = None
    ) -> Iterator[tuple[Box, Workspace]]:
        wanted = replace(scenario, limits=limits or scenario.limits)
        with workspaces.open(wanted) as workspace:
            spec = BoxSpec(
                name=f"mintmark-test-{uuid4().hex[:12]}",
                image=image,
                purpose=purpose,
                limits=wanted.limits,
                network=Network.NONE,
                mounts=(workspace.mount,),
                labels={"mintmark": "test", "mintmark.owner": this_process()},
            )
            with sandboxes.open(spec) as box:
                yield box, workspace

    return opened
