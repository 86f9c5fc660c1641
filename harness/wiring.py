"""Settings → Tools: the only module that names implementations, imported when they are needed."""
# ruff: noqa: PLC0415  # on-demand imports are what this module is for

from __future__ import annotations

import importlib
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError, nearest

if TYPE_CHECKING:
    from docker import DockerClient

    from harness.agents.base import Agent
    from harness.domain.spec import RunSpec, Specialist
    from harness.evaluate import Evaluator
    from harness.ledger import Ledger
    from harness.sandbox.base import Workspaces
    from harness.sandbox.docker import DockerSandboxes
    from harness.sandbox.engine import EngineReport
    from harness.sandbox.reaper import Reaper
    from harness.settings import Settings
    from harness.store.base import Artifacts, Store
    from harness.tools import Tools, Watch

EVALUATORS: Mapping[str, str] = {
    "install": "evaluators.command:CommandEvaluator",
    "build": "evaluators.command:CommandEvaluator",
    "lint": "evaluators.command:CommandEvaluator",
    "typecheck": "evaluators.command:CommandEvaluator",
    "test": "evaluators.suite:SuiteEvaluator",
    "oracle": "evaluators.oracle:OracleEvaluator",
}

WORKSPACES = ("mount", "volume", "remote")


def _echo(spec: RunSpec) -> Agent:
    from harness.agents.echo import Echo

    del spec
    return Echo()


def _oracle(spec: RunSpec) -> Agent:
    from harness.agents.oracle import PATCH, OracleAgent
    from harness.load.overlays import read_overlay

    wrong = spec.scenario.folder / "wrong"
    known = sorted(p.name for p in wrong.glob("*") if p.is_dir())
    name = spec.agent.argument
    if name is not None and name not in known:
        raise UsageError(
            f"{spec.scenario.key} has no wrong solution {name!r}; {nearest(name, known)}"
        )
    folder = wrong / name if name else spec.scenario.solution
    if folder is None:
        raise UsageError(f"{spec.scenario.key} has no solution/ for the oracle agent to apply")
    patch = folder / PATCH
    text = patch.read_text(encoding="utf-8") if patch.is_file() else None
    return OracleAgent(read_overlay(folder), text)


def _scripted(spec: RunSpec) -> Agent:
    from harness.agents.scripted import Scripted
    from harness.load.scripts import find_script

    return Scripted(find_script(spec.scenario, spec.agent.argument))


AGENTS: Mapping[str, Callable[[RunSpec], Agent]] = {
    "echo": _echo,
    "oracle": _oracle,
    "scripted": _scripted,
}


def plugins(group: str) -> Mapping[str, str]:
    """What other packages add: name → `module:attribute`."""
    return {point.name: point.value for point in entry_points(group=f"mintmark.{group}")}


def agent_names() -> tuple[str, ...]:
    """Every agent that can be asked for."""
    return (*AGENTS, *plugins("agents"))


def evaluator_kinds() -> tuple[str, ...]:
    """Every kind of check that can be configured."""
    return (*EVALUATORS, *plugins("evaluators"))


def make_agent(spec: RunSpec) -> Agent:
    """The agent of a spec."""
    factory = AGENTS.get(spec.agent.name)
    if factory is None:
        factory = _load(plugins("agents")[spec.agent.name])
    return factory(spec)


def identify(spec: RunSpec) -> RunSpec:
    """The spec with its agent checked, and with the digest of what the agent plays from."""
    if spec.agent.name not in agent_names():
        raise UsageError(f"no agent {spec.agent.name!r}; {nearest(spec.agent.name, agent_names())}")
    if make_agent(spec).simulated and spec.agent.model:
        raise UsageError(
            f"agent {spec.agent.name!r} takes no model; leave {spec.agent.model!r} out"
        )
    if spec.agent.name != "scripted":
        return spec
    from harness.load.scripts import find_script

    script = find_script(spec.scenario, spec.agent.argument)
    return replace(spec, agent=replace(spec.agent, digest=script.digest))


