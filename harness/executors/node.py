"""What happens on a node: it is looked at once, and then makes runs as any process would."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import ray
from ray.exceptions import RayError

from harness import roster, wiring
from harness.bounds import Bounds
from harness.domain.artifact import Artifact
from harness.domain.grading import graded
from harness.domain.ids import BatchId, RunId
from harness.domain.model import ModelRef
from harness.domain.record import RunRecord
from harness.domain.scenario import Scenario
from harness.domain.spec import RunSpec
from harness.errors import EnvironmentFault, Interrupted, StoreFault, UsageError
from harness.executors.build import Build, this_build
from harness.executors.desk import Allowed, FarPurse, Said
from harness.executors.parcel import Parcel, unpacked
from harness.gateway.budget import Purse
from harness.interrupts import INTERRUPTS
from harness.load.scenarios import load_scenario
from harness.log import configure
from harness.plan import prompt_of
from harness.run import attempt
from harness.settings import Settings
from harness.tools import Halt, Tools, Watch

BEAT_S = 0.5
WAKE = signal.SIGUSR1
"""Ends what the main thread waits for; Ray's own SIGINT is blocked there, and wakes nobody."""
CACHE = ".cache/mintmark"


class Spot(NamedTuple):
    """A folder, however it is called: of which machine, which disk and which place there."""

    boot: str
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class Kit:
    """What all runs of a batch have in common; no key and no password is in it."""

    name: str
    batch: BatchId
    created_at: datetime
    build: Build
    root: Path
    spot: Spot
    parcel: Parcel
    probe: Artifact
    """Kept where the command keeps its artefacts: a node must find it there."""
    models: tuple[ModelRef, ...] = ()
    allowed: Allowed | None = None
    """What all runs of it may use together, where that is limited."""
    replay: bytes | None = None
    min_free_bytes: int = 0
    opens: str = "harness.executors.node:open_place"


@dataclass(frozen=True, slots=True)
class Told:
    """How a task ended; the record of a run that was made is in the store."""

    host: str
    error: UsageError | EnvironmentFault | None = None
    """Of the run."""
    unfit: UsageError | EnvironmentFault | None = None
    """Of the node, which makes no runs of this batch."""
    interrupted: bool = False
    stopped: str | None = None
    """Why no further run can ask its model."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node's tools, and what its disks are told by."""

    tools: Tools
    folders: Sequence[Path] = ()


Opens = Callable[[Settings, Watch, Mapping[BatchId, Purse], bytes | None], Place]


@dataclass(slots=True)
class FarWatch:
    """Keeps what is to be shown until the next beat."""

    _said: list[Said] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def began(self, run: RunId, spec: RunSpec) -> None:
        """The command knows."""

    def stage(self, run: RunId, name: str) -> None:
        """A stage begins."""
        with self._lock:
            self._said.append(Said(run, name))

    def tell(self, run: RunId, text: str) -> None:
        """A word."""
        with self._lock:
            self._said.append(Said(run, None, text))

    def planned(self, batch: BatchId, runs: int, jobs: int) -> None:
        """The command knows."""

    def halts(self, halt: Halt, why: str) -> None:
        """The command knows."""

    def refused(self, run: RunId, why: str) -> None:
        """The command will know."""

    def ended(self, record: RunRecord) -> None:
        """The command will know."""

    def taken(self) -> list[Said]:
        """What was not passed on yet."""
        with self._lock:
            said, self._said = self._said, []
        return said


@dataclass(frozen=True, slots=True)
class Shop:
    """A process of a node, open for the runs of one batch."""

    settings: Settings
    tools: Tools
    bounds: Bounds
    watch: FarWatch
    scenarios: dict[tuple[str, str], Scenario] = field(default_factory=dict)

    def at_hand(self, spec: RunSpec) -> RunSpec:
        """The same run, of the files that are here; raises UsageError where they differ."""
        of = spec.scenario
        if (of.suite, of.id) not in self.scenarios:
            loaded = load_scenario(
                self.settings.root, of.suite, of.id, kinds=wiring.evaluator_kinds()
            )
            self.scenarios[of.suite, of.id] = loaded
        scenario = self.scenarios[of.suite, of.id]
        tier = spec.prompt.tier
        if tier not in scenario.tiers:
            raise UsageError(f"{of.key} has no prompt for {tier} below {self.settings.root}")
        mine = roster.identify(
            replace(
                spec,
                scenario=graded(scenario, tier, spec.grading),
                prompt=prompt_of(scenario, tier),
            )
        )
        if mine.digest != spec.digest:
            raise UsageError(
                f"{of.key} {tier} is not on {socket.gethostname()} what it was when the batch was"
                f" planned: its files below {self.settings.root} have changed"
            )
        return mine


_OPEN: dict[str, Shop] = {}
"""Of this process: Ray gives it one run after another."""


def spot_of(folder: Path) -> Spot | None:
    """Where a folder really is; None where there is none."""
    try:
        found = folder.stat()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return Spot(boot, found.st_dev, found.st_ino)


