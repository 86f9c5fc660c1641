"""What is timed, each beside what it is compared with."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, cast

from figures import Figure

from harness import roster, wiring
from harness.agents.base import Workbench
from harness.agents.tools import ToolContext, toolbox
from harness.cli.bench import bench
from harness.cli.entry import PASSED, exit_code_of
from harness.domain.failures import Cause
from harness.domain.ids import OWNER_LABEL, BatchId, RunId, new_run_id
from harness.domain.record import RunRecord
from harness.domain.scenario import Scenario
from harness.domain.spec import AgentRef, RunSpec
from harness.load.scenarios import load_scenario
from harness.plan import Selection, plan
from harness.report.documents import batch_summary
from harness.report.stats import group_by_cell
from harness.run import attempt
from harness.sandbox.base import Box, BoxSpec, Completed, PreparedImage, Purpose, Sandboxes
from harness.settings import Settings
from harness.store.artifacts import FileArtifacts
from harness.store.base import Wanted
from harness.store.codec import encode
from harness.store.sqlite import SqliteStore
from harness.tools import Tools

SUITE = "speed"
SCRIPT = "ten-calls"
BATCH = BatchId("performance")
FEW, MANY = 10, 20_000
FILES_PER_FOLDER = 200
STORED_RUNS, STORED_CELLS = 200, 10
LOG_LINES = 200
DONE_S = 60.0
TRUE = '{"command": "true"}'

CONSOLE_SCRIPT = "import sys\nfrom harness.cli.bench import main\nsys.exit(main())\n"

TWICE = "two bare `docker run … true`"

Act = Callable[[], object]
Tick = Callable[[int, int], None]
Timings = tuple[float, ...]
Call = tuple[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Bare:
    """Docker without Mintmark; the label is for whoever sweeps up after a signal."""

    owner: str
    image: PreparedImage

    def run_true_twice(self) -> None:
        """As many containers as a run opens."""
        options = ("--rm", "--network", "none", "--label", f"{OWNER_LABEL}={self.owner}")
        for _ in range(2):
            command(["docker", "run", *options, self.image.tag, "true"])

    def exec_true(self, container: str) -> None:
        command(["docker", "exec", container, "true"])


@dataclass(frozen=True, slots=True)
class OneRun:
    """One run, taken apart."""

    record: RunRecord
    wall_s: float
    validate_s: float
    checks_s: float

    @property
    def overhead_s(self) -> float:
        """The wall without the agent's session and the commands that the scenario asks for."""
        session_s = self.record.session.duration_s if self.record.session else 0.0
        return self.wall_s - session_s - self.validate_s - self.checks_s

    def stage_s(self, name: str) -> float:
        """A stage's share of the overhead."""
        session_s = self.record.session.duration_s if self.record.session else 0.0
        own = {"work": session_s, "validate": self.validate_s, "evaluate": self.checks_s}
        return sum(s for stage, s in self.record.stages_s if stage == name) - own.get(name, 0.0)


class TimedSandboxes:
    """Adds up what the commands of grading sandboxes took, by the daemon's own clock."""

    def __init__(self, inner: Sandboxes) -> None:
        self._inner = inner
        self.commands_s = 0.0

    @contextmanager
    def open(self, spec: BoxSpec) -> Iterator[Box]:
        with self._inner.open(spec) as box:
            if spec.purpose is Purpose.GRADE:
                yield cast("Box", TimedBox(box, self))
            else:
                yield box


class TimedBox:
    """Passes everything on and listens to `run`."""

    def __init__(self, inner: Box, total: TimedSandboxes) -> None:
        self._inner = inner
        self._total = total

    def run(self, *args: Any, **kwargs: Any) -> Completed:  # noqa: ANN401  # the box's own
        done = self._inner.run(*args, **kwargs)
        self._total.commands_s += done.duration_s
        return done

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # the box's own
        return getattr(self._inner, name)