def make_evaluators() -> Mapping[str, Evaluator]:
    """One evaluator per kind."""
    return {kind: _load(path)() for kind, path in {**plugins("evaluators"), **EVALUATORS}.items()}


def find_specialist(settings: Settings, ref: str, model: str | None) -> Specialist:
    """A specialist by name or path, composed for the model that will run."""
    from harness.load.templates import find_template
    from harness.specialists.compose import compose

    return compose(find_template(settings.root, ref), model)


def open_store(settings: Settings) -> Store:
    """The project's store."""
    from harness.store.sqlite import SqliteStore

    return SqliteStore.open(settings.results / "bench.db")


def open_artifacts(settings: Settings) -> Artifacts:
    """The project's artefacts."""
    from harness.store.artifacts import FileArtifacts

    return FileArtifacts(settings.results)


def open_ledger(settings: Settings) -> Ledger:
    """The project's ledger of final trees."""
    if shutil.which("git") is None:
        raise UsageError("there is no git on PATH, which keeps the runs' files; install git")
    from harness.ledger import Ledger

    return Ledger.open(settings.results / "ledger.git")


def open_engine(settings: Settings) -> DockerClient:
    """The Docker engine."""
    from harness.sandbox.engine import connect

    return connect(settings.docker_host)


def open_workspaces(
    settings: Settings, client: DockerClient, sandboxes: DockerSandboxes
) -> Workspaces:
    """The workspace back end that was asked for, else the one that fits."""
    from harness.sandbox.engine import describe
    from harness.sandbox.owner import this_process
    from harness.sandbox.volumes import Volumes
    from harness.workspace import CopyWorkspaces, OverlayWorkspaces, VolumeWorkspaces

    is_root = os.geteuid() == 0
    kind = settings.workspaces or fitting_workspaces(describe(client), is_root=is_root)
    volumes = Volumes(client, sandboxes, this_process())
    match kind:
        case "mount" if is_root:
            return OverlayWorkspaces(settings.state)
        case "mount":
            raise UsageError("BENCH_WORKSPACES=mount needs root; 'volume' does not")
        case "volume":
            return VolumeWorkspaces(volumes, settings.state)
        case "remote":
            return CopyWorkspaces(volumes, settings.state)
        case _:
            hint = nearest(kind, WORKSPACES)
            raise UsageError(f"no workspaces of the kind {kind!r} (BENCH_WORKSPACES); {hint}")


def fitting_workspaces(engine: EngineReport, *, is_root: bool) -> str:
    """Mounts where this process may mount for the engine, volumes where it may not."""
    if "userns" in engine.security:
        # nobody in its containers would own a workspace, and every agent would score nothing
        raise UsageError("this engine remaps users (userns-remap); point DOCKER_HOST at another")
    if not engine.local or engine.rootless:
        return "remote"
    return "mount" if is_root else "volume"


def open_tools(settings: Settings, watch: Watch) -> Tools:
    """Everything that runs need, on the real engine."""
    from harness.sandbox.docker import DockerSandboxes
    from harness.sandbox.images import DockerImages
    from harness.sandbox.owner import this_process
    from harness.tools import Tools

    client = open_engine(settings)
    sandboxes = DockerSandboxes(client)
    return Tools(
        images=DockerImages(
            client, settings.state, ca_bundle=settings.ca_bundle, proxies=settings.proxies
        ),
        sandboxes=sandboxes,
        workspaces=open_workspaces(settings, client, sandboxes),
        ledger=open_ledger(settings),
        store=open_store(settings),
        artifacts=open_artifacts(settings),
        agent=make_agent,
        evaluators=make_evaluators(),
        watch=watch,
        now=lambda: datetime.now(UTC),
        random=lambda: secrets.token_hex(4),
        owner=this_process(),
    )


def open_reaper(settings: Settings) -> Reaper:
    """What removes the leftovers of killed commands."""
    from harness.sandbox.reaper import Reaper

    return Reaper(open_engine(settings), settings.state)


def _load(path: str) -> Any:  # noqa: ANN401  # a class or a function, called at once
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)
