from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from docker import DockerClient
from docker.errors import NotFound

from harness import wiring
from harness.domain.digests import tree_digest
from harness.domain.ids import volume_name
from harness.domain.scenario import ImageSource, Limits, Network, Scenario
from harness.sandbox.base import Box, BoxSpec, PreparedImage, Purpose, Workspace, Workspaces
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.engine import connect
from harness.sandbox.images import DockerImages
from harness.sandbox.owner import this_process
from harness.settings import Settings
from harness.testing.builders import a_scenario
from harness.testing.sandbox import OpenBox as Open

MakeWorkspaces = Callable[[str], Workspaces]
OpenIn = Callable[[Workspaces], Open]

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
    # a content of its own: other processes may test with the same engine
    files = {**FILES, "id.txt": uuid4().hex}
    made = a_scenario(tmp_path_factory.mktemp("scenario"), files=files)
    (made.fixture / "run.sh").chmod(0o755)
    (made.fixture / "link").symlink_to("README.md")
    (made.fixture / "library").symlink_to("src")
    image = ImageSource(packages=("git", "python3"))
    limits = Limits(memory_bytes=256 * 2**20, pids=64, disk_bytes=32 * 2**20)
    digests = replace(made.digests, fixture=tree_digest(made.fixture))
    return replace(made, image=image, limits=limits, digests=digests)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="session")
def state(root: Path) -> Path:
    return Settings(root).state


@pytest.fixture(scope="session")
def image(engine: DockerClient, scenario: Scenario, state: Path) -> PreparedImage:
    bundle = os.environ.get("SSL_CERT_FILE")
    images = DockerImages(engine, state, ca_bundle=Path(bundle) if bundle else None)
    return images.prepare(scenario, lambda _text: None)


@pytest.fixture(scope="session")
def make_workspaces(
    engine: DockerClient, scenario: Scenario, root: Path
) -> Iterator[MakeWorkspaces]:
    """A back end by name, as the command would choose it."""

    def make(name: str) -> Workspaces:
        settings = Settings(root, workspaces=name)
        return wiring.open_workspaces(settings, engine, DockerSandboxes(engine))

    yield make
    with suppress(NotFound):
        engine.api.remove_volume(volume_name("fixture", scenario.digests.fixture[:32]))


@pytest.fixture
def open_in(engine: DockerClient, scenario: Scenario, image: PreparedImage) -> OpenIn:
    """Open sandboxes over one back end; `limits` and `purpose` may be given."""
    sandboxes = DockerSandboxes(engine)

    def over(workspaces: Workspaces) -> Open:
        @contextmanager
        def opened(
            purpose: Purpose = Purpose.WORK, limits: Limits | None = None
        ) -> Iterator[tuple[Box, Workspace]]:
            wanted = replace(scenario, limits=limits or scenario.limits)
            with workspaces.open(wanted, image) as workspace:
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

    return over


@pytest.fixture
def open_box(make_workspaces: MakeWorkspaces, open_in: OpenIn) -> Open:
    """Sandboxes over mounted workspaces."""
    return open_in(make_workspaces("mount"))


@pytest.fixture(scope="session", params=wiring.WORKSPACES)
def workspaces(request: pytest.FixtureRequest, make_workspaces: MakeWorkspaces) -> Workspaces:
    """Each back end; the fixture is brought to the engine once for all tests."""
    return make_workspaces(request.param)


@pytest.fixture
def open_any(workspaces: Workspaces, open_in: OpenIn) -> Open:
    """Sandboxes over each back end: what they promise, all of them promise."""
    return open_in(workspaces)
