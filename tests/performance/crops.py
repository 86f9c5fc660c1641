"""What grows with the number of stored runs, and of cells that are planned and made."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, pairwise
from pathlib import Path

from figures import Curve, Figure, Point, Size
from sqlalchemy import insert
from subjects import Tick

from evaluators.command import CommandEvaluator
from harness.claims import Claims
from harness.cli.bench import bench
from harness.cli.entry import exit_code_of
from harness.crew import run_batch
from harness.domain.ids import BatchId, RunId
from harness.domain.model import Usage
from harness.domain.record import CheckResult, RunRecord
from harness.domain.session import Ending, Session
from harness.domain.spec import RunSpec
from harness.store.base import Planned, Wanted
from harness.store.codec import cell_key, timestamp
from harness.store.rows import check_rows, planned_row, run_row
from harness.store.schema import BATCHES, CHECKS, PLANNED, RUNS
from harness.store.sqlite import SqliteStore
from harness.testing.builders import a_scenario, a_spec, some_tools
from harness.testing.store import NOON, a_record

BATCHES_MADE = ("a", "b")
CELLS = 20
SIZES = (1_000, 10_000, 100_000)
COMMANDS = {
    "a batch's summary and runs": (("batch", "a"), 0.2),
    "the list of batches": (("batches",), 0.3),
    "a comparison of two batches": (("compare", "a", "b"), 0.3),
}
MOST_S = {10_000: None, 100_000: 2.0}
SCENARIOS = 20
MADE, FEWER = 1_000, 100
JOBS = (1, 4, 8)
BATCH_SIZES = (100, 1_000, 10_000)
MOST_A_CELL_S = 0.002
KIB = 1024
# its own peak, which the kernel's account of children would mix with ours
ONE_PROCESS = """
import sys
from harness.cli.bench import bench
from harness.cli.entry import exit_code_of
code = exit_code_of(bench)
with open("/proc/self/status") as status:
    sys.stderr.write(next(line for line in status if line.startswith("VmHWM")))
sys.exit(code)
"""


def grow_stores(
    folder: Path, rounds: int, tick: Tick
) -> tuple[tuple[Figure, ...], tuple[Size, ...]]:
    """The same commands on stores of ever more runs, each timed by the processor's clock."""
    roots = {size: _store_of(folder / f"runs-{size}", size) for size in SIZES}
    taken: dict[str, dict[int, list[float]]] = {
        name: {size: [] for size in SIZES} for name in COMMANDS
    }
    for number in range(rounds):
        for name, (words, _) in COMMANDS.items():
            for size in SIZES:
                if number == 0:
                    _shown(roots[size], words)
                taken[name][size].append(_cpu_s(partial(_shown, roots[size], words)))
        tick(number + 1, rounds)
    figures = tuple(
        _of_size(name, taken[name], smaller, size)
        for name in COMMANDS
        for smaller, size in pairwise(SIZES)
    )
    sizes = tuple(
        Size(
            size,
            tuple((name, tuple(taken[name][size])) for name in COMMANDS),
            *_whole_process(roots[size]),
        )
        for size in SIZES
    )
    return figures, sizes


def _of_size(name: str, taken: dict[int, list[float]], smaller: int, size: int) -> Figure:
    most = MOST_S[size] or COMMANDS[name][1]
    return Figure(
        f"{name}, {size:,} stored runs",
        tuple(taken[size]),
        f"{smaller:,} runs",
        tuple(taken[smaller]),
        most_s=most,
    )


def _shown(root: Path, words: Sequence[str]) -> None:
    with redirect_stdout(io.StringIO()):
        code = exit_code_of(bench, [*words, "--root", str(root)])
    if code:
        raise RuntimeError(f"`bench {' '.join(words)}` ended with exit code {code}")


