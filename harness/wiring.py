"""Settings → Tools: the only module that names implementations, imported when they are needed."""
# ruff: noqa: PLC0415  # on-demand imports are what this module is for

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness import __version__
from harness.errors import SandboxFault, UsageError, nearest
from harness.roster import load_attribute, make_agent, open_chat, plugins

if TYPE_CHECKING:
    from docker import DockerClient

    from harness.domain.application import Application, Choice, Wearing
    from harness.domain.ids import BatchId
    from harness.domain.record import Maker, SpecialistRef
    from harness.domain.template import Template
    from harness.evaluate import Evaluator
    from harness.gateway.base import Gateway
    from harness.gateway.budget import Purse
    from harness.gateway.prices import Prices
    from harness.gateway.targets import Targets
    from harness.ledger import Ledger
    from harness.sandbox.base import Workspaces
    from harness.sandbox.docker import DockerSandboxes
    from harness.sandbox.engine import EngineReport
    from harness.sandbox.reaper import Reaper
    from harness.settings import Settings
    from harness.specialists.outfit import Outfit
    from harness.store.base import Artifacts, Store
    from harness.tools import Tools, Watch

EVALUATORS: Mapping[str, str] = {
    "install": "evaluators.command:CommandEvaluator",
    "build": "evaluators.command:CommandEvaluator",
    "lint": "evaluators.analysis:AnalysisEvaluator",
    "typecheck": "evaluators.analysis:AnalysisEvaluator",
    "test": "evaluators.suite:SuiteEvaluator",
    "oracle": "evaluators.oracle:OracleEvaluator",
    "heuristic_checks": "evaluators.heuristics:HeuristicsEvaluator",
    "llm_judge": "evaluators.llm_judge:JudgeEvaluator",
    "script": "evaluators.script:ScriptEvaluator",
    "integrity": "evaluators.integrity:IntegrityEvaluator",
    "scope": "evaluators.scope:ScopeEvaluator",
    "diff_size": "evaluators.diff_size:DiffSizeEvaluator",
    "secrets": "evaluators.leaks:SecretsEvaluator",
    "complexity": "evaluators.complexity:ComplexityEvaluator",
    "security": "evaluators.security:SecurityEvaluator",
    "coverage": "evaluators.coverage:CoverageEvaluator",
    "performance": "evaluators.performance:PerformanceEvaluator",
    "manager_correctness": "evaluators.manager:ManagerEvaluator",
    "used_manager_commands": "evaluators.manager_commands:ManagerCommandsEvaluator",
    "semantic_upgrade_quality": "evaluators.upgrades:UpgradesEvaluator",
    "companion_alignment": "evaluators.companions:CompanionsEvaluator",
    "deprecated_handling": "evaluators.deprecated:DeprecatedEvaluator",
    "namespace_migrations": "evaluators.namespaces:NamespacesEvaluator",
    "breaking_changes_strategy": "evaluators.breaking:BreakingEvaluator",
    "monorepo_handling": "evaluators.monorepo:MonorepoEvaluator",
    "user_questions_quality": "evaluators.questions:QuestionsEvaluator",
    "efficiency": "evaluators.efficiency:EfficiencyEvaluator",
}

WORKSPACES = ("mount", "volume", "remote")


def evaluator_kinds() -> tuple[str, ...]:
    """Every kind of check that can be configured."""
    return (*EVALUATORS, *plugins("evaluators"))