def command(argv: Sequence[str], env: dict[str, str] | None = None) -> None:
    """Run a program to its end, Ctrl-C or not: `docker run` cut short leaves a container."""
    process = subprocess.Popen(
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, said = process.communicate()
    except BaseException:
        process.communicate(timeout=DONE_S)
        raise
    if process.returncode:
        raise RuntimeError(f"{' '.join(argv[:2])} failed: {said.decode('utf-8', 'replace')}")


def timed(act: Act) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def in_turn(ours: Act, base: Act, rounds: int, tick: Tick) -> tuple[Timings, Timings]:
    """A B A B…; the first pair warms up and does not count."""
    pairs = []
    for number in range(rounds + 1):
        pairs.append((timed(ours), timed(base)))
        tick(number, rounds)
    return tuple(a for a, _ in pairs[1:]), tuple(b for _, b in pairs[1:])


def bench_process(folder: Path, *arguments: str) -> None:
    """`bench` as pip's console script starts it, with byte code as after any first start."""
    script = folder / "bench"
    if not script.exists():
        script.write_text(CONSOLE_SCRIPT, encoding="utf-8")
    python_process(folder, str(script), *arguments)


def python_process(folder: Path, *arguments: str) -> None:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(folder / "pycache")
    command([sys.executable, *arguments], env)


def time_help(folder: Path, rounds: int, tick: Tick) -> Figure:
    ours, base = in_turn(
        lambda: bench_process(folder, "--help"),
        lambda: python_process(folder, "-c", "pass"),
        rounds,
        tick,
    )
    return Figure("`bench --help`, a whole process", ours, "`python -c pass`", base, 0.150, 10.0)


def time_command(settings: Settings, spec: RunSpec, bare: Bare, rounds: int, tick: Tick) -> Figure:
    """What a person waits for: one run, from the shell's prompt to the next."""
    scenario, root = spec.scenario, settings.root
    names = (scenario.suite, scenario.id, "--agent", spec.agent.label)
    ours, base = in_turn(
        lambda: bench_process(root, *names, "--json", "--root", str(root)),
        bare.run_true_twice,
        rounds,
        tick,
    )
    return Figure("a whole `bench` command with one run", ours, TWICE, base)


def make_scenario(settings: Settings, name: str, files: int) -> RunSpec:
    """The scaffold of `bench new`, filled up to so many files, and an agent of ten calls."""
    folder = new_scenario(settings.root, name)
    fixture = folder / "repo-fixture"
    own = sorted(p for p in fixture.rglob("*") if p.is_file())
    for number in range(files - len(own)):
        path = fixture / "data" / f"{number // FILES_PER_FOLDER:03d}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Line one of file {number}.\n", encoding="utf-8")
    known = sorted(str(p.relative_to(fixture)) for p in fixture.rglob("*") if p.is_file())[-3:]
    calls = [
        *((("run_command", {"command": "true"}),) * 4),
        *(("read_file", {"path": path}) for path in known),
        *(("write_file", {"path": f"notes/{n}.md", "content": f"Note {n}\n"}) for n in range(2)),
    ]
    return scripted(settings, name, SCRIPT, calls)


def new_scenario(root: Path, name: str) -> Path:
    """The folder of what `bench new` makes."""
    with redirect_stdout(io.StringIO()):
        if not (root / "suites" / SUITE).exists():
            (root / "suites").mkdir(exist_ok=True)
            _expect(exit_code_of(bench, ["new", "suite", SUITE, "--root", str(root)]))
        _expect(exit_code_of(bench, ["new", "scenario", SUITE, name, "--root", str(root)]))
    return root / "suites" / SUITE / "scenarios" / name


def _expect(code: int) -> None:
    if code != PASSED:
        raise RuntimeError(f"`bench new` ended with exit code {code}")


def scripted(settings: Settings, name: str, script: str, calls: Sequence[Call]) -> RunSpec:
    """A run of a scenario in which the agent makes these calls, and then writes the solution."""
    folder = settings.root / "suites" / SUITE / "scenarios" / name
    solution = folder / "solution"
    solved = [
        ("write_file", {"path": str(p.relative_to(solution)), "content": p.read_text("utf-8")})
        for p in sorted(solution.rglob("*"))
        if p.is_file()
    ]
    made = [{"tool": tool, "input": given} for tool, given in (*calls, *solved)]
    at = folder / "scripts" / f"{script}.yaml"
    at.parent.mkdir(exist_ok=True)
    # JSON is YAML
    at.write_text(json.dumps({"plays": [{"calls": made, "says": "Done."}]}), encoding="utf-8")
    scenario = load_scenario(settings.root, SUITE, name, kinds=wiring.evaluator_kinds())
    selection = Selection((scenario,), ("L1",), (AgentRef("scripted", script),))
    return roster.identify(plan(selection)[0])


def one_run(spec: RunSpec, tools: Tools) -> OneRun:
    """One run that passed; anything else would not be what is measured."""
    sandboxes = TimedSandboxes(tools.sandboxes)
    began = time.perf_counter()
    record = attempt(spec, BATCH, replace(tools, sandboxes=sandboxes))
    wall_s = time.perf_counter() - began
    if record.fault and record.fault.cause is Cause.CANCELLED:
        raise KeyboardInterrupt
    if not record.passed:
        raise RuntimeError(f"the measured run did not pass: {record.fault or record.checks}")
    validate_s = sum(result.duration_s for result in record.commands)
    return OneRun(record, wall_s, validate_s, sandboxes.commands_s - validate_s)


