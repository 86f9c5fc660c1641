"""How a batch is worked on: so many runs at once, for so long, while there is so much room."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click
from rich.text import Text

from harness import upkeep, wiring
from harness.bounds import Bounds, Seldom
from harness.cli.console import clean, messages
from harness.crew import Executor, Here, fitting
from harness.domain.ids import BatchId
from harness.domain.spec import RunSpec
from harness.errors import EnvironmentFault, UsageError
from harness.gateway.budget import Purse
from harness.load.scenarios import load_project
from harness.load.units import seconds, size_bytes
from harness.settings import Settings
from harness.tools import Tools

if TYPE_CHECKING:
    from harness.executors.cluster import Cluster
    from harness.sandbox.engine import EngineReport

P = ParamSpec("P")
R = TypeVar("R")

MOST = 256
MOST_RETRIES = 20
AUTO = "auto"
LOCAL, RAY = "local", "ray"
MIN_FREE = "1GiB"
PROBE = "probe.txt", b"can be kept\n"
UNUSED = timedelta(days=1)
"""What nobody used for so long goes before a batch stops for want of room."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What was asked for; no number of jobs leaves it to the engine and the scenarios."""

    jobs: int | None = 1
    most_s: float | None = None
    min_free_bytes: int = 0
    retries: int = 0
    cluster: Cluster | None = None
    """On whose nodes runs are made; None makes them here."""

    def on_engine(self, settings: Settings, specs: Sequence[RunSpec]) -> tuple[int, Bounds]:
        """So many runs at once, and how far; the time begins now."""
        if self.cluster is not None:
            # the nodes look at their own disks
            bounds = Bounds(self.most_s, self.min_free_bytes, [settings.results])
            return self.jobs or min(MOST, self.cluster.jobs(specs)), bounds
        engine = wiring.describe_engine(settings)
        folders = [settings.results, *([Path(engine.root_dir)] if engine.local else [])]
        room = Seldom(partial(make_room, settings))
        return self.jobs_on(engine, specs), Bounds(
            self.most_s,
            self.min_free_bytes,
            folders,
            make_room=room,
            engine=wiring.engine_answers(settings),
        )

    def jobs_on(self, engine: EngineReport, specs: Sequence[RunSpec]) -> int:
        """So many runs at once."""
        return self.jobs or min(MOST, fitting(specs, engine.cpus, engine.memory_bytes))

    @contextmanager
    def executor(
        self,
        settings: Settings,
        specs: Sequence[RunSpec],
        batch: BatchId,
        tools: Tools,
        purse: Purse | None,
    ) -> Iterator[Executor]:
        """Where the runs of a planned batch are made; every node is looked at before.

        So is another place of the artefacts: what an agent did for money could be kept nowhere.
        """
        if self.cluster is None:
            if settings.artifacts:
                tools.artifacts.put(*PROBE)
            yield Here(batch, tools)
            return
        from harness.executors import ray  # noqa: PLC0415  # Ray is heavy

        kit = ray.kit_for(settings, specs, batch, tools, purse)
        kit = replace(kit, min_free_bytes=self.min_free_bytes)
        with ray.opened(self.cluster, kit, specs, tools, purse) as executor:
            yield executor


@contextmanager
def _reached(address: str | None) -> Iterator[Cluster]:
    """The cluster that was asked for; refused before anything is spent."""
    if not address:
        raise UsageError(
            "--executor ray: which cluster? Name it by --ray-address HOST:PORT or RAY_ADDRESS"
        )
    try:
        from harness.executors.cluster import connected  # noqa: PLC0415  # Ray is heavy
    except ModuleNotFoundError as error:
        raise UsageError("--executor ray needs Ray: pip install 'mintmark[ray]'") from error
    with connected(address) as cluster:
        yield cluster


STEADY = Pace()


def make_room(settings: Settings) -> None:
    """Remove what nobody needs, and say what it was; whatever goes wrong ends no batch."""
    try:
        project = load_project(settings.root, wiring.evaluator_kinds())
        cleaner = upkeep.open_cleaner(settings, project, quick=True)
        said = [*cleaner.sweep(datetime.now(UTC) - UNUSED).lines()]
    except (EnvironmentFault, UsageError, OSError) as error:
        said = [f"no more could be made: {error}"]
    messages().print(Text(clean("\n".join(["little room is left on the disk", *said]))))


def _jobs(_context: click.Context, _option: click.Parameter, value: str) -> int | None:
    if value == AUTO:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= MOST:
        raise click.BadParameter(f"{value!r} is neither a number from 1 to {MOST} nor {AUTO!r}")
    return int(value)


def _time(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else seconds(value)
    except (ValueError, KeyError) as error:
        raise click.BadParameter(f"{value!r} is no time: write 90m, 2h or 600s") from error


def _size(_context: click.Context, _option: click.Parameter, value: str) -> int:
    try:
        return size_bytes(value)
    except (ValueError, KeyError) as error:
        raise click.BadParameter(f"{value!r} is no size: write 5GB, 512MiB or 0") from error


_OPTIONS = (
    click.option(
        "--jobs", default="1", show_default=True, metavar="N|auto", callback=_jobs,
        help="So many runs at once; auto: as many as the engine's processors and memory hold.",
    ),
    click.option(
        "--max-batch-time", "most_s", metavar="TIME", callback=_time,
        help="No run begins after so long: 90m, 2h.",
    ),
    click.option(
        "--min-free-disk", "min_free_bytes", default=MIN_FREE, show_default=True, metavar="SIZE",
        callback=_size, help="No run begins with less room on a disk than this.",
    ),
    click.option(
        "--retries", type=click.IntRange(0, MOST_RETRIES), default=0, show_default=True,
        metavar="N", help="Make a run again that the world spoiled, when all others were made.",
    ),
    click.option(
        "--executor", type=click.Choice([LOCAL, RAY]), default=LOCAL, show_default=True,
        help="Where runs are made: on this machine, or on the nodes of a Ray cluster.",
    ),
    click.option(
        "--ray-address", metavar="HOST:PORT", envvar="RAY_ADDRESS", show_envvar=True,
        help="With --executor ray: the cluster.",
    ),
)  # fmt: skip
_NAMES = ("jobs", "most_s", "min_free_bytes", "retries")


def pace_options(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command those options; it receives them as one `pace`."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **given: P.kwargs) -> R:
        pace = Pace(**{name: given.pop(name) for name in _NAMES})  # type: ignore[arg-type]  # by name
        executor, address = given.pop("executor"), given.pop("ray_address")
        if executor == RAY:
            reached = _reached(str(address or ""))
            pace = replace(pace, cluster=click.get_current_context().with_resource(reached))
        return command(*args, pace=pace, **given)  # type: ignore[arg-type]  # one more than click gave

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