class Evaluators(Mapping[str, "Evaluator"]):
    """One evaluator per kind, made when it is first asked for."""

    def __init__(self) -> None:
        self._paths = {**plugins("evaluators"), **EVALUATORS}
        self._made: dict[str, Evaluator] = {}

    def __getitem__(self, kind: str) -> Evaluator:
        if kind not in self._made:
            from evaluators.plugin import make_evaluator

            self._made[kind] = make_evaluator(kind, self._paths[kind], load_attribute)
        return self._made[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def find_specialist(
    settings: Settings,
    ref: str,
    wearing: Wearing | None = None,
    purses: Mapping[BatchId, Purse] | None = None,
) -> Outfit:
    """A specialist by name or path, to be composed for each prompt and the model that will run."""
    from harness.domain.application import Wearing
    from harness.load.templates import find_template

    wearing = wearing or Wearing()
    template = find_template(settings.root, ref, enriched=wearing.enriched)
    return _outfit(template, wearing, chooser_of(settings, wearing, purses or {}))


def planned_specialist(
    settings: Settings, path: str, wearing: Wearing, purses: Mapping[BatchId, Purse]
) -> Outfit:
    """The specialist that a run was planned with: that file, whatever was enriched since."""
    from harness.load.templates import TEMPLATES, load_template

    library = settings.root / TEMPLATES
    template = load_template(
        settings.root / path, library if library.is_dir() else None, enriched=wearing.enriched
    )
    return _outfit(template, wearing, chooser_of(settings, wearing, purses))


def exact_specialist(settings: Settings, ref: SpecialistRef, was: Application | None) -> Outfit:
    """The specialist of a run, from the very file that it wore and with what was chosen then.

    Raises UsageError where there is no such file any more.
    """
    from harness.domain.application import Wearing
    from harness.load.templates import find_exact

    template = find_exact(settings.root, ref.name, ref.version, ref.digest)
    if template is None:
        raise UsageError(
            f"no template below {settings.root / 'templates'} is {ref.name}@{ref.version} as it"
            f" was ({ref.digest[:16]}…)"
        )
    choice = was.choice if was else None
    choose = (lambda _template, _text: choice) if choice else None
    return _outfit(template, was.wearing if was else Wearing(), choose)


def _outfit(
    template: Template, wearing: Wearing, choose: Callable[[Template, str], Choice] | None
) -> Outfit:
    from harness.roster import model_label
    from harness.specialists.outfit import Outfit

    return Outfit(template, wearing, model_label, choose)


def chooser_of(
    settings: Settings, wearing: Wearing, purses: Mapping[BatchId, Purse]
) -> Callable[[Template, str], Choice] | None:
    """Who chooses of a template, where a model is to; a gateway is opened only to ask it.

    It draws on the purse of the batch, where the batch has one.
    """
    model = wearing.chooser
    if model is None:
        return None
    from harness.specialists.choosing import Chooser
    from harness.tools import Panel

    def choose(template: Template, text: str) -> Choice:
        with closing(open_gateway(settings, purses)) as gateway:
            seats = Panel(gateway, open_chat, "compose", (model,), next(iter(purses), None))
            return Chooser(model, seats, settings.state / "choices")(template, text)

    return choose


def utc_now() -> datetime:
    """What the clock says."""
    return datetime.now(UTC)


def open_store(settings: Settings) -> Store:
    """The project's store, or the file or database that was named instead."""
    named = settings.store or str(settings.results / "bench.db")
    scheme, is_url, _ = named.partition("://")
    if is_url:
        from harness.store.postgres import FORM, SCHEMES, PostgresStore

        if scheme not in SCHEMES:
            raise UsageError(f"no store of the kind {scheme!r}; name a file, or {FORM}")
        return PostgresStore.open(named)
    from harness.store.sqlite import SqliteStore

    return SqliteStore.open(Path(named).absolute())


def open_artifacts(settings: Settings) -> Artifacts:
    """The project's artefacts, or those of the folder or URL that was named instead."""
    named = settings.artifacts or str(settings.results)
    if "://" in named:
        from harness.store.remote import RemoteArtifacts

        return RemoteArtifacts.open(named)
    from harness.store.artifacts import FileArtifacts

    return FileArtifacts(Path(named).absolute())


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


def engine_answers(settings: Settings) -> Callable[[], str | None]:
    """What says, each time it is asked, why the engine does not answer; None when it does."""
    from harness.sandbox.engine import engine_faults

    client = open_engine(settings)

    def ask() -> str | None:
        try:
            with engine_faults("answer"):
                client.ping()
        except SandboxFault as fault:
            return str(fault)
        return None

    return ask


def describe_engine(settings: Settings) -> EngineReport:
    """The Docker engine's processors, memory and place on the disk."""
    from harness.sandbox.engine import describe

    return describe(open_engine(settings))


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


def open_targets(settings: Settings) -> Targets:
    """Every provider, with the keys of the environment and of the keys file."""
    from harness.gateway.targets import Targets
    from harness.load.keys import read_keys
    from harness.settings import KEYS, Secrets

    in_file = read_keys(settings.keys_file)
    found = {name: settings.keys.get(name) or in_file.get(name) for name in KEYS}
    keys = Secrets({name: value for name, value in found.items() if value})
    used = frozenset(name for name in in_file if not settings.keys.get(name))
    return Targets(keys, settings.keys_file, settings.urls, used)


def open_prices(settings: Settings) -> Prices:
    """The price library's table, and the project's own prices before it."""
    from harness.gateway.prices import Prices
    from harness.load.prices import FILE, load_prices

    path = settings.root / FILE
    return Prices(load_prices(path) if path.exists() else {})


def maker_of(settings: Settings) -> Maker:
    """This harness and the tables that it takes prices from, as runs record it."""
    from importlib.metadata import version

    from harness.domain.digests import bytes_digest
    from harness.domain.record import Maker, PriceTables
    from harness.load.prices import FILE

    own = settings.root / FILE
    digest = bytes_digest(own.read_bytes()) if own.is_file() else None
    return Maker(__version__, PriceTables(f"genai-prices {version('genai-prices')}", digest))


def open_gateway(settings: Settings, purses: Mapping[BatchId, Purse]) -> Gateway:
    """The gateway in front of every model."""
    from harness.gateway.server import ModelGateway
    from harness.sandbox.owner import this_process

    return ModelGateway(
        open_targets(settings),
        open_prices(settings),
        utc_now,
        this_process(),
        purses,
    )


def open_tools(
    settings: Settings,
    watch: Watch,
    purses: Mapping[BatchId, Purse] | None = None,
    replay: bytes | None = None,
) -> Tools:
    """Everything that runs need, on the real engine; to be closed."""
    from harness.sandbox.docker import DockerSandboxes
    from harness.sandbox.images import DockerImages
    from harness.sandbox.npm import REGISTRY, Registry
    from harness.sandbox.owner import this_process
    from harness.sandbox.programs import NpmPrograms
    from harness.sandbox.volumes import Volumes
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
        evaluators=Evaluators(),
        models=open_gateway(settings, purses or {}),
        chat=open_chat,
        programs=NpmPrograms(
            Volumes(client, sandboxes, this_process()),
            settings.state,
            Registry(settings.npm_registry or REGISTRY, settings.ca_bundle, settings.proxies),
        ),
        watch=watch,
        now=utc_now,
        random=lambda: secrets.token_hex(4),
        owner=this_process(),
        replay=replay,
        maker=maker_of(settings),
    )


def open_reaper(settings: Settings) -> Reaper:
    """What removes the leftovers of killed commands."""
    from harness.gateway.sockets import sockets_folder
    from harness.sandbox.reaper import Reaper

    return Reaper(open_engine(settings), settings.state, sockets_folder())
