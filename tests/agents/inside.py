"""Agents' real programs in real sandboxes; a double of a provider stands behind the socket."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from docker import DockerClient

from harness import wiring
from harness.agents.base import Agent, Workbench
from harness.agents.tools import ToolContext, toolbox
from harness.domain.digests import tree_digest
from harness.domain.model import Budget
from harness.domain.scenario import ImageSource, Limits, Network, Oracle, Scenario
from harness.gateway.base import Access, Line
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.sandbox.base import SOCKET, BoxSpec, Mount, PreparedImage, Purpose
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.images import DockerImages
from harness.sandbox.npm import Registry
from harness.sandbox.owner import this_process
from harness.sandbox.programs import NpmPrograms
from harness.sandbox.volumes import Volumes
from harness.settings import Secrets, Settings
from harness.testing.builders import a_scenario
from harness.testing.line import FakeLine
from harness.testing.provider import KEY, ProviderDouble, Script, plays

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LIMITS = Limits(wall_clock_s=60)


@dataclass(frozen=True, slots=True)
class Engine:
    """What a module's tests share; the programs stay on the engine between sessions."""

    client: DockerClient
    root: Path

    @contextmanager
    def bench(
        self,
        agent: Agent,
        script: Script | None,
        *,
        files: Mapping[str, str] | None = None,
        limits: Limits = LIMITS,
    ) -> Iterator[tuple[Workbench, ProviderDouble]]:
        """A bench whose model is the double itself; None for a gateway that died."""
        with tempfile.TemporaryDirectory(prefix="mintmark-test-") as folder:
            place = Path(folder) / "line.sock"
            double = ProviderDouble(script or plays(), path=place)
            with double if script else dead(place):
                place.chmod(0o666)
                line = FakeLine(socket=place, token=KEY)
                with self.at(line, agent, files=files, limits=limits) as bench:
                    yield bench, double

    @contextmanager
    def metered(
        self, agent: Agent, script: Script, budget: Budget, replay: bytes | None = None
    ) -> Iterator[tuple[Workbench, ProviderDouble]]:
        """A bench whose model is behind the gateway."""
        with ProviderDouble(script) as double:
            keys = Secrets(dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY"), KEY))
            urls = dict.fromkeys(("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"), double.url)
            targets = Targets(keys, None, urls)
            assert agent.needs.model
            access = Access("a-run", agent.needs.model, budget, replay=replay)
            with (
                ModelGateway(targets, Prices({}), lambda: NOW, this_process()) as gateway,
                gateway.open(access) as line,
                self.at(line, agent) as bench,
            ):
                yield bench, double

    @contextmanager
    def at(
        self,
        line: Line,
        agent: Agent,
        *,
        files: Mapping[str, str] | None = None,
        limits: Limits = LIMITS,
    ) -> Iterator[Workbench]:
        """A bench in a sandbox that is opened as a run opens it."""
        sandboxes = DockerSandboxes(self.client)
        settings = Settings(self.root)
        bundle = os.environ.get("SSL_CERT_FILE")
        trust = Path(bundle) if bundle else None
        volumes = Volumes(self.client, sandboxes, this_process())
        programs = NpmPrograms(volumes, settings.state, Registry(ca_bundle=trust))
        workspaces = wiring.open_workspaces(settings, self.client, sandboxes)
        with tempfile.TemporaryDirectory(prefix="mintmark-test-") as folder:
            scenario = a_repository(Path(folder), files or {}, limits)
            image = DockerImages(self.client, settings.state, trust).prepare(scenario, print)
            mounts = [programs.mount(program, image, print) for program in agent.needs.programs]
            with workspaces.open(scenario, image) as workspace:
                mounts += [workspace.mount, Mount(str(line.socket), SOCKET)]
                with sandboxes.open(a_spec(image, limits, tuple(mounts))) as box:
                    context = ToolContext(box, limits, Oracle())
                    yield Workbench(toolbox(), context, limits.wall_clock_s, line=line)


@contextmanager
def dead(place: Path) -> Iterator[None]:
    """A socket that nobody listens at any more."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
    yield


def a_repository(folder: Path, files: Mapping[str, str], limits: Limits) -> Scenario:
    made = a_scenario(folder, files={"a.txt": "a\n", **files})
    return replace(
        made,
        image=ImageSource(packages=("git", "python3")),
        digests=replace(made.digests, fixture=tree_digest(made.fixture)),
        limits=limits,
    )


def a_spec(image: PreparedImage, limits: Limits, mounts: tuple[Mount, ...]) -> BoxSpec:
    return BoxSpec(
        name=f"mintmark-test-{uuid4().hex[:12]}",
        image=image,
        purpose=Purpose.WORK,
        limits=limits,
        network=Network.NONE,
        mounts=mounts,
        labels={"mintmark": "test", "mintmark.owner": this_process()},
    )
