"""`make bench`: what Mintmark costs, measured beside what it is compared with, A B A B…

Nothing here asserts a time: it prints, and docs/performance.md keeps what was printed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import crops
import crowds
import curve
import figures
import latency
import page
import sizes
import subjects
import throngs
from figures import Crowd, Curve, Figure, Growth, Machine, Results, Throng
from subjects import FEW, MANY, TWICE, Bare, OneRun, Tick

from harness import wiring
from harness.cli.entry import INTERRUPTED, PASSED, USAGE, WORLD, settings_for
from harness.cli.live import LiveWatch
from harness.domain.digests import tree_digest
from harness.domain.ids import OWNER_LABEL
from harness.domain.spec import RunSpec
from harness.errors import EnvironmentFault, UsageError
from harness.sandbox import engine
from harness.sandbox.overlay import remove_workspace
from harness.sandbox.owner import this_process
from harness.sandbox.volumes import FIXTURE_LABEL
from harness.settings import Settings
from harness.tools import Tools

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
GROWTH_PICTURE, SIZES_PICTURE = PAGE.with_name("growth.svg"), PAGE.with_name("sizes.svg")
GIB = 1024**3
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STAGES = {
    "prepare": "prepare: look up image and control, mount the first workspace",
    "work": "work: start and remove the agent's sandbox",
    "capture": "capture: read the changes, keep the tree, unmount; mount the second workspace",
    "rebuild": "rebuild: start the grading sandbox, lay the changes over it",
    "validate": "validate: around the scenario's commands",
    "evaluate": "evaluate: around the checks' commands; remove the sandbox, unmount",
}


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often each pair is taken."""

    starts: int
    runs: int
    commands: int
    openings: int
    stores: int
    calls: int
    requests: int
    turns: int
    """Of each of the tool loops that run at once."""
    replays: int
    growths: int
    """Of stores of up to 100,000 runs, and of batches of 1,000 cells."""
    sizes: int
    """Of whole runs over larger repositories, changes and sessions."""
    throngs: int
    """Of many runs at once."""