def _cpu_s(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _whole_process(root: Path) -> tuple[float, int]:
    """Processor time and peak memory of `bench batch a`, from its start to its end."""
    process = subprocess.Popen(
        [sys.executable, "-c", ONE_PROCESS, "batch", "a", "--root", str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    said = process.stderr.read() if process.stderr else ""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"`bench batch a` ended with exit code {process.returncode}: {said}")
    return used.ru_utime + used.ru_stime, int(said.split()[-2]) * KIB


def _store_of(root: Path, runs: int) -> Path:
    """A project whose store has so many runs, in two batches of as many cells."""
    chance = random.Random(runs)  # noqa: S311  # the same runs every time
    (root / "results").mkdir(parents=True)
    sample = _sample()
    with SqliteStore.open(root / "results" / "bench.db") as store, store.engine.begin() as db:
        db.execute(
            insert(BATCHES), [{"id": name, "created_at": timestamp(NOON)} for name in BATCHES_MADE]
        )
        for name in BATCHES_MADE:
            each = runs // len(BATCHES_MADE)
            first = BATCHES_MADE.index(name) * each
            made = [_varied(sample, name, n, chance) for n in range(first, first + each)]
            planned = [Planned(run.cell, run.iteration, run.spec_digest) for run in made]
            rows = (
                planned_row(BatchId(name), at, cell_key(each.cell), each)
                for at, each in enumerate(planned, 1)
            )
            db.execute(insert(PLANNED), list(rows))
            db.execute(insert(RUNS), list(map(run_row, made)))
            db.execute(insert(CHECKS), [row for run in made for row in check_rows(run)])
    return root


def _sample() -> RunRecord:
    names = ("build", "test", "lint", "diff")
    session = Session(Ending.FINISHED, 60.0, usage=Usage(9000, 800, 40_000), cost_usd=0.05)
    checks = tuple(CheckResult(name, name, 1.0, 0.25, details=("fine",) * 10) for name in names)
    return replace(a_record(), session=session, checks=checks, simulated=False)


def _varied(sample: RunRecord, batch: str, number: int, chance: random.Random) -> RunRecord:
    """The n-th run of the store; those of batch b are a little better."""
    score = min(1.0, max(0.0, chance.gauss(0.6 if batch == "b" else 0.5, 0.2)))
    began = NOON + timedelta(seconds=number)
    return replace(
        sample,
        id=RunId(f"run_{number:08d}"),
        batch=BatchId(batch),
        cell=replace(sample.cell, scenario=f"scenario-{number % CELLS}", model="acme:model"),
        iteration=number // CELLS + 1,
        started_at=began,
        finished_at=began + timedelta(minutes=1),
        total_score=score,
        passed=score >= sample.threshold,
    )


def time_cells(folder: Path, rounds: int, tick: Tick) -> tuple[tuple[Figure, ...], Curve]:
    """Cells planned, claimed, made and stored, where sandbox and agent take no time."""
    homes = (folder / f"cells-{number}" for number in count())
    base = a_spec(a_scenario(folder / "null"))
    many: dict[int, list[float]] = {jobs: [] for jobs in JOBS}
    few: dict[int, list[float]] = {jobs: [] for jobs in JOBS}
    _a_cell_s(next(homes), base, FEWER, 1)
    for number in range(rounds):
        for jobs in JOBS:
            many[jobs].append(_a_cell_s(next(homes), base, MADE, jobs))
            few[jobs].append(_a_cell_s(next(homes), base, FEWER, jobs))
        tick(number + 1, rounds)
    curve = Curve(
        "a batch, 4 at once",
        tuple(Point(n, (n * _a_cell_s(next(homes), base, n, 4),)) for n in BATCH_SIZES),
    )
    figures = tuple(
        Figure(
            f"a cell of {MADE:,} against a null sandbox, {jobs} at once",
            tuple(many[jobs]),
            f"of {FEWER}",
            tuple(few[jobs]),
            most_s=MOST_A_CELL_S,
        )
        for jobs in JOBS
    )
    return figures, curve


def _a_cell_s(home: Path, base: RunSpec, cells: int, jobs: int) -> float:
    """Processor time of everything, for each of them."""
    batch, now = BatchId("cells"), datetime.now(UTC)
    home.mkdir()
    began = time.process_time()
    with SqliteStore.open(home / "bench.db") as store:
        tools = replace(some_tools({"build": CommandEvaluator()}).tools, store=store)
        scenarios = [replace(base.scenario, id=f"null-{n}") for n in range(SCENARIOS)]
        specs = [
            replace(base, scenario=scenario, prompt=replace(base.prompt, tier=f"T{n}"))
            for n in range(cells // SCENARIOS)
            for scenario in scenarios
        ]
        store.plan(batch, [Wanted(spec.cell, 1, spec.digest) for spec in specs], now)
        claims = Claims(store, batch, "owner", tools.now, lambda _: True)
        made = sum(run.passed for run in run_batch(specs, batch, tools, jobs, claims=claims))
    if made != cells:
        raise RuntimeError(f"{made} of {cells} cells were made and passed")
    return (time.process_time() - began) / cells