def time_opening(
    tools: Tools, image: PreparedImage, specs: tuple[RunSpec, RunSpec], rounds: int, tick: Tick
) -> Figure:
    """From a stored fixture to a mounted workspace; closing it is not timed."""
    few, many = specs
    ours, base = [], []
    for number in range(rounds):
        ours.append(_opening_s(tools, image, many.scenario))
        base.append(_opening_s(tools, image, few.scenario))
        tick(number + 1, rounds)
    name = f"opening a workspace of {MANY:,} files"
    return Figure(name, tuple(ours), f"of {FEW} files", tuple(base), most_times=1.3)


def _opening_s(tools: Tools, image: PreparedImage, scenario: Scenario) -> float:
    began = time.perf_counter()
    with tools.workspaces.open(scenario, image):
        return time.perf_counter() - began


def time_store(folder: Path, sample: RunRecord, rounds: int, tick: Tick) -> Figure:
    """200 runs with two logs each: planned, stored, read back and summed up, in a new database."""
    homes = iter(folder / f"store-{n}" for n in count())
    ours, base = in_turn(
        lambda: _store_batch(next(homes), sample),
        lambda: _commit_rows(next(homes), encode(sample)),
        rounds,
        tick,
    )
    return Figure(
        f"storing and summing up {STORED_RUNS} runs",
        ours,
        f"{STORED_RUNS} bare flushed commits",
        base,
        most_s=1.0,
    )


def _commit_rows(home: Path, text: str) -> None:
    """What the disk alone costs: as many rows, each flushed, in a database of the same kind."""
    home.mkdir()
    with closing(sqlite3.connect(home / "bare.db", isolation_level=None)) as db:
        for line in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"):
            db.execute(line)
        db.execute("CREATE TABLE runs (document TEXT)")
        for _ in range(STORED_RUNS):
            db.execute("INSERT INTO runs VALUES (?)", (text,))


def _store_batch(home: Path, sample: RunRecord) -> None:
    now = datetime.now(UTC)
    artifacts = FileArtifacts(home / "artifacts")
    cells = [replace(sample.cell, scenario=f"scenario-{n}") for n in range(STORED_CELLS)]
    each = STORED_RUNS // STORED_CELLS
    with SqliteStore.open(home / "bench.db") as store:
        planned = store.plan(BATCH, [Wanted(c, each, sample.spec_digest) for c in cells], now)
        for n, run in enumerate(planned):
            logs = [_log(n, name) for name in ("build.log", "test.log")]
            kept = tuple(artifacts.put(name, data) for name, data in logs)
            checks = (replace(sample.checks[0], artifacts=kept), *sample.checks[1:])
            store.save(
                replace(
                    sample,
                    id=RunId(f"run_{n:04d}"),
                    batch=BATCH,
                    cell=run.cell,
                    iteration=run.iteration,
                    checks=checks,
                )
            )
        runs = store.runs(BATCH)
        batch_summary(store.batch(BATCH), runs)
        group_by_cell(runs)
        if len(runs) != STORED_RUNS:
            raise RuntimeError(f"{len(runs)} of {STORED_RUNS} runs were stored")


def _log(number: int, name: str) -> tuple[str, bytes]:
    lines = (f"{name} of run {number}, line {n}: nothing to complain of" for n in range(LOG_LINES))
    return name, "\n".join(lines).encode()


def time_call(tools: Tools, spec: RunSpec, bare: Bare, rounds: int, tick: Tick) -> Figure:
    """A command through the tools that agents get, and one through `docker exec`, in one box."""
    scenario = spec.scenario
    run = new_run_id(datetime.now(UTC), "performance")
    with tools.workspaces.open(scenario, bare.image) as workspace:
        mounts = (workspace.mount,)
        marks = tools.marks(run, BATCH, scenario.limits)
        box_spec = tools.box_spec(marks, Purpose.WORK, scenario, bare.image, mounts)
        with tools.sandboxes.open(box_spec) as box:
            context = ToolContext(box, scenario.limits, scenario.oracle)
            desk = Workbench(toolbox(), context, scenario.limits.wall_clock_s)
            ours, base = in_turn(
                lambda: desk.call("run_command", TRUE),
                lambda: bare.exec_true(box_spec.name),
                rounds,
                tick,
            )
    return Figure("one tool call, `run_command true`", ours, "`docker exec … true`", base)