FULL = Rounds(
    starts=30, runs=15, commands=8, openings=40, stores=8, calls=40,
    requests=200, turns=13, replays=5, growths=7, sizes=3, throngs=1,
)  # fmt: skip
QUICK = Rounds(
    starts=5, runs=3, commands=2, openings=10, stores=2, calls=10,
    requests=40, turns=4, replays=2, growths=1, sizes=1, throngs=1,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was measured."""

    figures: tuple[Figure, ...]
    stages: tuple[Figure, ...]
    requests: tuple[Figure, ...]
    crowd: Crowd
    throngs: tuple[Throng, ...]
    without_peer: str
    curves: tuple[Curve, ...]
    growth: Growth


def main() -> int:
    options = _options()
    for name in SIGNALS:
        signal.signal(name, _unwind)
    try:
        with tempfile.TemporaryDirectory(prefix="mintmark-bench-") as folder:
            rounds = QUICK if options.quick else FULL
            if options.growth:
                return _tell(options, None, _growth(Path(folder), rounds))
            results = _measure(Path(folder), rounds)
    except KeyboardInterrupt:
        _say("interrupted; nothing is left behind but the image, for the next time")
        return INTERRUPTED
    except UsageError as error:
        _say(f"error: {error}")
        return USAGE
    except EnvironmentFault as error:
        _say(f"error: {error}")
        return WORLD
    return _tell(options, results, results.growth)


def _tell(options: argparse.Namespace, results: Results | None, growth: Growth) -> int:
    """Print what was measured, and write it where asked to."""
    section = page.page_section(results) if results else ""
    grown = page.growth_section(growth)
    if options.json:
        known = results and figures.document(results)
        sys.stdout.write(f"{known or json.dumps(figures.growth_document(growth), indent=2)}\n")
    else:
        sys.stdout.write(f"{section}\n\n{grown}\n" if section else f"{grown}\n")
    if options.write:
        text = page.replaced(PAGE.read_text(encoding="utf-8"), grown, page.GROWTH)
        PAGE.write_text(page.replaced(text, section) if section else text, encoding="utf-8")
        picture = curve.drawn(curve.of_growth(growth), "processor time by stored runs and cells")
        GROWTH_PICTURE.write_text(picture, encoding="utf-8")
        if results:
            picture = curve.drawn(curve.of_curves(results.curves), "time of a run by its size")
            SIZES_PICTURE.write_text(picture, encoding="utf-8")
        _say("wrote the figures into docs/performance.md, and the pictures beside it")
    return PASSED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="measure.py", description="Measure what Mintmark costs; needs the engine."
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument(
        "--growth", action="store_true", help="only stores and batches of many runs: no engine"
    )
    parser.add_argument("--json", action="store_true", help="a document with every single timing")
    parser.add_argument("--write", action="store_true", help="put the tables into the page")
    return parser.parse_args()


def _unwind(_number: int, _frame: FrameType | None) -> None:
    """The first signal unwinds through every `with`; later ones must not disturb that."""
    for name in SIGNALS:
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


def _measure(folder: Path, rounds: Rounds) -> Results:
    if shutil.which("docker") is None:
        raise UsageError("the `docker` command is what is compared with; install it")
    began, load = time.monotonic(), os.getloadavg()[0]
    settings = settings_for(folder)
    try:
        found = _figures(settings, rounds)
    finally:
        _say("cleaning up")
        _sweep(settings)
    report = engine.report(wiring.open_engine(settings))
    is_root = os.geteuid() == 0
    machine = Machine(
        cores=os.cpu_count() or 0,
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB,
        kernel=platform.release().partition("-")[0],
        python=platform.python_version(),
        engine=report.version,
        storage_driver=report.storage_driver,
        workspaces=settings.workspaces or wiring.fitting_workspaces(report, is_root=is_root),
        load_before=load,
        load_after=os.getloadavg()[0],
    )
    minutes = (time.monotonic() - began) / 60
    return Results(
        datetime.now(UTC).date().isoformat(),
        minutes,
        machine,
        found.figures,
        found.stages,
        found.requests,
        found.crowd,
        found.throngs,
        found.without_peer,
        found.curves,
        found.growth,
    )


def _figures(settings: Settings, rounds: Rounds) -> Found:
    start = subjects.time_help(settings.root, rounds.starts, _ticker("starts"))
    _say(f"making a project of {FEW} files and one of {MANY:,}")
    few = subjects.make_scenario(settings, "few-files", FEW)
    many = subjects.make_scenario(settings, "many-files", MANY)
    tools = wiring.open_tools(settings, LiveWatch(0, quiet=True))
    image = tools.images.prepare(few.scenario, _say)
    bare = Bare(tools.owner, image)
    first = (subjects.one_run(few, tools), subjects.one_run(many, tools))
    small, twice, large = _runs(tools, bare, (few, many), rounds.runs)
    once = Figure(
        f"the first run over {MANY:,} files, once per fixture",
        (first[1].wall_s,),
        f"over {FEW} files",
        (first[0].wall_s,),
    )
    measured = (
        start,
        *_run_figures(small, twice, large),
        once,
        subjects.time_command(settings, few, bare, rounds.commands, _ticker("commands")),
        subjects.time_opening(tools, image, (few, many), rounds.openings, _ticker("workspaces")),
        subjects.time_store(settings.root, small[-1].record, rounds.stores, _ticker("stores")),
        subjects.time_call(tools, few, bare, rounds.calls, _ticker("tool calls")),
    )
    requests = latency.time_gateway(settings, rounds.requests, _ticker("request sizes"))
    crowd, replay = crowds.time_crowd(
        tools, settings, few, rounds.turns, rounds.replays, _ticker("seats")
    )
    curves = sizes.time_sizes(
        settings, tools, {FEW: few, MANY: many}, rounds.sizes, _ticker("sizes")
    )
    _say("looking whether Inspect AI can be measured beside")
    without_peer = throngs.peer_missing()
    many_at_once = throngs.time_throngs(
        settings, bare, rounds.throngs, _ticker("many at once"), without_peer
    )
    growth = _growth(settings.root, rounds)
    return Found(
        (*measured, replay),
        _stage_figures(small),
        requests,
        crowd,
        many_at_once,
        without_peer,
        curves,
        growth,
    )


def _growth(folder: Path, rounds: Rounds) -> Growth:
    """What needs no engine."""
    _say(f"filling stores of up to {crops.SIZES[-1]:,} runs")
    stores, grown = crops.grow_stores(folder, rounds.growths, _ticker("stores of many runs"))
    cells, batches = crops.time_cells(folder, rounds.growths, _ticker("batches of many cells"))
    cores, load = os.cpu_count() or 0, os.getloadavg()[0]
    today = datetime.now(UTC).date().isoformat()
    return Growth(today, cores, load, stores, grown, cells, batches)


def _runs(
    tools: Tools, bare: Bare, specs: tuple[RunSpec, RunSpec], rounds: int
) -> tuple[list[OneRun], list[float], list[OneRun]]:
    """Runs over few files, pairs of bare containers, runs over many files: A B C A B C…"""
    small: list[OneRun] = []
    twice: list[float] = []
    large: list[OneRun] = []
    tick = _ticker("runs")
    bare.run_true_twice()
    for number in range(rounds):
        small.append(subjects.one_run(specs[0], tools))
        twice.append(subjects.timed(bare.run_true_twice))
        large.append(subjects.one_run(specs[1], tools))
        tick(number + 1, rounds)
    return small, twice, large


def _run_figures(
    small: list[OneRun], twice: list[float], large: list[OneRun]
) -> tuple[Figure, ...]:
    overhead = tuple(run.overhead_s for run in small)
    whole = tuple(run.wall_s for run in small)
    large_whole = tuple(run.wall_s for run in large)
    bare = tuple(twice)
    return (
        Figure("overhead of a run", overhead, TWICE, bare, most_times=1.3),
        Figure("a whole run of ten tool calls", whole, TWICE, bare),
        Figure(f"a whole run over {MANY:,} files", large_whole, f"over {FEW} files", whole),
    )


def _stage_figures(runs: list[OneRun]) -> tuple[Figure, ...]:
    rest = [run.overhead_s - sum(map(run.stage_s, STAGES)) for run in runs]
    return (
        *(Figure(text, tuple(run.stage_s(name) for run in runs)) for name, text in STAGES.items()),
        Figure("store the record, and the rest", tuple(rest)),
    )


def _sweep(settings: Settings) -> None:
    """Whatever a signal left at a bad moment, and the fixtures that the engine keeps."""
    api = wiring.open_engine(settings).api
    owned = f"{OWNER_LABEL}={this_process()}"
    for container in api.containers(all=True, filters={"label": owned}):
        api.remove_container(container["Id"], force=True, v=True)
    fixtures = settings.root.glob("suites/*/scenarios/*/repo-fixture")
    for label in (owned, *(f"{FIXTURE_LABEL}={tree_digest(fixture)}" for fixture in fixtures)):
        for volume in api.volumes(filters={"label": label})["Volumes"] or ():
            api.remove_volume(volume["Name"], force=True)
    for folder in settings.state.glob("run/*"):
        remove_workspace(folder)


def _ticker(what: str) -> Tick:
    """Progress on standard error: a moving line on a terminal, else the ends only."""

    def tick(number: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{what} {number}/{total}" + ("\n" if number == total else ""))
            sys.stderr.flush()
        elif number == total:
            _say(f"{what} {number}/{total}")

    return tick


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