def visit(kit: Kit, desk: Any) -> Told:  # noqa: ANN401  # an actor has no type
    """Whether this node can make the runs of a batch."""
    host = socket.gethostname()
    try:
        _shop(kit, desk)
    except (UsageError, EnvironmentFault) as error:
        return Told(host, unfit=error)
    return Told(host)


def attempt_here(kit: Kit, spec: RunSpec, run: RunId, desk: Any) -> Told:  # noqa: ANN401  # as above
    """One run, under the name that the command gave it."""
    host = socket.gethostname()
    INTERRUPTS.forget()
    before = {name: signal.signal(name, _arrived) for name in (signal.SIGINT, WAKE)}
    try:
        try:
            shop = _shop(kit, desk)
        except (UsageError, EnvironmentFault) as error:
            return Told(host, unfit=error)
        if why := shop.bounds.reached():
            return Told(host, unfit=EnvironmentFault(why))
        with _beating(shop.watch, desk):
            attempt(shop.at_hand(spec), kit.batch, shop.tools, run)
        return Told(host, stopped=shop.tools.models.stopped(kit.batch))
    except (UsageError, EnvironmentFault) as error:
        return Told(host, error=error)
    except Interrupted:
        return Told(host, interrupted=True)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _arrived(_number: int, _frame: FrameType | None) -> None:
    INTERRUPTS.arrived()


def open_place(
    settings: Settings, watch: Watch, purses: Mapping[BatchId, Purse], replay: bytes | None
) -> Place:
    """The real one, after a sweep of what killed processes left on this machine."""
    reaper = wiring.open_reaper(settings)
    for leftover in reaper.find():
        reaper.remove(leftover)
    engine = wiring.describe_engine(settings)
    folders = [settings.results, *([Path(engine.root_dir)] if engine.local else [])]
    return Place(wiring.open_tools(settings, watch, purses, replay), folders)


def _shop(kit: Kit, desk: Any) -> Shop:  # noqa: ANN401  # as above
    if kit.name not in _OPEN:
        _OPEN[kit.name] = _opened(kit, desk)
    return _OPEN[kit.name]


def _opened(kit: Kit, desk: Any) -> Shop:  # noqa: ANN401  # as above
    if why := kit.build.differs(this_build()):
        raise UsageError(f"it has {why}: install the same on every node")
    # a process of a node is a command of its own: its environment says what is particular to it
    settings = _settings(kit, os.environ)
    configure(verbose=settings.verbose)
    watch = FarWatch()
    purses = {kit.batch: FarPurse(kit.allowed, desk)} if kit.allowed else {}
    opens: Opens = roster.load_attribute(kit.opens)
    place = opens(settings, watch, purses, kit.replay)
    _look(kit, settings, place.tools)
    return Shop(settings, place.tools, Bounds(None, kit.min_free_bytes, place.folders), watch)


def _settings(kit: Kit, env: Mapping[str, str]) -> Settings:
    if spot_of(kit.root) == kit.spot:
        return Settings.from_env(env, root=kit.root)
    own = Path(env.get("BENCH_ROOT") or Path.home() / CACHE)
    settings = Settings.from_env(env, root=unpacked(kit.parcel, own / "projects"))
    if "://" not in (settings.store or ""):
        raise UsageError(
            "it is another machine, and a store in a file cannot be shared: set"
            " BENCH_STORE=postgresql://… where 'ray start' is called, on every node"
        )
    return replace(settings, elsewhere=own / "results")


def _look(kit: Kit, settings: Settings, tools: Tools) -> None:
    """Raise UsageError where results would go elsewhere, or a model has no key."""
    same = "set {0} where 'ray start' is called on the node to what the command has"
    try:
        known = tools.store.batch(kit.batch).created_at
    except UsageError:
        known = None
    if known != kit.created_at:
        raise UsageError(f"its store does not have batch {kit.batch}: {same.format('BENCH_STORE')}")
    try:
        tools.artifacts.get(kit.probe)
    except StoreFault as error:
        raise UsageError(
            f"its artefacts are not those of the batch ({error}): {same.format('BENCH_ARTIFACTS')}"
        ) from error
    if kit.replay is None and kit.models:
        targets = wiring.open_targets(settings)
        for model in kit.models:
            targets.find(model)


@contextmanager
def _beating(watch: FarWatch, desk: Any) -> Iterator[None]:  # noqa: ANN401  # as above
    """Pass on what is to be shown, and hear when this run is to end."""
    over, main = threading.Event(), threading.main_thread().ident

    def beat() -> None:
        told = False
        while not over.wait(BEAT_S):
            try:
                is_end = ray.get(desk.beat.remote(watch.taken()))
            except RayError:
                # the command is gone, and Ray ends this process with it
                return
            if is_end and not told and main is not None:
                told = True
                # a signal, as at a terminal: it ends what the main thread waits for
                signal.pthread_kill(main, WAKE)

    thread = threading.Thread(target=beat, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        desk.beat.remote(watch.taken())
