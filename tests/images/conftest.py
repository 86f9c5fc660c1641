from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from harness.domain.ids import Digest
from harness.domain.scenario import (
    Digests,
    ImageSource,
    Limits,
    Network,
    Oracle,
    Scenario,
)
from harness.sandbox.engine import connect

MakeScenario = Callable[..., Scenario]


@pytest.fixture
def make_scenario(tmp_path: Path) -> MakeScenario:
    """Builds a scenario in `tmp_path/slots` that has everything which must stay hidden."""

    def make(image: ImageSource | None = None, **fields: Path) -> Scenario:
        folder = tmp_path / "slots"
        for name in ("repo-fixture", "hidden", "solution", "image"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        nothing = Digest("")
        return Scenario(
            suite="calendar",
            id="slots",
            title="Slots",
            description="",
            folder=folder,
            fixture=folder / "repo-fixture",
            image=image or ImageSource(),
            limits=Limits(),
            network=Network.NONE,
            threshold=0.7,
            checks=(),
            validation=(),
            prompts=(),
            oracle=Oracle(),
            digests=Digests(nothing, nothing, nothing, nothing),
            hidden=fields.get("hidden", folder / "hidden"),
            solution=fields.get("solution", folder / "solution"),
        )

    return make


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    engine = connect()
    yield engine
    engine.close()
